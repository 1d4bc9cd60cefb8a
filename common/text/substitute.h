// Templates with named places, as "Judge {response} by {criterion}".
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "text/span.h"

namespace autodidact::text {

struct Placeholder {
  std::string_view name;  // with its braces
  std::string_view value;
};

// Replaces every placeholder in one pass from left to right, so that what a value contains is never expanded itself.
std::string Substitute(std::string_view pattern, std::initializer_list<Placeholder> placeholders);

// A text with the ranges of it (in order, apart from each other) that come from outside of the config.
struct MarkedText {
  std::string text;
  std::vector<Span> foreign = {};
};

struct MarkedPlaceholder {
  std::string_view name;
  MarkedText value;
};

// All of it from outside.
MarkedText Foreign(std::string text);

// The same, and what comes from outside in the values does so in the result.
MarkedText SubstituteMarked(std::string_view pattern, const std::vector<MarkedPlaceholder>& placeholders);

// Appends a text with its marks.
void Append(const MarkedText& more, MarkedText* text);

}  // namespace autodidact::text
