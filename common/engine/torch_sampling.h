// The sampler on whole batches of logits by libtorch, where the logits live on another device.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <vector>

#include "engine/sampling.h"

namespace autodidact::engine {

// The same distributions and random numbers as Sampler::Draw, one row of logits_NV (any device and floating dtype) per
// draw; the last bits differ. Blocks until the tokens are on the host. Throws Error(kBug) when a logit is not finite.
std::vector<DrawnToken> DrawRows(const at::Tensor& logits_NV, std::span<const DrawSpec* const> draws);

}  // namespace autodidact::engine
