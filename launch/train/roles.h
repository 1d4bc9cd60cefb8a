// The roles as one blocking function: the same code runs as a thread over inproc:// and as a process over tcp://.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "launch/config/run_config.h"
#include "membership/role.h"
#include "model/weight_set.h"
#include "net/net.h"
#include "schema/types.h"
#include "text/tokenizer.h"
#include "weights/weights.h"

namespace autodidact::launch {

// Where a role finds itself. What is referred to must outlive the role.
struct RoleSetting {
  const RunConfig& config;
  net::Context& context;
  net::Security security;
  std::string learner;           // endpoint of the coordinator: all that a role must be told
  std::string bind;              // where a service listens: "inproc://anchor-0" or "tcp://127.0.0.1:*"
  std::int64_t index = 0;        // of its kind
  model::SharedWeights initial;  // weight version 0
  const text::Tokenizer& tokenizer;
  const weights::WeightStore* local_store = nullptr;  // the learner's, in the same process; else weights are fetched
  std::function<void()> on_over = {};                 // the learner says that the run is over, or is gone
};

// Blocks until the run is finished or `stop` is requested, sets the calling thread's intra-op threads and log role, and
// sends heartbeats. Throws base::Error when it cannot go on (the learner is gone, say).
void WorkAs(schema::RoleKind kind, const RoleSetting& setting, const std::stop_token& stop);

// What an actor does beside that: leases, samples, and has its groups judged. Both must outlive it.
std::unique_ptr<membership::Role> MakeActorRole(const RoleSetting& setting, net::Client& learner);

}  // namespace autodidact::launch
