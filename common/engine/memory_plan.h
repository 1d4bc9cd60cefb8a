// What an engine will hold, told before it is made.
#pragma once

#include <cstdint>
#include <string>

#include "engine/engine.h"
#include "model/config.h"

namespace autodidact::engine {

// Rows of logits held at once, by both decoders.
inline constexpr std::int64_t kHeadRows = 64;
// Prompts prefilled in one step hold at most this many tokens together (or are one).
inline constexpr std::int64_t kPrefillTokens = 4096;

// Bytes of the large blocks: what grows with the model, the cache or the batch. The weight set itself is not in it,
// since others may share it.
struct MemoryPlan {
  std::int64_t weight_bytes = 0;  // the decoder's own copy of the weights; 0: it reads the weight set
  std::int64_t cache_bytes = 0;   // keys and values; on the CPU's own kernels taken only as pages are first written
  std::int64_t cache_tokens = 0;
  std::int64_t max_rows = 0;
  bool own_kernels = false;

  std::int64_t bytes() const { return weight_bytes + cache_bytes; }
  // How many groups run at once when each has this prompt and all rollouts reach their limit. 0: not even one.
  std::int64_t GroupsThatFit(std::int64_t prompt_tokens, std::int64_t rollouts, std::int64_t new_tokens) const;
  // "cache of 65536 tokens in 906 MiB, weights repacked in 33 MiB, at most 1024 rollouts at once"
  std::string Describe() const;
};

// `element_bytes`: of the weights' dtype. own_kernels: weights in fp32 on the CPU, decoded by the kernels of cpu/.
MemoryPlan PlanMemory(const EngineConfig& config, const model::ModelConfig& model, bool own_kernels,
                      std::int64_t element_bytes);

}  // namespace autodidact::engine
