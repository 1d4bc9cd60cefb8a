// Whole numbers in texts. Private to the room.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace autodidact::answers {

// The last number of a text, as a whole and in one spelling: "-1234.5", "3/4", "1 1/2", "1.5e3" (also of 1.5·10³ and of
// 1.5 thousand), "50%", "11:30", "2^10"; without currency, thousands separators and units. Nothing when there is none,
// or when the last one is a part of more than a number: of 5√2, x², (2, 3), 8-3, 2024-01-02, 1.2.3.
std::optional<std::string> LastWholeNumber(std::string_view text);

// The number of a text that is nothing else but currency and a full stop: "$1,234.50" is "1234.50".
std::optional<std::string> PlainAmount(std::string_view text);

// Why a label is not one number, or nothing. Words around the number are allowed, and worked solutions (several lines,
// or more than a few words) may hold further ones before it.
std::string WhyNotOneNumber(std::string_view label);

}  // namespace autodidact::answers
