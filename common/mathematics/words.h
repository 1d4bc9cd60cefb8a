// Answers in words: numbers, and the letters of several choices. Private to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace autodidact::mathematics {

// "twelve", "forty-two", "one hundred and five", "two thirds" as "12", "42", "105", "2/3", up to a million. Nothing for
// other words.
std::optional<std::string> NumberInWords(std::string_view words);

// "A, C", "(A) and (C)" and "A & C" as "AC": letters from A to J as they stand. Nothing for fewer than two of them and
// for any other text.
std::optional<std::string> LettersOfChoices(std::string_view text);

}  // namespace autodidact::mathematics
