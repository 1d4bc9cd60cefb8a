// The mathematics of GRPO: advantages from rewards, and the loss per token.
//
// Shape letters: M tokens, N rollouts.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace autodidact::learner {

enum class LossType {
  kGrpo,    // mean over a rollout's tokens, then over rollouts (arXiv 2402.03300)
  kDapo,    // mean over all tokens of the batch (arXiv 2503.14476)
  kDrGrpo,  // token sum over rollouts × max_completion_length (arXiv 2503.20783)
  kCispo,   // clipped weight on the log-likelihood, token mean (arXiv 2506.13585); the cap is epsilon_high itself
  kGspo,    // one ratio per sequence (arXiv 2507.18071), aggregated as grpo
};
LossType LossTypeNamed(const std::string& name);  // Error(kBadInput) listing them otherwise

enum class ScaleRewards { kGroup, kBatch, kNone };
ScaleRewards ScaleRewardsNamed(const std::string& name);

// Correction for rollouts that other weights made than the policy before this step: weights exp(log pi_old - log mu).
enum class CorrectionMode { kNone, kTruncate, kMask };
CorrectionMode CorrectionModeNamed(const std::string& name);  // "none", "truncate", "mask"
enum class RatioLevel { kToken, kSequence };
RatioLevel RatioLevelNamed(const std::string& name);

struct ImportanceSampling {
  RatioLevel level = RatioLevel::kToken;  // sequence: the product over the rollout's tokens
  CorrectionMode mode = CorrectionMode::kNone;
  double clip_min = 0.0;  // mask: outside of [clip_min, clip_max] the weight is 0
  double clip_max = 2.0;  // truncate: no weight is larger
};

struct LossConfig {
  LossType type = LossType::kGrpo;
  double epsilon = 0.2;
  double epsilon_high = 0.2;               // above: clip-higher; for cispo the cap itself
  double beta = 0.0;                       // KL to the initial policy in the loss (k3)
  std::int64_t max_completion_length = 0;  // dr_grpo's constant
  ImportanceSampling importance_sampling;
};

// Error(kBadInput) for combinations that are known traps: a sequence-level ratio with a token-sum loss, token weights
// with gspo, no
// max_completion_length for dr_grpo.
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
