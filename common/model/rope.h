// Rotary position embeddings, as transformers computes them.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "model/config.h"

namespace autodidact::model {

// Shape letters: P positions, D head_dim.
struct RopeTable {
  at::Tensor cos_PD;  // [P, D / 2], fp32
  at::Tensor sin_PD;
};

// The D / 2 angles per position, fp32 on the CPU, in the same operations and order as transformers, so that long
// positions agree to the last bit.
at::Tensor InverseFrequencies(const RopeConfig& rope, std::int64_t head_dim);

// Rows for positions 0 … num_positions - 1.
RopeTable MakeRopeTable(const RopeConfig& rope, std::int64_t head_dim, std::int64_t num_positions, at::Device device);

}  // namespace autodidact::model
