#include "model/weight_set.h"

#include "base/error.h"
#include "base/format.h"
#include "base/rng.h"

namespace autodidact::model {

const at::Tensor& WeightSet::at(const std::string& name) const {
  const auto found = parameters_.find(name);
  if (found == parameters_.end()) base::ThrowBug(base::Format("the weights have no parameter \"{}\"", name));
  return found->second;
}

Parameters InitialParameters(const ModelConfig& config, std::uint64_t seed, double initializer_range) {
  Parameters parameters;
  std::uint64_t item = 0;
  for (const NamedShape& shape : ParameterShapes(config)) {
    at::Tensor tensor = at::zeros(shape.shape, at::kFloat);
    const bool is_norm = shape.name.ends_with("norm.weight");
    if (is_norm) {
      if (!config.norm_plus_one) tensor.fill_(1.0);
    } else if (!shape.name.ends_with(".bias")) {
      base::RandomWalk walk({.seed = seed, .stream = base::RandomStream::kInit, .item = item});
      float* values = tensor.mutable_data_ptr<float>();
      for (std::int64_t i = 0; i < tensor.numel(); ++i) {
        values[i] = static_cast<float>(initializer_range * walk.Normal());
      }
    }
    parameters.emplace(shape.name, std::move(tensor));
    ++item;
  }
  return parameters;
}

}  // namespace autodidact::model
