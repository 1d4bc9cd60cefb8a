// AdamW with gradient clipping and a learning-rate schedule.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "learner/flat_parameters.h"

namespace autodidact::learner {

enum class Schedule { kConstant, kLinear, kCosine };
// "constant", "linear", "cosine"; Error(kBadInput) listing them otherwise.
Schedule ScheduleNamed(const std::string& name);

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

// The learning rate of optimizer step `step` (from 0).
double LearningRateAt(const OptimizerConfig& config, std::int64_t step);

// Loshchilov & Hutter, "Decoupled weight decay regularization" (ICLR 2019), over a FlatParameters. One thread.
class AdamW {
 public:
  AdamW(OptimizerConfig config, FlatParameters& parameters);

  struct StepInfo {
    double grad_norm = 0;  // before clipping
    double learning_rate = 0;
  };
  // Clips the gradient to max_grad_norm, moves the weights, sets the gradient to zero. A gradient that is not finite
  // throws Error(kBug) and moves nothing.
  StepInfo Step();

  std::int64_t steps() const { return steps_; }
  const at::Tensor& first_moment() const { return first_moment_; }
  const at::Tensor& second_moment() const { return second_moment_; }
  void Restore(std::int64_t steps, const at::Tensor& first_moment, const at::Tensor& second_moment);

 private:
  OptimizerConfig config_;
  FlatParameters& parameters_;
  at::Tensor first_moment_;
  at::Tensor second_moment_;
  std::int64_t steps_ = 0;
};

}  // namespace autodidact::learner
