// Ranges of bytes of a text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

namespace autodidact::text {

// Half-open.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::string_view Of(std::string_view text) const { return text.substr(begin, end - begin); }
  bool operator==(const Span&) const = default;
};

// Whether a range shares a byte with one of the ranges, which are in order and apart from each other.
inline bool Overlaps(const Span& span, std::span<const Span> ranges) {
  const auto first =
      std::partition_point(ranges.begin(), ranges.end(), [&](const Span& range) { return range.end <= span.begin; });
  return first != ranges.end() && first->begin < span.end;
}

}  // namespace autodidact::text
