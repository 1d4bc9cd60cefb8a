// The learner's door: the prompt queue with its leases, the intake of scored groups, and the roles that work for it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/metrics.h"
#include "learner/prompt_queue.h"
#include "membership/role_directory.h"
#include "net/net.h"
#include "schema/types.h"
#include "schema/validate.h"

namespace autodidact::learner {

struct CoordinatorConfig {
  std::string endpoint = "inproc://learner";
  std::string weights_endpoint;        // told to the roles
  base::Milliseconds hold{500};        // how long a request for leases waits for work
  base::Milliseconds silence{10'000};  // a service unheard of for so long leaves the directory
  schema::GroupRules groups = {};      // what the run's groups are like
  std::uint64_t config = 0;            // checksum that the config of every role must have; 0: not compared
};

// Owned by learner rank 0. Messages are handled on the server's thread under one lock; the learner's thread waits for
// complete steps. A message that is not as it should be changes nothing: its sender gets a Refused, and it is counted.
// Thread-safe.
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

  // What the roles reported with their heartbeats since the last call (counts added up, others as means over reports),
  // and "intake/refused": messages that were refused here.
  base::Metrics TakeReports();

  // A copy: the prompt under a ticket, as it was handed out.
  schema::Prompt PromptOf(schema::Ticket ticket) const;

 private:
  struct WaitingRequest {
    schema::LeaseRequest request;
    net::ReplyHandle reply;
    base::Clock::time_point since;
  };
  struct State {
    State(PromptQueue q, membership::RoleDirectoryConfig config) : queue(std::move(q)), roles(config) {}
    PromptQueue queue;
    membership::RoleDirectory roles;
    std::vector<WaitingRequest> waiting;
    std::uint64_t refused = 0;  // messages, since the last report
    schema::WeightVersion newest_version = 0;
    bool finished = false;
  };

  void Handle(net::Incoming incoming);
  // The reply to a message; none for a request that waits, which has taken the way back to its sender.
  std::optional<schema::Message> Take(schema::Message message, net::Incoming& incoming);
  std::optional<schema::Message> TakeRequest(schema::LeaseRequest request, net::ReplyHandle& reply);
  schema::Message TakeGroup(schema::ScoredGroup group);
  schema::Message TakeHeartbeat(schema::Heartbeat heartbeat);
  void Serve(State& state, base::Clock::time_point now);
  schema::Directory MakeDirectory(const State& state, base::Clock::time_point now) const;
  // Which groups of the step are missing, who has them, and when each role was last heard of.
  std::string Situation() const;

  const CoordinatorConfig config_;
  base::Guarded<State> state_;
  std::unique_ptr<net::Server> server_;  // last: its thread uses the state
};

}  // namespace autodidact::learner
