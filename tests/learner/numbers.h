// Goldens as tensors.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "json/json.h"

namespace autodidact::learner {

// A list of numbers, fp32.
inline at::Tensor Numbers(const json::Json& values) {
  return at::tensor(values.get<std::vector<double>>(), at::kDouble).to(at::kFloat);
}

}  // namespace autodidact::learner
