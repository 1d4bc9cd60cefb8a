#include "model/device.h"

#include <memory>
#include <utility>

namespace autodidact::model {

SharedWeights OnDevice(const SharedWeights& weights, at::Device device) {
  if (device.is_cuda() && !device.has_index()) device = at::Device(at::kCUDA, 0);
  if (weights->parameters().begin()->second.device() == device) return weights;
  Parameters parameters;
  for (const auto& [name, tensor] : weights->parameters()) parameters[name] = tensor.to(device);
  return std::make_shared<const WeightSet>(weights->config(), std::move(parameters), weights->version());
}

}  // namespace autodidact::model
