// Characters on whose properties the Unicode versions in use differ. The `tokenizers` package splits by Unicode 16 and
// normalizes by Unicode 9; PCRE2 and utf8proc come with whatever version the system has. Ids must not depend on that.
#pragma once

#include <span>
#include <string_view>

namespace autodidact::text {

// The members of a general category ("L", "Nd") or script ("Han") that were added in Unicode 15 to 16, as the inside of
// a bracket expression; empty when there are none.
std::string_view NewMembers(std::string_view property);

struct CharRange {
  char32_t first;
  char32_t last;
};

// Marks and characters with a decomposition that came after Unicode 9, in ascending order. Under Unicode 9 they neither
// move, nor compose, nor decompose. U+11A7 stands among them: it is no jamo, but utf8proc lets Hangul swallow it.
std::span<const CharRange> InertForNormalization();

}  // namespace autodidact::text
