// The parts of a number's spelling. Private to the room.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/strings.h"

namespace autodidact::answers {

// A text in PlainSpelling, read at places. `at` goes to the end of what was read, and stays where nothing was.
class NumberText {
 public:
  explicit NumberText(std::string text) : text_(std::move(text)) {}

  const std::string& text() const { return text_; }

  char At(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
  bool Is(std::size_t at, std::string_view what) const {
    return std::string_view(text_).substr(at < text_.size() ? at : text_.size()).starts_with(what);
  }
  bool StartsNumber(std::size_t at) const {
    return base::IsDigit(At(at)) || (At(at) == '.' && base::IsDigit(At(at + 1)));
  }
  std::size_t DigitsEnd(std::size_t at) const;
  std::size_t SpacesEnd(std::size_t at) const;
  // The letters at `at`, in small.
  std::string Word(std::size_t at) const;
  // The command at `at`, with its backslash.
  std::string Command(std::size_t at) const;

  // Digits with separators, a point and decimals, an exponent; the value without separators. `part` becomes true where
  // they are no number: "1,2,3", "1.2.3", "0.33...".
  std::string Literal(std::size_t& at, bool& part) const;
  // "a/b" of a \frac of two numbers.
  bool HasFractionAt(std::size_t at) const { return Is(at, "\\frac") && FractionAt(at).has_value(); }
  std::optional<std::string> FractionAt(std::size_t& at) const;
  // The integer after the '^' at `at`.
  std::optional<std::string> Exponent(std::size_t& at) const;
  // The exponent of "× 10^n" and its kin after a number.
  std::optional<std::string> PowerOfTen(std::size_t& at) const;
  // The end of a degree sign at `at`.
  std::size_t DegreesEnd(std::size_t at) const;

 protected:
  const std::string text_;

 private:
  std::string GroupedDigits(std::size_t& at, bool& part) const;
  std::optional<std::string> Argument(std::size_t& at) const;
};

inline bool IsLetterOrDigit(char c) {
  return base::IsLetter(c) || base::IsDigit(c);
}

}  // namespace autodidact::answers
