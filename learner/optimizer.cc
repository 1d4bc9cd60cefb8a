#include "learner/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/check.h"

namespace autodidact::learner {

Schedule ScheduleNamed(const std::string& name) {
  if (name == "constant") return Schedule::kConstant;
  if (name == "linear") return Schedule::kLinear;
  if (name == "cosine") return Schedule::kCosine;
  base::ThrowBadInput("lr_scheduler: got \"" + name + "\", expected constant, linear or cosine");
}

double LearningRateAt(const OptimizerConfig& config, std::int64_t step) {
  if (step < config.warmup_steps) {
    return config.learning_rate * static_cast<double>(step + 1) / static_cast<double>(config.warmup_steps);
  }
  const double span = static_cast<double>(std::max<std::int64_t>(1, config.total_steps - config.warmup_steps));
  const double progress = std::min(1.0, static_cast<double>(step - config.warmup_steps) / span);
  double fraction = 1.0;
  if (config.schedule == Schedule::kLinear) fraction = 1.0 - progress;
  if (config.schedule == Schedule::kCosine) fraction = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return config.learning_rate * (config.final_fraction + (1.0 - config.final_fraction) * fraction);
}

AdamW::AdamW(OptimizerConfig config, FlatParameters& parameters)
    : config_(config),
      parameters_(parameters),
      first_moment_(at::zeros_like(parameters.flat())),
      second_moment_(at::zeros_like(parameters.flat())) {}

AdamW::StepInfo AdamW::Step() {
  at::NoGradGuard no_grad;
  StepInfo info;
  at::Tensor& grad = parameters_.grad();
  info.grad_norm = grad.norm().item<double>();
  AD_CHECK(std::isfinite(info.grad_norm), "the gradient of optimizer step {} is not finite", steps_);
  if (config_.max_grad_norm > 0 && info.grad_norm > config_.max_grad_norm) {
    grad.mul_(config_.max_grad_norm / (info.grad_norm + 1e-6));
  }
  info.learning_rate = LearningRateAt(config_, steps_);
  ++steps_;
  const std::int64_t split = parameters_.decayed_size();
  for (const bool decayed : {true, false}) {
    const std::int64_t begin = decayed ? 0 : split;
    const std::int64_t size = decayed ? split : parameters_.size() - split;
    if (size == 0) continue;
    std::vector<at::Tensor> weights = {parameters_.flat().narrow(0, begin, size)};
    std::vector<at::Tensor> grads = {grad.narrow(0, begin, size)};
    std::vector<at::Tensor> first = {first_moment_.narrow(0, begin, size)};
    std::vector<at::Tensor> second = {second_moment_.narrow(0, begin, size)};
    std::vector<at::Tensor> count = {at::full({}, static_cast<float>(steps_), grad.options())};
    at::_fused_adamw_(weights, grads, first, second, {}, count, info.learning_rate, config_.beta1, config_.beta2,
                      decayed ? config_.weight_decay : 0.0, config_.eps, /*amsgrad=*/false, /*maximize=*/false);
  }
  grad.zero_();
  return info;
}

void AdamW::Restore(std::int64_t steps, const at::Tensor& first_moment, const at::Tensor& second_moment) {
  AD_CHECK(first_moment.numel() == parameters_.size() && second_moment.numel() == parameters_.size(),
           "optimizer state of another size");
  steps_ = steps;
  first_moment_.copy_(first_moment);
  second_moment_.copy_(second_moment);
}

}  // namespace autodidact::learner
