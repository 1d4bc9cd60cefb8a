// JSON that people and models wrote: rows, lines of standard input, replies.
#pragma once

#include <string>
#include <string_view>

#include "json/json.h"

namespace autodidact::json {

// As Parse, but a key that an object repeats is an Error(kBadInput), and a number that would change in 64 bits or a
// double keeps its digits (see SpelledNumber).
Json ParseStrict(std::string_view text, const std::string& where);

// The digits of a number that ParseStrict kept as it was written; empty for any other value. To the JSON library such a
// value is binary data: is_number() is false and get<double>() fails. Dump, Describe and the getters of json.h know it.
std::string SpelledNumber(const Json& value);

// Whether the value is a number, kept by its digits or not.
bool IsNumber(const Json& value);
bool IsInteger(const Json& value);

}  // namespace autodidact::json
