// Whether constants are equal, proven. Private to the room.
#pragma once

#include <string_view>

#include "mathematics/node.h"
#include "mathematics/trial.h"

namespace autodidact::mathematics {

enum class ValueEquality {
  kSame,
  kDifferent,
  kUndecided,    // no value (a pole, 0/0), or none that could be told from the other's
  kUnsupported,  // not made of numbers and functions that can be evaluated
};

// Whether an expression without variables is zero. Its ball is made smaller until zero is not in it, or until it is
// smaller than what the expression could be if it were not zero: for algebraic numbers that is the bound of Burnikel,
// Funke, Mehlhorn and Schirra. With transcendental functions there is no such bound; there a margin of more than 300
// bits beyond the digits that the expression holds is taken for one.
ValueEquality CompareWithZero(const Node& node, Trial& trial);

// −log2 of that bound. Variables count as transcendental numbers.
double ZeroBoundOf(const Node& node, Trial& trial);

}  // namespace autodidact::mathematics
