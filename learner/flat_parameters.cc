#include "learner/flat_parameters.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace autodidact::learner {
namespace {

// Vectorised loops then meet the same elements in the same lanes wherever a share of the rows begins.
constexpr std::int64_t kAlignment = 64;
constexpr std::int64_t kLargestRow = std::int64_t{1} << 22;

std::int64_t RoundUp(std::int64_t count, std::int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

// Moves a leaf's bf16 gradient into its place of the fp32 sum and drops it, as soon as it is there: so the gradients of
// a backward pass never stand beside each other.
class AddToSum final : public torch::autograd::PostAccumulateGradHook {
 public:
  explicit AddToSum(at::Tensor sum) : sum_(std::move(sum)) {}
  void operator()(const torch::autograd::Variable& leaf) override {
    const at::NoGradGuard no_grad;
    sum_.add_(leaf.grad());
    leaf.mutable_grad().reset();
  }

 private:
  at::Tensor sum_;
};

}  // namespace

FlatParameters::FlatParameters(const model::WeightSet& weights, std::optional<at::Device> device)
    : config_(weights.config()) {
  const at::ScalarType type = weights.parameters().begin()->second.scalar_type();
  AD_CHECK(type == at::kFloat || type == at::kBFloat16, "weights cannot be trained in {}", c10::toString(type));
  std::int64_t total = 0;
  for (const bool matrices : {true, false}) {
    for (const auto& [name, tensor] : weights.parameters()) {
      if ((tensor.dim() > 1) != matrices) continue;
      places_.push_back({name, total});
      total += tensor.numel();
    }
    total = RoundUp(total, kAlignment);
    if (matrices) decayed_ = total;
  }
  // Depends on the model alone, so that norms are added up in the same order by any number of ranks.
  row_size_ = std::clamp(RoundUp(total / 64, kAlignment), kAlignment, kLargestRow);
  total = RoundUp(total, row_size_);
  const auto options = at::TensorOptions().device(device.value_or(weights.parameters().begin()->second.device()));
  flat_ = at::zeros({total}, options.dtype(type));
  grad_ = at::zeros({total}, options.dtype(at::kFloat));
  const at::NoGradGuard no_grad;
  for (const auto& [name, offset] : places_) {
    const at::Tensor& source = weights.at(name);
    const auto view = [&, at = offset](const at::Tensor& flat) {
      return flat.narrow(0, at, source.numel()).view(source.sizes());
    };
    view(flat_).copy_(source);
    at::Tensor leaf = view(flat_).detach();
    leaf.requires_grad_(true);
    if (type == at::kFloat) {
      leaf.mutable_grad() = view(grad_);
    } else {
      torch::autograd::impl::set_post_acc_grad_hooks(leaf, std::make_unique<AddToSum>(view(grad_)));
    }
    parameters_[name] = leaf;
  }
}

model::SharedWeights FlatParameters::Snapshot(std::uint64_t version, std::optional<at::Device> device) const {
  const at::NoGradGuard no_grad;
  const at::Tensor copy = flat_.to(device.value_or(flat_.device()), flat_.scalar_type(), false, /*copy=*/true);
  return std::make_shared<const model::WeightSet>(config_, Unflatten(copy), version);
}

model::Parameters FlatParameters::LendGradient(const model::WeightSet& weights) {
  const at::NoGradGuard no_grad;
  model::Parameters lent = Unflatten(grad_.view(type()).narrow(0, 0, size()));
  for (auto& [name, place] : lent) place.copy_(weights.at(name));
  return lent;
}

model::Parameters FlatParameters::Unflatten(const at::Tensor& flat) const {
  AD_CHECK(flat.numel() == flat_.numel(), "a flat vector of {} numbers for {} weights", flat.numel(), flat_.numel());
  model::Parameters result;
  for (const auto& [name, offset] : places_) {
    const at::Tensor& shaped = parameters_.at(name);
    result[name] = flat.narrow(0, offset, shaped.numel()).view(shaped.sizes());
  }
  return result;
}

void FlatParameters::FillPart(const at::Tensor& part, std::int64_t begin,
                              const std::function<at::Tensor(const std::string&)>& read) const {
  const at::NoGradGuard no_grad;
  part.zero_();
  const std::int64_t end = begin + part.numel();
  for (const auto& [name, offset] : places_) {
    const at::Tensor& shaped = parameters_.at(name);
    const std::int64_t first = std::max(begin, offset);
    const std::int64_t last = std::min(end, offset + shaped.numel());
    if (first >= last) continue;
    const at::Tensor source = read(name);
    if (source.sizes() != shaped.sizes()) {
      base::ThrowBadInput(
          base::Format("{} has {} numbers in another shape, the model's has {}", name, source.numel(), shaped.numel()));
    }
    part.narrow(0, first - begin, last - first).copy_(source.flatten().narrow(0, first - offset, last - first));
  }
}

}  // namespace autodidact::learner
