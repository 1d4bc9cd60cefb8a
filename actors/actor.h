// An actor: leases prompts, samples groups with the newest weights, and hands them to its courier.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "actors/courier.h"
#include "base/bounded_queue.h"
#include "base/deadline.h"
#include "engine/engine.h"
#include "net/net.h"
#include "schema/types.h"
#include "text/tokenizer.h"
#include "weights/weights.h"

namespace autodidact::actors {

struct ActorConfig {
  std::string name = "actor-0";
  std::uint32_t num_generations = 8;
  engine::SamplingParams sampling;
  engine::EngineConfig engine;
  std::uint64_t seed = 0;
  std::int64_t max_groups = 64;                 // leased and not yet handed to the learner: decoding and on their way
  std::uint64_t config = 0;                     // checksum that the learner compares with its own
  base::Milliseconds weights_timeout{600'000};  // until a demanded version must have come
  base::Milliseconds pause{1'000};              // after a reply that is of no use
};

// Where the actor's messages go. What is referred to must outlive it.
struct ActorLinks {
  net::Client& learner;
  weights::WeightSource& weights;
  RefusedReplies& refused;
};

// The actor's own thread runs Run; decoding never waits for anchor or judge, which the courier talks to.
class Actor {
 public:
  // `render` turns a prompt into token ids; Error(kBadInput) from it fails the group. All must outlive the actor.
  Actor(ActorConfig config, ActorLinks links, Courier& courier, const text::Tokenizer& tokenizer,
        std::function<std::vector<schema::TokenId>(const schema::Prompt&)> render);

  // Blocks until the run is finished or `stop` is requested. Throws Error: kRetryLater when the learner cannot be
  // reached, kBadInput when it refuses the actor's config, kDisconnected when it does not know the actor's weights. A
  // reply that is not as it should be is passed over, and so is a lease whose weights do not come while it runs.
  void Run(const std::stop_token& stop);

  // For heartbeats, from any thread.
  std::string Doing() const;
  std::uint64_t progress() const { return progress_; }

 private:
  // A group that is being decoded.
  struct Pending {
    schema::Lease lease;
    base::Clock::time_point since;
  };

  void AskForLeases();                                       // never blocks; one request at a time
  bool TakeLeases(const base::Outcome<std::string>& reply);  // false when the run is finished
  void PassOver(const std::string& why);
  // False when a set that is new enough did not come in time.
  bool UseWeights(schema::WeightVersion min_version, base::Milliseconds patience);
  void AddToEngine(schema::Lease lease);
  void HandOver(engine::GroupResult result);

  ActorConfig config_;
  ActorLinks links_;
  Courier& courier_;
  const text::Tokenizer& tokenizer_;
  std::function<std::vector<schema::TokenId>(const schema::Prompt&)> render_;
  std::unique_ptr<engine::Engine> engine_;
  std::map<schema::Ticket, Pending> decoding_;
  // Shared with the callback of the request under way, which may come after the actor is gone.
  std::shared_ptr<base::BoundedQueue<base::Outcome<std::string>>> lease_replies_ =
      std::make_shared<base::BoundedQueue<base::Outcome<std::string>>>(1);
  bool asking_ = false;
  std::uint32_t asked_for_ = 0;  // groups, in the request under way
  base::Clock::time_point ask_again_{};
  std::atomic<std::uint64_t> progress_{0};
  std::atomic<std::int64_t> num_decoding_{0};
};

}  // namespace autodidact::actors
