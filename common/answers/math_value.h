// Whether two scalar expressions have the same value, for all values of their variables. Private to the room.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "answers/math_node.h"

namespace autodidact::answers {

// A small rational, for exponents and the like; the denominator is positive.
using SmallRational = std::pair<std::int64_t, std::int64_t>;

// The value of a constant expression of integers, decimals and + − · / ^, while it is small.
std::optional<SmallRational> ToSmallRational(const Node& node);

// Equal, unequal, or nothing where the expressions cannot be evaluated (structures, unknown functions, undefined
// everywhere). Rational expressions are compared in two prime fields at random points: equal there means equal
// (Schwartz and Zippel) but for a chance of about 2^-100. Others are compared numerically at several points, real and
// of both signs, within the rounding error that is carried along with every value.
std::optional<bool> SameValue(const Node& left, const Node& right);

// Whether `decimal` is a decimal with many digits, as machines print them, to which `value` (a constant that is not
// itself written as a decimal) rounds: 4.123105625617661 and √17. Twelve significant digits are many; 0.333 is not 1/3.
bool IsRoundedTo(const Node& decimal, const Node& value);

// Whether left = factor · right with one constant factor, which must be positive if `positive` is set: equations and
// inequalities that are multiples of each other.
std::optional<bool> Proportional(const Node& left, const Node& right, bool positive);

// Whether the tree holds a variable (other than constants and infinity).
bool HasVariables(const Node& node);

// The two values of an expression with ±: the same tree with + and with −. The same tree twice where it has none.
std::pair<Node, Node> Alternatives(const Node& node);
bool HasPlusMinus(const Node& node);

}  // namespace autodidact::answers
