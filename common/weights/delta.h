// The lossless difference between two versions of the same bytes. At RL's learning rates hardly any bf16 value changes
// in a step, and of an fp32 value only the low bytes do, so it is much smaller than either.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace autodidact::weights {

// XOR of two ranges of the same size, its bytes regrouped by their place in a word of four, compressed by zstd.
std::string EncodeDelta(std::string_view base, std::string_view next);

// The inverse: `next` from base and the delta. Nothing when the delta does not decode to exactly base.size() bytes.
std::optional<std::string> ApplyDelta(std::string_view base, std::string_view delta);

}  // namespace autodidact::weights
