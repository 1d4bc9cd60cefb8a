// How much memory an engine takes, from its config alone: the engine's part of the memory plan.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "engine/engine.h"
#include "model/config.h"

namespace autodidact::engine {

// What it is asked for at most.
struct EngineShape {
  std::int64_t groups = 1;  // at once
  std::int64_t rollouts = 1;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  at::ScalarType type = at::kFloat;
  at::DeviceType device = at::kCPU;
};

// Bytes beside the weight set that it is given.
struct EngineMemory {
  std::int64_t packed_weights = 0;  // the CPU's own form of them
  std::int64_t cache = 0;           // keys and values
  std::int64_t working = 0;         // activations, copies for attention, logits

  std::int64_t total() const { return packed_weights + cache + working; }
};
EngineMemory PlanEngine(const model::ModelConfig& model, const EngineConfig& engine, const EngineShape& shape);

}  // namespace autodidact::engine
