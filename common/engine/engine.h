// Group-wise generation: continuous batching over groups, the group's prompt computed and stored once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "engine/config.h"
#include "model/weight_set.h"
#include "schema/types.h"
#include "text/tokenizer.h"

namespace autodidact::engine {

// One group to generate. The token at position p of rollout r depends on the weights, the prompt, the parameters and
// (seed, stream, ticket, r, p) alone; on the CPU bit for bit, whatever else is in the batch.
struct GroupRequest {
  schema::Ticket ticket = 0;
  std::vector<schema::TokenId> prompt_ids;
  std::uint32_t num_rollouts = 1;
  SamplingParams sampling;
  std::uint64_t seed = 0;
  base::RandomStream stream = base::RandomStream::kRollout;
};

struct GroupResult {
  schema::Ticket ticket = 0;
  base::Outcome<schema::RolloutGroup> group = base::Failure{};  // fails when it can never fit (context or cache)
};

struct EngineStats {
  std::int64_t decoded_tokens = 0;
  std::int64_t decode_steps = 0;
  std::int64_t preemptions = 0;  // groups put back and computed again because the cache was full
};

// Not thread-safe: one thread owns it and calls Step until idle. Groups are admitted in the order of Add; one that does
// not fit waits, and the youngest is preempted and recomputed when the cache fills. Never truncates.
class Engine {
 public:
  // The tokenizer (for texts and stop strings) must outlive the engine.
  Engine(EngineConfig config, model::SharedWeights weights, const text::Tokenizer& tokenizer);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Never blocks.
  void Add(GroupRequest request);

  // Prefills what can be admitted, or decodes one token of every running rollout. Returns the groups that finished (or
  // failed), in the order of Add. Blocks for the computation only.
  std::vector<GroupResult> Step();

  bool idle() const;
  std::size_t num_groups() const;  // added and not finished

  // Takes effect before the next Step; rollouts in flight go on with the new weights and record both versions.
  void SetWeights(model::SharedWeights weights);
  std::uint64_t weight_version() const;

  EngineStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Convenience for callers without a loop of their own: adds all, steps until idle, results in the order of requests.
std::vector<GroupResult> GenerateAll(Engine& engine, std::vector<GroupRequest> requests);

// Log-probabilities of given continuations after a shared prefix, untruncated, at `temperature`: one vector per
// continuation, one number per token. Blocks for the computation. For judges (choice scoring), estimators and `score`.
std::vector<std::vector<float>> ScoreContinuations(const model::WeightSet& weights,
                                                   const std::vector<schema::TokenId>& prefix,
                                                   const std::vector<std::vector<schema::TokenId>>& continuations,
                                                   double temperature = 1.0);

}  // namespace autodidact::engine
