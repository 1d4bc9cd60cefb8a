#include "learner/optimizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "base/check.h"
#include "collective/rank_order.h"

namespace autodidact::learner {
namespace {

// Numbers of a state vector that travel to rank 0 at once.
constexpr std::int64_t kBlock = std::int64_t{1} << 24;

}  // namespace

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

const char* NameOf(StateVector vector) {
  switch (vector) {
    case StateVector::kMaster:
      return "master";
    case StateVector::kFirstMoment:
      return "exp_avg";
    case StateVector::kSecondMoment:
      return "exp_avg_sq";
  }
  base::ThrowBug("unknown vector of the optimizer");
}

AdamW::AdamW(OptimizerConfig config, FlatParameters& parameters, collective::Communicator* communicator)
    : config_(config), parameters_(parameters), communicator_(communicator) {
  const at::NoGradGuard no_grad;
  const collective::Slice rows =
      communicator ? collective::SliceOf(parameters.num_rows(), communicator->rank(), communicator->size())
                   : collective::Slice{0, parameters.num_rows()};
  begin_ = rows.begin * parameters.row_size();
  count_ = rows.count() * parameters.row_size();
  const at::Tensor weights = parameters.flat().narrow(0, begin_, count_);
  master_ = parameters.type() == at::kFloat ? weights : weights.to(at::kFloat);
  first_moment_ = at::zeros_like(master_);
  second_moment_ = at::zeros_like(master_);
}

AdamW::StepInfo AdamW::Step() {
  const at::NoGradGuard no_grad;
  at::Tensor grad_rows = parameters_.grad().view({-1, parameters_.row_size()});
  if (communicator_) communicator_->ReduceScatterSum(grad_rows);
  StepInfo info;
  info.grad_norm = GradientNorm();
  AD_CHECK(std::isfinite(info.grad_norm), "the gradient of optimizer step {} is not finite", steps_);
  info.learning_rate = LearningRateAt(config_, steps_);
  ++steps_;
  Update(info);
  if (parameters_.type() != at::kFloat) parameters_.flat().narrow(0, begin_, count_).copy_(master_);
  at::Tensor weight_rows = parameters_.flat().view({-1, parameters_.row_size()});
  if (communicator_) communicator_->AllGatherRows(weight_rows);
  parameters_.grad().zero_();
  return info;
}

// Rows are squared one by one and added up in their order, so that the sum does not depend on who has which.
double AdamW::GradientNorm() const {
  std::vector<at::Tensor> norms;
  const at::Tensor grad = parameters_.grad().narrow(0, begin_, count_);
  for (const at::Tensor& row : grad.split(parameters_.row_size())) {
    if (row.numel() > 0) norms.push_back(row.norm());
  }
  std::string mine;
  if (!norms.empty()) {
    const at::Tensor stacked = at::stack(norms).to(at::kCPU, at::kDouble);
    mine.assign(static_cast<const char*>(stacked.data_ptr()), stacked.nbytes());
  }
  double squares = 0;
  for (const std::string& bytes : communicator_ ? communicator_->AllGather(mine) : std::vector{mine}) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(double)) {
      double norm = 0;
      std::memcpy(&norm, bytes.data() + at, sizeof norm);
      squares += norm * norm;
    }
  }
  return std::sqrt(squares);
}

// Moves this rank's share of the master.
void AdamW::Update(const StepInfo& info) {
  at::Tensor grad = parameters_.grad().narrow(0, begin_, count_);
  if (config_.max_grad_norm > 0 && info.grad_norm > config_.max_grad_norm) {
    grad.mul_(config_.max_grad_norm / (info.grad_norm + 1e-6));
  }
  const std::int64_t split = std::clamp(parameters_.decayed_size() - begin_, std::int64_t{0}, count_);
  for (const bool decayed : {true, false}) {
    const std::int64_t first = decayed ? 0 : split;
    const std::int64_t size = decayed ? split : count_ - split;
    if (size == 0) continue;
    const auto part = [&](const at::Tensor& vector) { return std::vector{vector.narrow(0, first, size)}; };
    std::vector<at::Tensor> weights = part(master_);
    std::vector<at::Tensor> grads = part(grad);
    std::vector<at::Tensor> means = part(first_moment_);
    std::vector<at::Tensor> squares = part(second_moment_);
    std::vector<at::Tensor> count = {at::full({}, static_cast<float>(steps_), grad.options())};
    at::_fused_adamw_(weights, grads, means, squares, {}, count, info.learning_rate, config_.beta1, config_.beta2,
                      decayed ? config_.weight_decay : 0.0, config_.eps, /*amsgrad=*/false, /*maximize=*/false);
  }
}

std::vector<StateVector> AdamW::vectors() const {
  if (parameters_.type() == at::kFloat) return {StateVector::kFirstMoment, StateVector::kSecondMoment};
  return {StateVector::kMaster, StateVector::kFirstMoment, StateVector::kSecondMoment};
}

at::Tensor AdamW::Share(StateVector vector) const {
  if (vector == StateVector::kMaster) return master_;
  return vector == StateVector::kFirstMoment ? first_moment_ : second_moment_;
}

at::Tensor AdamW::Collect(StateVector vector) const {
  const at::NoGradGuard no_grad;
  const at::Tensor mine = Share(vector);
  if (!communicator_ || communicator_->size() == 1) return mine.to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
  const bool root = communicator_->rank() == 0;
  at::Tensor whole = root ? at::empty({parameters_.size()}, at::kFloat) : at::Tensor();
  // A block at a time, so that no other rank ever holds more than one.
  for (int rank = 0; rank < communicator_->size(); ++rank) {
    const collective::Slice rows = collective::SliceOf(parameters_.num_rows(), rank, communicator_->size());
    const std::int64_t row_size = parameters_.row_size();
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, kBlock / row_size);
    for (std::int64_t row = rows.begin; row < rows.end; row += rows_at_once) {
      const std::int64_t count = std::min(rows_at_once, rows.end - row) * row_size;
      at::Tensor block = rank == communicator_->rank() ? mine.narrow(0, row * row_size - begin_, count).clone()
                                                       : at::empty({count}, mine.options());
      communicator_->Broadcast(block, rank);
      if (root) whole.narrow(0, row * row_size, count).copy_(block);
    }
  }
  return whole;
}

void AdamW::Restore(std::int64_t steps,
                    const std::function<at::Tensor(StateVector vector, const std::string& name)>& read) {
  steps_ = steps;
  for (const StateVector vector : vectors()) {
    parameters_.FillPart(Share(vector), begin_, [&](const std::string& name) { return read(vector, name); });
  }
}

}  // namespace autodidact::learner
