// What generation is configured by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace autodidact::engine {

// How tokens are drawn. The order is Hugging Face's: repetition penalty, temperature, top-k, top-p, min-p.
struct SamplingParams {
  float temperature = 1.0f;  // 0: greedy (log-probabilities are then those at temperature 1)
  std::int32_t top_k = 0;    // 0: off
  float top_p = 1.0f;        // 1: off
  float min_p = 0.0f;        // 0: off
  float repetition_penalty = 1.0f;
  std::int32_t max_new_tokens = 256;
  std::vector<std::string> stop_strings = {};  // the text ends before the first of them; the ids keep it
  std::vector<std::int32_t> stop_ids = {};     // beside the model's own end-of-text ids
};

struct EngineConfig {
  std::int64_t cache_tokens = 131072;  // keys and values kept, over all groups and rollouts
  std::int64_t max_rows = 1024;        // rollouts decoded at once
  bool generic_decoder = false;        // the libtorch path also where the CPU's own kernels would do (to compare)
};

}  // namespace autodidact::engine
