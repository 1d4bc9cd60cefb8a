// What a step of training is configured by: the loss, the optimizer, and how a rank computes them.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>

#include "base/names.h"

namespace autodidact::learner {

enum class LossType {
  kGrpo,    // mean over a rollout's tokens, then over rollouts (arXiv 2402.03300)
  kDapo,    // mean over all tokens of the batch (arXiv 2503.14476)
  kDrGrpo,  // token sum over rollouts × max_completion_length (arXiv 2503.20783)
  kCispo,   // clipped weight on the log-likelihood, token mean (arXiv 2506.13585); the cap is epsilon_high itself
  kGspo,    // one ratio per sequence (arXiv 2507.18071), aggregated as grpo
};
constexpr auto NamesOf(LossType) {
  return base::NameTable<LossType, 5>{{{LossType::kGrpo, "grpo"},
                                       {LossType::kDapo, "dapo"},
                                       {LossType::kDrGrpo, "dr_grpo"},
                                       {LossType::kCispo, "cispo"},
                                       {LossType::kGspo, "gspo"}}};
}

enum class ScaleRewards { kGroup, kBatch, kNone };
constexpr auto NamesOf(ScaleRewards) {
  return base::NameTable<ScaleRewards, 3>{
      {{ScaleRewards::kGroup, "group"}, {ScaleRewards::kBatch, "batch"}, {ScaleRewards::kNone, "none"}}};
}

// Where the KL term is: in the loss (k3), or beta × (log policy - log ref), summed over the rollout, taken off its
// reward.
enum class KlPlace { kLoss, kReward };
constexpr auto NamesOf(KlPlace) {
  return base::NameTable<KlPlace, 2>{{{KlPlace::kLoss, "loss"}, {KlPlace::kReward, "reward"}}};
}

// Correction for rollouts that other weights made than the policy before this step: weights exp(log pi_old - log mu).
enum class CorrectionMode { kNone, kTruncate, kMask };
constexpr auto NamesOf(CorrectionMode) {
  return base::NameTable<CorrectionMode, 3>{
      {{CorrectionMode::kNone, "none"}, {CorrectionMode::kTruncate, "truncate"}, {CorrectionMode::kMask, "mask"}}};
}
enum class RatioLevel { kToken, kSequence };
constexpr auto NamesOf(RatioLevel) {
  return base::NameTable<RatioLevel, 2>{{{RatioLevel::kToken, "token"}, {RatioLevel::kSequence, "sequence"}}};
}

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
  double beta = 1e-3;                      // of the KL to the initial policy; 0: the initial policy is not kept
  std::int64_t max_completion_length = 0;  // dr_grpo's constant
  ImportanceSampling importance_sampling;
};

enum class Schedule { kConstant, kLinear, kCosine };
constexpr auto NamesOf(Schedule) {
  return base::NameTable<Schedule, 3>{
      {{Schedule::kConstant, "constant"}, {Schedule::kLinear, "linear"}, {Schedule::kCosine, "cosine"}}};
}

struct OptimizerConfig {
  double learning_rate = 5e-7;
  Schedule schedule = Schedule::kConstant;
  std::int64_t warmup_steps = 0;    // linear from 0
  std::int64_t total_steps = 1000;  // where linear and cosine end
  double final_fraction = 0.0;      // of learning_rate, at the end of linear and cosine
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;   // matrices only
  double max_grad_norm = 1.0;  // 0: no clipping
};

struct TrainerConfig {
  LossConfig loss;
  OptimizerConfig optimizer;
  ScaleRewards scale_rewards = ScaleRewards::kGroup;
  KlPlace kl_in = KlPlace::kLoss;
  std::int64_t num_iterations = 1;          // optimizer steps on the same rollouts
  double temperature = 1.0;                 // the rollouts' sampling temperature
  std::int64_t micro_batch_tokens = 16384;  // tokens computed at once; a larger group is computed alone
  bool gradient_checkpointing = false;      // each layer's activations are computed a second time instead of kept
  // The reference weights stay where they were given (host memory, say) and are copied into the gradient's memory,
  // which is idle then, for the pass that needs them.
  bool offload_reference = false;
  std::optional<c10::Device> device;  // where it trains; default: where the initial weights are
};

}  // namespace autodidact::learner
