// The trained weights as one flat fp32 vector, with gradients and optimizer state laid out alike.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "model/weight_set.h"

namespace autodidact::learner {

// Matrices (which weight decay touches) come first, then vectors. Each parameter is a view of the flat vector and its
// gradient a view of the flat gradient, so that one all-reduce, one norm and one optimizer call do for all. One thread.
class FlatParameters {
 public:
  // Copies the weights.
  explicit FlatParameters(const model::WeightSet& weights);
  FlatParameters(const FlatParameters&) = delete;
  FlatParameters& operator=(const FlatParameters&) = delete;

  const model::ModelConfig& config() const { return config_; }
  // Leaves that require gradients; backward() adds to grad().
  const model::Parameters& parameters() const { return parameters_; }
  at::Tensor& flat() { return flat_; }
  const at::Tensor& flat() const { return flat_; }
  at::Tensor& grad() { return grad_; }
  std::int64_t size() const { return flat_.numel(); }
  std::int64_t decayed_size() const { return decayed_; }

  // The weights of now, copied: nothing that happens later changes them.
  model::SharedWeights Snapshot(std::uint64_t version) const;

  // A flat vector laid out like flat() by name, and back: for optimizer state in checkpoints.
  model::Parameters Unflatten(const at::Tensor& flat) const;
  at::Tensor Flatten(const model::Parameters& parameters) const;

 private:
  model::ModelConfig config_;
  model::Parameters parameters_;
  std::vector<std::string> order_;  // names in the order of the layout
  at::Tensor flat_;
  at::Tensor grad_;
  std::int64_t decayed_ = 0;
};

}  // namespace autodidact::learner
