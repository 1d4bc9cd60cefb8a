// Templates with named places, as "Judge {response} by {criterion}".
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace autodidact::text {

struct Placeholder {
  std::string_view name;  // with its braces
  std::string_view value;
};

// Replaces every placeholder in one pass from left to right, so that what a value contains is never expanded itself.
std::string Substitute(std::string_view pattern, std::initializer_list<Placeholder> placeholders);

}  // namespace autodidact::text
