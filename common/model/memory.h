// How much memory the model's computations take, from its config alone: the model's part of the memory plan.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>

#include "model/config.h"

namespace autodidact::model {

// All weights, in bytes.
std::int64_t WeightBytes(const ModelConfig& config, at::ScalarType type);

// What is computed at once in training: groups of a prompt and its completions, every completion as long as it may be.
struct PassShape {
  std::int64_t groups = 1;
  std::int64_t completions = 8;  // of each group
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  at::ScalarType type = at::kFloat;
  at::DeviceType device = at::kCPU;
  bool checkpoint = false;

  std::int64_t tokens() const { return groups * (prompt_tokens + completions * completion_tokens); }
};

// Bytes at the peak of a forward and backward pass, beside the weights and the sum of their gradients.
struct PassMemory {
  std::int64_t activations = 0;  // kept from the forward for the backward pass
  std::int64_t head = 0;         // then, in the backward pass of the LM head: logits, their gradients, the matrix's
  std::int64_t layer = 0;        // and after it in that of the last layer

  std::int64_t working() const { return std::max(head, layer); }
  std::int64_t total() const { return activations + working(); }
};
PassMemory TrainingPassMemory(const ModelConfig& config, const PassShape& shape);

// Rows of the LM head whose logits are held at once in training.
std::int64_t LogitRows(std::int64_t vocab_size, at::DeviceType device);

}  // namespace autodidact::model
