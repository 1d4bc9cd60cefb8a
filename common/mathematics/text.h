// An answer's text before it becomes tokens. Private to the room.
#pragma once

#include <string>
#include <string_view>

namespace autodidact::mathematics {

// The text without what only sets it: dollar signs around it, \boxed{…}, bold signs, quotes, a final full stop.
std::string_view WithoutWrapping(std::string_view text);

// The same in LaTeX's own characters: other alphabets, raised and lowered digits, markup and spellings that mean the
// same are replaced.
std::string PlainMathematics(std::string_view text);

}  // namespace autodidact::mathematics
