// The learner's door: the prompt queue with its leases, the intake of scored groups, and the directory of roles.
#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/metrics.h"
#include "learner/prompt_queue.h"
#include "net/net.h"
#include "schema/types.h"

namespace autodidact::learner {

struct CoordinatorConfig {
  std::string endpoint = "inproc://learner";
  std::string weights_endpoint;        // told to the roles
  base::Milliseconds hold{500};        // how long a request for leases waits for work
  base::Milliseconds silence{10'000};  // a service unheard of for so long leaves the directory
};

// Owned by learner rank 0. Messages are handled on the server's thread under one lock; the learner's thread waits for
// complete steps. Thread-safe.
class Coordinator {
 public:
  Coordinator(net::Context& context, const net::Security& security, CoordinatorConfig config, PromptQueue queue);

  const std::string& endpoint() const { return server_->endpoint(); }

  // Blocks until the current step is complete, `stop` is requested or the deadline passes. The failure of a deadline
  // says which groups are missing, who has them, and when each role was last heard of.
  base::Outcome<StepBatch> WaitForStep(base::Deadline deadline, const std::stop_token& stop);

  // A new weight version exists: actors hear of it, and requests that wait for work are answered.
  void Announce(schema::WeightVersion version);

  // The run is over: every reply from now on says so.
  void Finish();

  // What the roles reported with their heartbeats since the last call: means over reports.
  base::Metrics TakeReports();

  // A copy: the prompt under a ticket, as it was handed out.
  schema::Prompt PromptOf(schema::Ticket ticket) const;

 private:
  struct Role {
    schema::Heartbeat last;
    base::Clock::time_point heard;
  };
  struct WaitingRequest {
    schema::LeaseRequest request;
    net::ReplyHandle reply;
    base::Clock::time_point since;
  };
  struct State {
    explicit State(PromptQueue q) : queue(std::move(q)) {}
    PromptQueue queue;
    std::map<std::string, Role> roles;
    std::vector<WaitingRequest> waiting;
    base::MetricAccumulator reports;
    schema::WeightVersion newest_version = 0;
    bool finished = false;
  };

  void Handle(net::Incoming incoming);
  void Serve(State& state, base::Clock::time_point now);
  schema::Directory MakeDirectory(const State& state, base::Clock::time_point now) const;
  std::string Diagnosis() const;

  const CoordinatorConfig config_;
  base::Guarded<State> state_;
  std::unique_ptr<net::Server> server_;  // last: its thread uses the state
};

}  // namespace autodidact::learner
