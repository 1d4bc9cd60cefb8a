// Weights and memory of devices: the CPU or a GPU.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "model/weight_set.h"

namespace autodidact::model {

// The set itself where it lies on the device already, else a copy. A GPU without a number is the first. Blocks for the
// copying.
SharedWeights OnDevice(const SharedWeights& weights, at::Device device);

// The most that the allocator of a GPU has handed out at once since the process began; 0 for the CPU and in a build
// without CUDA.
std::int64_t PeakDeviceBytes(at::Device device);

}  // namespace autodidact::model
