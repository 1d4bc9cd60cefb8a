// How tokens are drawn, as the YAML file says it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/config/rules.h"

namespace autodidact::launch {

// How tokens are drawn; names as TRL's and Hugging Face's.
struct SamplingKeys {
  double temperature = 1.0;
  std::int64_t top_k = 0;
  double top_p = 1.0;
  double min_p = 0.0;
  double repetition_penalty = 1.0;
  std::int64_t max_completion_length = 256;
  std::vector<std::string> stop = {};
};

// Of the config and of the command line.
inline constexpr Real kTemperature{.least = 1e-6, .most = 1e6, .unit = "0: greedy", .or_zero = true};
inline constexpr Whole kTopK{0, 1 << 24, "0: off"};
inline constexpr Real kTopP{1e-6, 1, "1: off"};
inline constexpr Real kMinP{0, 1, "0: off"};
inline constexpr Real kRepetitionPenalty{1e-3, 1e3, "1: off"};
inline constexpr Whole kTokens{1, 1 << 22, "tokens"};

template <class V>
void Describe(V& v, SamplingKeys& c) {
  v("temperature", c.temperature, kTemperature, "Logits are divided by it; the higher, the more varied. 0: greedy.");
  v("top_k", c.top_k, kTopK, "Only the so many likeliest tokens can be drawn. 0: all.");
  v("top_p", c.top_p, kTopP, "Only the likeliest tokens that together have this probability can be drawn. 1: all.");
  v("min_p", c.min_p, kMinP, "Only tokens with this share of the likeliest one's probability can be drawn. 0: all.");
  v("repetition_penalty", c.repetition_penalty, kRepetitionPenalty,
    "Above 1, tokens of the prompt and of the completion become less likely. 1: off.");
  v("max_completion_length", c.max_completion_length, kTokens, "A completion is cut after so many tokens.");
  v("stop", c.stop, "Texts that end a completion; they are no part of it.");
}

}  // namespace autodidact::launch
