// The trained weights as one flat vector, with gradients and optimizer state laid out alike.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/weight_set.h"

namespace autodidact::learner {

// Matrices (which weight decay touches) come first, then vectors; the vector is padded with zeros so that it divides
// into rows(), the units that ranks share out among them. Each parameter is a view of the flat vector, so that one
// reduction, one norm and one optimizer call do for all. One thread.
class FlatParameters {
 public:
  // Copies the weights, to `device` (default: where they are). Their dtype (fp32 or bf16) is the one that is computed
  // in; gradients are added up in fp32.
  explicit FlatParameters(const model::WeightSet& weights, std::optional<at::Device> device = std::nullopt);
  FlatParameters(const FlatParameters&) = delete;
  FlatParameters& operator=(const FlatParameters&) = delete;

  const model::ModelConfig& config() const { return config_; }
  // Leaves that require gradients; backward() adds to grad().
  const model::Parameters& parameters() const { return parameters_; }
  at::Tensor& flat() { return flat_; }
  const at::Tensor& flat() const { return flat_; }
  at::Tensor& grad() { return grad_; }  // fp32
  at::ScalarType type() const { return flat_.scalar_type(); }
  std::int64_t size() const { return flat_.numel(); }
  std::int64_t decayed_size() const { return decayed_; }
  std::int64_t row_size() const { return row_size_; }
  std::int64_t num_rows() const { return size() / row_size_; }

  // The weights of now, copied to `device` (default: where they are): nothing that happens later changes them.
  model::SharedWeights Snapshot(std::uint64_t version, std::optional<at::Device> device = std::nullopt) const;

  // Other weights of the model, copied into the memory of the gradient: for as long as there is no gradient, until
  // grad().zero_().
  model::Parameters LendGradient(const model::WeightSet& weights);

  // Views by name of a flat vector laid out like flat().
  model::Parameters Unflatten(const at::Tensor& flat) const;
  // Fills `part`, which stands for the places [begin, begin + part.numel()) of a flat vector, from tensors by name
  // (asked for one after another, each once); padding becomes zero. Error(kBadInput) for another shape.
  void FillPart(const at::Tensor& part, std::int64_t begin,
                const std::function<at::Tensor(const std::string&)>& read) const;

 private:
  struct Place {
    std::string name;
    std::int64_t offset = 0;
  };

  model::ModelConfig config_;
  model::Parameters parameters_;
  std::vector<Place> places_;  // in the order of the layout
  at::Tensor flat_;
  at::Tensor grad_;
  std::int64_t decayed_ = 0;
  std::int64_t row_size_ = 1;
};

}  // namespace autodidact::learner
