// What supervised training is configured by.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/config.h"
#include "learner/trainer_config.h"

namespace autodidact::sft {

struct SupervisedConfig {
  learner::OptimizerConfig optimizer;
  std::int64_t max_steps = 1000;
  std::uint64_t seed = 0;
};

struct CrossfitConfig {
  std::int64_t folds = 2;
  bool apart = false;  // sample the first fold alone
  std::int64_t batch_size = 64;
  SupervisedConfig training;          // of each fold's model
  std::uint32_t num_candidates = 16;  // sampled per row
  engine::SamplingParams sampling;
  engine::EngineConfig engine = {};
};

// What a model must not learn from rows of candidates: to recall the rows' answers in place of reconciling.
struct ReconcileRules {
  std::vector<std::int64_t> group_sizes;  // the number of candidates of an example is drawn from these
  // Two neighbouring tokens of the right answer, or its first or last token, that stand so in none of the candidates:
  // with more of those than this another row is drawn, since nobody can reconcile its candidates to what is right.
  // A single wrong token has two. Negative: any number.
  std::int64_t max_unsupported = -1;
  // The share of examples in which the tokens of the answers' vocabulary change places, at random: the same task in
  // words that nobody knows. For vocabularies of symbols, whose prompt shares no token with the answers.
  double exchanged = 0;
};

}  // namespace autodidact::sft
