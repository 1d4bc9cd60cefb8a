// AdamW with gradient clipping and a learning-rate schedule.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "collective/collective.h"
#include "learner/flat_parameters.h"
#include "learner/trainer_config.h"

namespace autodidact::learner {

// The learning rate of optimizer step `step` (from 0).
double LearningRateAt(const OptimizerConfig& config, std::int64_t step);

// The vectors of which each rank holds its share; of kMaster only where the weights themselves are not fp32.
enum class StateVector { kMaster, kFirstMoment, kSecondMoment };
const char* NameOf(StateVector vector);  // as in checkpoints: "master", "exp_avg", "exp_avg_sq"

// Loshchilov & Hutter, "Decoupled weight decay regularization" (ICLR 2019), over a FlatParameters. Moments, and the
// fp32 master of weights that are computed with in bf16, are sharded: each rank keeps and moves its share of the rows
// (Rajbhandari et al., "ZeRO", SC 2020, stage 1). The result has the same bits however many ranks share the work. One
// thread per rank; all ranks call Step and Collect together.
class AdamW {
 public:
  // The communicator must outlive it; null: the only rank.
  AdamW(OptimizerConfig config, FlatParameters& parameters, collective::Communicator* communicator = nullptr);

  struct StepInfo {
    double grad_norm = 0;  // before clipping
    double learning_rate = 0;
  };
  // Adds the gradient up over the ranks, clips it to max_grad_norm, moves the weights and sets the gradient to zero. A
  // gradient that is not finite throws Error(kBug) on all ranks and moves nothing.
  StepInfo Step();

  std::int64_t steps() const { return steps_; }
  std::vector<StateVector> vectors() const;
  // A copy of the whole vector on rank 0, in host memory; undefined on the others.
  at::Tensor Collect(StateVector vector) const;
  // Sets the count and this rank's share of each vector; `read` gives tensors by name, on any device.
  void Restore(std::int64_t steps, const std::function<at::Tensor(StateVector vector, const std::string& name)>& read);

 private:
  double GradientNorm() const;
  void Update(const StepInfo& info);
  at::Tensor Share(StateVector vector) const;

  OptimizerConfig config_;
  FlatParameters& parameters_;
  collective::Communicator* communicator_;
  std::int64_t begin_ = 0;  // this rank's share of the flat vector
  std::int64_t count_ = 0;
  at::Tensor master_;  // a view of the weights where they are fp32
  at::Tensor first_moment_;
  at::Tensor second_moment_;
  std::int64_t steps_ = 0;
};

}  // namespace autodidact::learner
