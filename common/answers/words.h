// The words of a FlatText. Private to the room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "answers/flat_text.h"
#include "base/strings.h"

namespace autodidact::answers {

struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
};

inline bool IsWordChar(char c) {
  return base::IsLetter(c) || base::IsDigit(c) || c == '\'' || c == FlatText::kFormula ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

// The words of a part of a text, without the marks around them.
inline std::vector<Part> Words(const std::string& small, Part part) {
  std::vector<Part> words;
  for (std::size_t at = part.begin; at < part.end;) {
    const std::size_t begin = at;
    while (at < part.end && IsWordChar(small[at])) ++at;
    if (at > begin) {
      words.push_back({begin, at});
    } else {
      ++at;
    }
  }
  return words;
}

// Whether one of the words is in the list.
template <class List>
bool HasAny(const std::string& small, Part part, const List& list) {
  const auto words = Words(small, part);
  return std::any_of(words.begin(), words.end(), [&](const Part& word) {
    return base::Contains(list, std::string_view(small).substr(word.begin, word.end - word.begin));
  });
}

}  // namespace autodidact::answers
