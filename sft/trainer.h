// Supervised training: next-token cross-entropy on completions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "learner/flat_parameters.h"
#include "learner/optimizer.h"
#include "sft/config.h"
#include "sft/examples.h"

namespace autodidact::sft {

// A source and the number of its examples in every batch. The loss is the mean over shares of each share's mean over
// its tokens: a skill counts the same however many tokens it has.
struct Share {
  const ExampleSource* source = nullptr;
  std::int64_t per_batch = 0;
};

// Trains in place, step by step. Each share walks its source in a new random order in every pass. Depends on the
// weights, the sources, the config and the number of threads alone. One thread.
class SupervisedTrainer {
 public:
  // What is referred to must outlive it. Error(kBadInput) for a source without examples.
  SupervisedTrainer(learner::FlatParameters& parameters, const std::vector<Share>& shares,
                    const SupervisedConfig& config);
  ~SupervisedTrainer();
  SupervisedTrainer(const SupervisedTrainer&) = delete;
  SupervisedTrainer& operator=(const SupervisedTrainer&) = delete;

  // The mean loss per token of each share, before the step. Blocks for the computation.
  std::vector<double> Step();
  std::int64_t steps_done() const { return steps_done_; }

  // Goes on behind the first `steps` steps, whose weights and moments the caller has put in place.
  void GoOnAfter(std::int64_t steps);
  learner::AdamW& optimizer() { return optimizer_; }

 private:
  class RowOrder;

  learner::FlatParameters& parameters_;
  const std::vector<Share> shares_;
  const SupervisedConfig config_;
  learner::AdamW optimizer_;
  std::vector<RowOrder> orders_;
  std::int64_t steps_done_ = 0;
};

// Called after every step with the mean loss per token of each share.
using OnStep = std::function<void(std::int64_t step, const std::vector<double>& losses)>;

// All steps at once. Blocks for the training; an exception from `on_step` ends it.
void TrainSupervised(learner::FlatParameters& parameters, const std::vector<Share>& shares,
                     const SupervisedConfig& config, const OnStep& on_step);

// The loss that a step would have on all examples of these sources, each example as it is always drawn first. In
// batches of `batch_size`; `on_batch` is called before each, and what it throws ends it. Sources without examples do
// not count; there must be one with some.
double HeldOutLoss(const learner::FlatParameters& parameters, const std::vector<const ExampleSource*>& sources,
                   std::int64_t batch_size, const std::function<void()>& on_batch);

}  // namespace autodidact::sft
