// How much memory a learner rank takes, from configs alone: the learner's part of the memory plan.
#pragma once

#include <cstdint>

#include "learner/policy_trainer.h"
#include "model/memory.h"

namespace autodidact::learner {

struct LearnerShape {
  std::int64_t ranks = 1;
  std::int64_t groups_per_step = 1;  // over all ranks
  model::PassShape group;            // of one group; its type, device and checkpointing are the learner's
};

// Bytes on the device that it trains on.
struct LearnerMemory {
  std::int64_t weights = 0;
  std::int64_t gradients = 0;
  std::int64_t master = 0;   // this rank's share
  std::int64_t moments = 0;  // likewise
  std::int64_t reference = 0;
  model::PassMemory pass;

  std::int64_t total() const { return weights + gradients + master + moments + reference + pass.total(); }
};
LearnerMemory PlanLearner(const model::ModelConfig& model, const TrainerConfig& trainer, const LearnerShape& shape);

}  // namespace autodidact::learner
