// Prose with its formulas folded away. Private to the room.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace autodidact::answers {

// A text in which each formula ($…$, $$…$$, \(…\), \[…\], of equations below each other the last) is one character,
// kFormula, so that its words and sentences can be looked at by themselves.
class FlatText {
 public:
  static constexpr char kFormula = '\x02';

  explicit FlatText(std::string_view text);

  const std::string& flat() const { return flat_; }
  const std::string& small() const { return small_; }  // flat, in small letters

  // The part [begin, end) of flat() with its formulas' contents in their places, trimmed, without a closing full stop.
  std::string Restored(std::size_t begin, std::size_t end) const;

  // The end of the sentence or line that `at` is in: at its closing mark or line break.
  std::size_t SentenceEnd(std::size_t at) const;

  // The end of the value at `at`: formulas, numbers, letters and operators, and further ones after commas, "and" or
  // "or"; `at` where there is none.
  std::size_t ValueEnd(std::size_t at) const;

 private:
  bool StartsValue(std::size_t at) const;
  bool IsNumberInWords(std::size_t at, std::size_t end) const;
  std::size_t WordEnd(std::size_t at) const;
  std::size_t ValueTokenEnd(std::size_t at, std::size_t begin) const;
  char At(std::size_t at) const { return at < flat_.size() ? flat_[at] : '\0'; }

  std::string flat_;
  std::string small_;
  std::vector<std::string> formulas_;
};

}  // namespace autodidact::answers
