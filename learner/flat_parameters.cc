#include "learner/flat_parameters.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace autodidact::learner {

FlatParameters::FlatParameters(const model::WeightSet& weights) : config_(weights.config()) {
  for (const auto& [name, tensor] : weights.parameters()) order_.push_back(name);
  std::stable_partition(order_.begin(), order_.end(),
                        [&](const std::string& name) { return weights.at(name).dim() > 1; });
  std::int64_t total = 0;
  for (const std::string& name : order_) {
    total += weights.at(name).numel();
    if (weights.at(name).dim() > 1) decayed_ = total;
  }
  const auto options = at::TensorOptions().dtype(at::kFloat).device(weights.parameters().begin()->second.device());
  flat_ = at::empty({total}, options);
  grad_ = at::zeros({total}, options);
  at::NoGradGuard no_grad;
  std::int64_t offset = 0;
  for (const std::string& name : order_) {
    const at::Tensor& source = weights.at(name);
    at::Tensor view = flat_.narrow(0, offset, source.numel()).view(source.sizes());
    view.copy_(source);
    at::Tensor leaf = view.detach();
    leaf.requires_grad_(true);
    leaf.mutable_grad() = grad_.narrow(0, offset, source.numel()).view(source.sizes());
    parameters_[name] = leaf;
    offset += source.numel();
  }
}

model::SharedWeights FlatParameters::Snapshot(std::uint64_t version) const {
  return std::make_shared<const model::WeightSet>(config_, Unflatten(flat_.clone()), version);
}

model::Parameters FlatParameters::Unflatten(const at::Tensor& flat) const {
  AD_CHECK(flat.numel() == flat_.numel(), "a flat vector of {} numbers for {} weights", flat.numel(), flat_.numel());
  model::Parameters result;
  std::int64_t offset = 0;
  for (const std::string& name : order_) {
    const at::Tensor& shaped = parameters_.at(name);
    result[name] = flat.narrow(0, offset, shaped.numel()).view(shaped.sizes());
    offset += shaped.numel();
  }
  return result;
}

at::Tensor FlatParameters::Flatten(const model::Parameters& parameters) const {
  at::Tensor flat = at::empty_like(flat_);
  for (const auto& [name, view] : Unflatten(flat)) {
    const auto found = parameters.find(name);
    if (found == parameters.end() || found->second.sizes() != view.sizes()) {
      base::ThrowBadInput(base::Format("optimizer state: {} is missing or has another shape", name));
    }
    view.copy_(found->second);
  }
  return flat;
}

}  // namespace autodidact::learner
