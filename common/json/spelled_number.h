// Numbers that 64 bits or a double cannot hold as they are written. Private to the room.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "json/strict.h"

namespace autodidact::json {

// Puts a zero, and spaces up to the same length, in the place of each such number of a JSON text; returns their digits
// by the place of the number among all numbers of the text, from 0. Of a text that is not JSON it takes what looks like
// one: the text stays as wrong as it was.
std::map<std::size_t, std::string> TakeSpelledNumbers(std::string& text);

// A value that holds the digits.
Json SpelledValue(const std::string& digits);

}  // namespace autodidact::json
