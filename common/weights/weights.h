// Weight versions from the learner to the actors: in one process by reference, between processes as parts of bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "base/error.h"
#include "base/guarded.h"
#include "model/weight_set.h"
#include "net/net.h"
#include "schema/types.h"

namespace autodidact::weights {

// Where an actor gets its weights. Called from the actor's thread only.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // The newest set that is at least min_version. Blocks until there is one or the deadline passes (kRetryLater).
  virtual base::Outcome<model::SharedWeights> Fetch(schema::WeightVersion min_version, base::Deadline deadline) = 0;
  // Never blocks: the newest version that Fetch would give at once (0 when there is none yet).
  virtual schema::WeightVersion newest() const = 0;
  // Seconds spent in transfers and bytes that travelled, since the start.
  virtual double transfer_seconds() const = 0;
  virtual std::uint64_t transfer_bytes() const = 0;
};

// Holds the newest set and, for deltas, the one before it. Thread-safe. Owned by learner rank 0.
class WeightStore {
 public:
  // Without a publisher nobody asks for deltas, and the set before need not be kept.
  explicit WeightStore(bool keep_previous = true) : keep_previous_(keep_previous) {}

  void Publish(model::SharedWeights weights);
  base::Outcome<model::SharedWeights> WaitFor(schema::WeightVersion min_version, base::Deadline deadline) const;
  schema::WeightVersion newest() const;

 private:
  friend class WeightPublisher;
  struct State {
    model::SharedWeights newest;
    model::SharedWeights previous;
  };
  State Held() const;
  void WakeWaiters() const {
    state_.With([](State&) {});
  }
  template <class Condition>
  void WaitForChange(base::Deadline deadline, Condition&& changed) const {
    state_.WaitUntil(deadline, changed);
  }

  const bool keep_previous_;
  mutable base::Guarded<State> state_;  // mutable: a reader may wake the waiters
};

// The same process: no copy. The store must outlive it.
std::unique_ptr<WeightSource> MakeLocalSource(const WeightStore& store);

// Answers WeightRequests over the network from a store, in parts of at most part_bytes; a delta (XOR with the previous
// version, zstd) when the asker holds the previous version and the delta is smaller. The store must outlive it.
class WeightPublisher {
 public:
  WeightPublisher(const WeightStore& store, net::Context& context, const std::string& endpoint,
                  const net::Security& security, std::int64_t part_bytes = 32 << 20);
  ~WeightPublisher();
  const std::string& endpoint() const;
  // Messages that were refused since the last call. Thread-safe.
  std::uint64_t TakeRefused();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Fetches from a WeightPublisher, on a thread of its own and ahead of time: while there is a newer version it is being
// fetched, and Fetch hands out the newest that has arrived whole. Every set is verified by its checksum (a mismatch is
// fetched again whole). `config` is what the tensors must fit, `device` where they are wanted.
std::unique_ptr<WeightSource> MakeNetworkSource(net::Context& context, const std::string& endpoint,
                                                const net::Security& security, const model::ModelConfig& config,
                                                at::Device device);

}  // namespace autodidact::weights
