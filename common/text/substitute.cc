#include "text/substitute.h"

#include <algorithm>

namespace autodidact::text {

std::string Substitute(std::string_view pattern, std::initializer_list<Placeholder> placeholders) {
  std::string result;
  for (std::size_t at = 0; at < pattern.size();) {
    const auto* const hit = std::find_if(placeholders.begin(), placeholders.end(), [&](const Placeholder& placeholder) {
      return pattern.substr(at).starts_with(placeholder.name);
    });
    if (hit == placeholders.end()) {
      result.push_back(pattern[at++]);
    } else {
      result.append(hit->value);
      at += hit->name.size();
    }
  }
  return result;
}

}  // namespace autodidact::text
