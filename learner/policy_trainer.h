// One rank's part of a GRPO step: from scored groups to new weights.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/metrics.h"
#include "collective/collective.h"
#include "learner/flat_parameters.h"
#include "learner/grpo.h"
#include "learner/optimizer.h"
#include "learner/trainer_config.h"
#include "model/weight_set.h"
#include "schema/types.h"

namespace autodidact::learner {

// Not thread-safe: the rank's own thread. All ranks call Step together with their own groups (maybe none).
class PolicyTrainer {
 public:
  // The communicator must outlive it. `reference` is weight version 0; it may be null when beta
  // is 0, and then no KL is computed.
  PolicyTrainer(TrainerConfig config, const model::WeightSet& initial, model::SharedWeights reference,
                collective::Communicator& communicator);

  struct Result {
    base::Metrics metrics;  // of the whole step, the same on all ranks
    // One per group given, one per rollout: what it was trained with; none where the rollout or group was left out.
    std::vector<std::vector<std::optional<double>>> advantages;
    bool updated = false;  // false when no rank had a group to train on: then the weights did not move
    bool given_up = false;
  };
  // Blocks for the computation and the collectives. Where a stop is requested on any rank before the weights move, all
  // ranks give the step up: weights and optimizer are as before it.
  Result Step(const std::vector<schema::ScoredGroup>& groups, const std::stop_token& stop = {});

  FlatParameters& parameters() { return parameters_; }
  AdamW& optimizer() { return optimizer_; }

 private:
  struct Batch;
  struct StepTotals;

  std::vector<Batch> MakeBatches(const std::vector<schema::ScoredGroup>& groups) const;
  at::Tensor Logprobs(const model::Parameters& parameters, const Batch& batch, at::Tensor* entropies) const;
  void ComputeReferences(std::vector<Batch>& batches, const std::stop_token& stop);
  std::vector<std::vector<std::optional<double>>> ComputeAdvantages(const std::vector<schema::ScoredGroup>& groups,
                                                                    const std::vector<Batch>& batches,
                                                                    base::Metrics& metrics);
  void TrainIteration(std::vector<Batch>& batches, const LossNormaliser& normaliser, bool first, StepTotals& step);
  bool AnyRankStops(const std::stop_token& stop);
  void SumOverRanks(std::vector<double>& values);
  double MaxOverRanks(double value);

  TrainerConfig config_;
  collective::Communicator& communicator_;
  FlatParameters parameters_;
  model::SharedWeights reference_;
  AdamW optimizer_;
};

}  // namespace autodidact::learner
