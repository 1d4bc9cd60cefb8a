// Equality of answers as mathematics.
#pragma once

#include <string_view>

namespace autodidact::mathematics {

enum class Sameness {
  kEqual,  // proven
  kUnequal,
  kUndecided,  // a number of theirs has no value (tan 90°, 0/0), or none that could be told from the other's
};

// Symmetric. Never throws; bounded in time by limits on length, depth, precision and the size of numbers.
Sameness Compare(std::string_view left, std::string_view right);
inline bool Equal(std::string_view left, std::string_view right) {
  return Compare(left, right) == Sameness::kEqual;
}

// Whether the answer says something that another could be equal to: \tan 90^\circ is equal to its own spelling only,
// and that says nothing.
bool SaysSomething(std::string_view answer);

}  // namespace autodidact::mathematics
