#include "learner/memory.h"

#include <algorithm>

namespace autodidact::learner {

LearnerMemory PlanLearner(const model::ModelConfig& config, const TrainerConfig& trainer, const LearnerShape& shape) {
  LearnerMemory memory;
  memory.weights = model::WeightBytes(config, shape.group.type);
  memory.gradients = model::WeightBytes(config, at::kFloat);
  const std::int64_t share = (memory.gradients + shape.ranks - 1) / shape.ranks;
  if (shape.group.type != at::kFloat) memory.master = share;
  memory.moments = 2 * share;
  if (trainer.loss.beta != 0 && !trainer.offload_reference) memory.reference = memory.weights;
  model::PassShape pass = shape.group;
  pass.checkpoint = trainer.gradient_checkpointing;
  // As many groups as a micro-batch takes, and this rank has; one at least.
  const std::int64_t own = (shape.groups_per_step + shape.ranks - 1) / shape.ranks;
  pass.groups = 1;
  pass.groups = std::clamp<std::int64_t>(trainer.micro_batch_tokens / pass.tokens(), 1, own);
  memory.pass = TrainingPassMemory(config, pass);
  return memory;
}

}  // namespace autodidact::learner
