// Supervised training: next-token cross-entropy on completions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "learner/flat_parameters.h"
#include "learner/optimizer.h"
#include "sft/examples.h"

namespace autodidact::sft {

// A source and the number of its examples in every batch. The loss is the mean over shares of each share's mean over
// its tokens: a skill counts the same however many tokens it has.
struct Share {
  const ExampleSource* source = nullptr;
  std::int64_t per_batch = 0;
};

struct SupervisedConfig {
  learner::OptimizerConfig optimizer;
  std::int64_t max_steps = 1000;
  std::uint64_t seed = 0;
};

// Called after every step with the mean loss per token of each share since the last call.
using OnStep = std::function<void(std::int64_t step, const std::vector<double>& losses)>;

// Trains in place. Each share walks its source in a new random order in every pass. Depends on the weights, the
// sources, the config and the number of threads alone. Blocks for the training; an exception from `on_step` ends it.
void TrainSupervised(learner::FlatParameters& parameters, const std::vector<Share>& shares,
                     const SupervisedConfig& config, const OnStep& on_step);

}  // namespace autodidact::sft
