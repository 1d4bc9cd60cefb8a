// The mathematics of GRPO: advantages from rewards, and the loss per token.
//
// Shape letters: M tokens, N rollouts.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "learner/trainer_config.h"

namespace autodidact::learner {

// Error(kBadInput) for combinations that are known traps: a sequence-level ratio with a token-sum loss, token weights
// with gspo, no max_completion_length for dr_grpo.
void Check(const LossConfig& config);

// Advantages of one group: (R - mean) / (std + 1e-4), unbiased std as TRL's; for kNone R - mean. `batch_std` replaces
// the group's for kBatch. A rollout without a reward gets none. Fewer than two rewards: all none.
std::vector<std::optional<double>> Advantages(const std::vector<std::optional<double>>& rewards, ScaleRewards scale,
                                              double batch_std);

// The tokens of some rollouts, end to end.
struct LossInput {
  at::Tensor logprobs_M;          // of the policy being trained; carries the gradient
  at::Tensor old_logprobs_M;      // of the policy that the ratio is taken to
  at::Tensor rollout_logprobs_M;  // as recorded when sampled
  at::Tensor ref_logprobs_M;      // of the initial policy; undefined when beta is 0
  at::Tensor advantages_M;        // each token its rollout's
  at::Tensor rollout_M;           // int64: which of the N rollouts
  at::Tensor lengths_N;           // float: tokens of each
};
// Sizes of the whole step, over all ranks and micro-batches: what the loss is divided by.
struct LossNormaliser {
  double rollouts = 0;
  double tokens = 0;
};
struct LossOutput {
  at::Tensor loss;  // scalar; the micro-batches' and ranks' losses add up to the step's
  // Sums over the M tokens, for metrics.
  double kl = 0;
  double clipped_low = 0;
  double clipped_high = 0;
  double ratio_max = 0;
};
LossOutput GrpoLoss(const LossConfig& config, const LossInput& input, const LossNormaliser& normaliser);

}  // namespace autodidact::learner
