#include "learner/grpo.h"

#include <cmath>

#include "base/check.h"

namespace autodidact::learner {
namespace {

constexpr double kStdEpsilon = 1e-4;

// Per token the sum over its rollout, [M].
at::Tensor SumOverRollout(const at::Tensor& values_M, const LossInput& input) {
  return at::zeros_like(input.lengths_N).index_add(0, input.rollout_M, values_M).index_select(0, input.rollout_M);
}

at::Tensor MeanOverRollout(const at::Tensor& values_M, const LossInput& input) {
  return SumOverRollout(values_M, input) / input.lengths_N.index_select(0, input.rollout_M);
}

at::Tensor Ratio(const LossConfig& config, const LossInput& input) {
  if (config.type != LossType::kGspo) return (input.logprobs_M - input.old_logprobs_M).exp();
  // GSPO: the value is the sequence's geometric mean, the gradient reaches every token's own log-probability.
  const at::Tensor detached_M = input.logprobs_M.detach();
  const at::Tensor sequence_M = MeanOverRollout(detached_M - input.old_logprobs_M, input);
  return (sequence_M + input.logprobs_M - detached_M).exp();
}

at::Tensor CorrectionWeights(const ImportanceSampling& config, const LossInput& input) {
  at::Tensor log_weight_M = input.old_logprobs_M - input.rollout_logprobs_M;
  if (config.level == RatioLevel::kSequence) log_weight_M = SumOverRollout(log_weight_M, input);
  const at::Tensor weight_M = log_weight_M.exp();
  if (config.mode == CorrectionMode::kTruncate) return weight_M.clamp_max(config.clip_max);
  return at::where((weight_M >= config.clip_min) & (weight_M <= config.clip_max), weight_M, at::zeros_like(weight_M));
}

// What each token's loss is multiplied by, so that the sum over the step is the loss type's mean.
at::Tensor TokenWeights(const LossConfig& config, const LossInput& input, const LossNormaliser& normaliser) {
  switch (config.type) {
    case LossType::kGrpo:
    case LossType::kGspo:
      return (input.lengths_N * normaliser.rollouts).reciprocal().index_select(0, input.rollout_M);
    case LossType::kDapo:
    case LossType::kCispo:
      return at::full_like(input.advantages_M, 1.0 / normaliser.tokens);
    case LossType::kDrGrpo:
      return at::full_like(input.advantages_M,
                           1.0 / (normaliser.rollouts * static_cast<double>(config.max_completion_length)));
  }
  base::ThrowBug("unknown loss type");
}

}  // namespace

void Check(const LossConfig& config) {
  const bool token_sum =
      config.type == LossType::kDapo || config.type == LossType::kDrGrpo || config.type == LossType::kCispo;
  if (config.importance_sampling.mode != CorrectionMode::kNone &&
      config.importance_sampling.level == RatioLevel::kSequence && token_sum) {
    base::ThrowBadInput(
        "importance_sampling.level: sequence weights a rollout as a whole, which a token-sum loss (dapo, dr_grpo, "
        "cispo) "
        "counts once per token; use level: token, or loss_type grpo or gspo");
  }
  if (config.type == LossType::kGspo && config.importance_sampling.mode != CorrectionMode::kNone &&
      config.importance_sampling.level == RatioLevel::kToken) {
    base::ThrowBadInput(
        "importance_sampling.level: token weights would split the one ratio that loss_type gspo gives to a sequence; "
        "use "
        "level: sequence");
  }
  if (config.type == LossType::kDrGrpo && config.max_completion_length <= 0) {
    base::ThrowBadInput("loss_type: dr_grpo divides by max_completion_length, which must be positive");
  }
}

std::vector<std::optional<double>> Advantages(const std::vector<std::optional<double>>& rewards, ScaleRewards scale,
                                              double batch_std) {
  std::vector<std::optional<double>> advantages(rewards.size());
  double sum = 0, count = 0;
  for (const auto& reward : rewards) {
    if (reward) sum += *reward, ++count;
  }
  if (count < 2) return advantages;
  const double mean = sum / count;
  double squares = 0;
  for (const auto& reward : rewards) {
    if (reward) squares += (*reward - mean) * (*reward - mean);
  }
  double divisor = 1.0;
  if (scale == ScaleRewards::kGroup) divisor = std::sqrt(squares / (count - 1)) + kStdEpsilon;
  if (scale == ScaleRewards::kBatch) divisor = batch_std + kStdEpsilon;
  for (std::size_t i = 0; i < rewards.size(); ++i) {
    if (rewards[i]) advantages[i] = (*rewards[i] - mean) / divisor;
  }
  return advantages;
}

LossOutput GrpoLoss(const LossConfig& config, const LossInput& input, const LossNormaliser& normaliser) {
  const at::Tensor ratio_M = Ratio(config, input);
  at::Tensor objective_M;
  LossOutput output;
  {
    at::NoGradGuard no_grad;
    const at::Tensor value_M = ratio_M.detach();
    const at::Tensor positive_M = input.advantages_M > 0;
    output.ratio_max = value_M.max().item<double>();
    if (config.type == LossType::kCispo) {
      output.clipped_high = (value_M > config.epsilon_high).sum().item<double>();
    } else {
      // A bound counts where it binds: the lower one for negative advantages, the upper one for positive.
      output.clipped_low = ((value_M < 1 - config.epsilon) & (input.advantages_M < 0)).sum().item<double>();
      output.clipped_high = ((value_M > 1 + config.epsilon_high) & positive_M).sum().item<double>();
    }
  }
  if (config.type == LossType::kCispo) {
    objective_M = ratio_M.detach().clamp_max(config.epsilon_high) * input.advantages_M * input.logprobs_M;
  } else {
    objective_M = at::minimum(ratio_M * input.advantages_M,
                              ratio_M.clamp(1 - config.epsilon, 1 + config.epsilon_high) * input.advantages_M);
  }
  if (config.importance_sampling.mode != CorrectionMode::kNone) {
    objective_M = objective_M * CorrectionWeights(config.importance_sampling, input);
  }
  at::Tensor loss_M = -objective_M;
  if (input.ref_logprobs_M.defined()) {
    // k3 (Schulman, "Approximating KL divergence"): exp(d) - d - 1 with d = log ref - log policy.
    const at::Tensor difference_M = input.ref_logprobs_M - input.logprobs_M;
    const at::Tensor kl_M = difference_M.exp() - difference_M - 1;
    output.kl = kl_M.sum().item<double>();
    if (config.beta != 0) loss_M = loss_M + config.beta * kl_M;
  }
  output.loss = (loss_M * TokenWeights(config, input, normaliser)).sum();
  return output;
}

}  // namespace autodidact::learner
