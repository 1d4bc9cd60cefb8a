#include "text/substitute.h"

#include <algorithm>
#include <utility>

namespace autodidact::text {
namespace {

// Calls literal(character) and value(placeholder), from left to right.
template <class Placeholders, class Literal, class Value>
void Expand(std::string_view pattern, const Placeholders& placeholders, Literal literal, Value value) {
  for (std::size_t at = 0; at < pattern.size();) {
    const auto hit = std::find_if(placeholders.begin(), placeholders.end(), [&](const auto& placeholder) {
      return pattern.substr(at).starts_with(placeholder.name);
    });
    if (hit == placeholders.end()) {
      literal(pattern[at++]);
    } else {
      value(*hit);
      at += hit->name.size();
    }
  }
}

}  // namespace

std::string Substitute(std::string_view pattern, std::initializer_list<Placeholder> placeholders) {
  std::string result;
  Expand(
      pattern, placeholders, [&](char c) { result.push_back(c); },
      [&](const Placeholder& placeholder) { result.append(placeholder.value); });
  return result;
}

MarkedText Foreign(std::string text) {
  MarkedText marked{std::move(text)};
  if (!marked.text.empty()) marked.foreign.push_back({0, marked.text.size()});
  return marked;
}

MarkedText SubstituteMarked(std::string_view pattern, const std::vector<MarkedPlaceholder>& placeholders) {
  MarkedText result;
  Expand(
      pattern, placeholders, [&](char c) { result.text.push_back(c); },
      [&](const MarkedPlaceholder& placeholder) { Append(placeholder.value, &result); });
  return result;
}

void Append(const MarkedText& more, MarkedText* text) {
  const std::size_t offset = text->text.size();
  text->text += more.text;
  for (const Span& span : more.foreign) text->foreign.push_back({span.begin + offset, span.end + offset});
}

}  // namespace autodidact::text
