// The anchor service: the frozen initial policy, which reconciles a group into a reference without seeing the question.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bounded_queue.h"
#include "engine/engine.h"
#include "estimators/estimator.h"
#include "estimators/synthesizer.h"
#include "net/net.h"
#include "schema/types.h"
#include "text/tokenizer.h"

namespace autodidact::anchor_service {

struct ServiceConfig {
  std::string endpoint = "inproc://anchor-0";
  estimators::SynthesisConfig synthesis;
  engine::EngineConfig engine;
  std::uint64_t seed = 0;
  std::size_t queue = 4096;  // requests waiting; beyond that the answer is "retry later"
};

// Stateless request -> reply: what a SynthesisRequest is answered with depends on the request, the weights and the seed
// alone, so any replica can answer it. A message that is not as it should be gets a Refused. Run belongs to one thread;
// the server's thread only fills the queue.
class Service {
 public:
  // `weights` is version 0 for the whole run. The tokenizer must outlive the service.
  Service(net::Context& context, const net::Security& security, ServiceConfig config,
          const model::SharedWeights& weights, const text::Tokenizer& tokenizer);

  const std::string& endpoint() const { return server_->endpoint(); }

  // Blocks, answering requests, until `stop` is requested.
  void Run(const std::stop_token& stop);

  // For heartbeats, from any thread.
  std::string Doing() const;
  std::uint64_t progress() const { return progress_; }
  // Messages that were refused since the last call.
  std::uint64_t TakeRefused() { return refused_.exchange(0); }

 private:
  // Who waits for a synthesis under way: a request that is sent again joins the first.
  struct Waiting {
    std::vector<std::string> candidates;
    std::vector<net::ReplyHandle> replies;
  };

  void Enqueue(net::Incoming incoming);
  void Begin(net::Incoming incoming);
  void Refuse(net::Incoming& incoming, schema::Refused refused);
  void Answer(const estimators::Synthesizer::Finished& finished);

  ServiceConfig config_;
  engine::Engine engine_;
  estimators::Synthesizer synthesizer_;
  base::BoundedQueue<net::Incoming> queue_;
  std::map<schema::Ticket, Waiting> under_way_;
  std::atomic<std::size_t> num_under_way_{0};
  std::atomic<std::uint64_t> progress_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::unique_ptr<net::Server> server_;  // last: its thread uses the queue
};

}  // namespace autodidact::anchor_service
