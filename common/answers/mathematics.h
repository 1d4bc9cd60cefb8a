// Equality of answers as mathematics.
#pragma once

#include <string_view>

namespace autodidact::answers {

// Symmetric. Never throws; bounded in time by limits on length, depth and the size of numbers.
bool EqualMathematics(std::string_view left, std::string_view right);

}  // namespace autodidact::answers
