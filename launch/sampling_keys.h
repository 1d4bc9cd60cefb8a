// How tokens are drawn, as the YAML file says it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace autodidact::launch {

// How tokens are drawn; names as TRL's and Hugging Face's.
struct SamplingKeys {
  double temperature = 1.0;                  // 0: greedy
  std::int64_t top_k = 0;                    // 0: off
  double top_p = 1.0;                        // 1: off
  double min_p = 0.0;                        // 0: off
  double repetition_penalty = 1.0;           // 1: off
  std::int64_t max_completion_length = 256;  // tokens
  std::vector<std::string> stop = {};        // strings that end a completion
};

}  // namespace autodidact::launch
