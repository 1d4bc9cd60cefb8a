// Weights with a version: immutable once made, shared by everyone who computes with them.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "model/config.h"

namespace autodidact::model {

// Hugging Face parameter name -> tensor. A tied LM head has no entry of its own.
using Parameters = std::map<std::string, at::Tensor>;

// Immutable, hence thread-safe; always held by shared_ptr<const WeightSet>. Its tensors are never written to again:
// whoever makes one hands over tensors that nobody else writes.
class WeightSet {
 public:
  WeightSet(ModelConfig config, Parameters parameters, std::uint64_t version)
      : config_(std::move(config)), parameters_(std::move(parameters)), version_(version) {}

  const ModelConfig& config() const { return config_; }
  const Parameters& parameters() const { return parameters_; }
  std::uint64_t version() const { return version_; }
  // Throws Error(kBug) for a name that the model does not have.
  const at::Tensor& at(const std::string& name) const;

 private:
  ModelConfig config_;
  Parameters parameters_;
  std::uint64_t version_;
};

using SharedWeights = std::shared_ptr<const WeightSet>;

// Random weights as transformers initialises them: normal(0, initializer_range), norms at one (zero where they are
// 1 + w). The same seed gives the same weights on every machine.
Parameters InitialParameters(const ModelConfig& config, std::uint64_t seed, double initializer_range = 0.02);

}  // namespace autodidact::model
