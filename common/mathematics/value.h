// Whether two scalar expressions have the same value, for all values of their variables. Private to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mathematics/node.h"
#include "mathematics/zero.h"

namespace autodidact::mathematics {

// A small rational, for exponents and the like; the denominator is positive.
using SmallRational = std::pair<std::int64_t, std::int64_t>;

// The value of a constant expression of integers, decimals and + − · / ^, while it is small.
std::optional<SmallRational> ToSmallRational(const Node& node);

// Whether two scalar expressions have the same value, for all values of their variables. Rational numbers are compared
// exactly, rational expressions in prime fields at random points (Schwartz and Zippel: wrong with a chance of less than
// 2^-50), other constants as balls (see CompareWithZero), and other expressions as balls at random points, near and
// far, positive and of both signs. Where both are real at enough points, those where neither is do not count.
ValueEquality SameValue(const Node& left, const Node& right, Trial& trial);

// Whether an expression has a value at all: 0/0, tan 90° and ∞ − ∞ have none. What cannot be evaluated is taken to have
// one: it is compared by its form.
bool HasValue(const Node& node, Trial& trial);

// Whether one constant is known to be less than the other.
bool IsLess(const Node& left, const Node& right, Trial& trial);

// Whether `decimal` is a decimal with many digits, as machines print them, to which `value` (a constant that is not
// itself written as a decimal) rounds: 4.123105625617661 and √17. Twelve significant digits are many; 0.333 is not 1/3.
bool IsRoundedTo(const Node& decimal, const Node& value, Trial& trial);

// Whether left = factor · right with one constant factor, which must be positive if `positive` is set: equations and
// inequalities that are multiples of each other. Nothing where that cannot be evaluated.
std::optional<bool> Proportional(const Node& left, const Node& right, bool positive, Trial& trial);

// ∞ and −∞ by their sign; 0 for what is neither.
int SignOfInfinity(const Node& node);

// Whether the tree holds a variable (other than constants and infinity).
bool HasVariables(const Node& node);

// The two values of an expression with ±: the same tree with + and with −. The same tree twice where it has none.
std::pair<Node, Node> Alternatives(const Node& node);
bool HasPlusMinus(const Node& node);

}  // namespace autodidact::mathematics
