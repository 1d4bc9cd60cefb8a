// Equations and inequalities. Private to the room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mathematics/node.h"
#include "mathematics/trial.h"

namespace autodidact::mathematics {

// Those that take any node give nothing for what they do not fit.

// The relation read from right to left.
Node Reversed(const Node& relation);

// S of "x ∈ S".
const Node* SetOfElement(const Node& node);

// The last side of "x = …", where the first is a name: a variable, words, or f(x).
const Node* ValueOfEquation(const Node& node);

// "x > a, x < b" and "x > a and x < b", in any order, as "a < x < b" where a is less than b.
std::optional<Node> Intersection(const Node& list, Trial& trial);

// The interval of "a < x ≤ b", "x > a", "a > x" or "|x| < a", where a and b are constants; of "x ≠ a"
// and "|x| > a" the union.
std::optional<Node> ToInterval(const Node& relation);
// (−∞, point) ∪ (point, ∞)
Node RealsWithout(const Node& point);
// An interval without points inside of it, as the intervals between them.
std::optional<Node> IntervalWithout(const Node& interval, const std::vector<Node>& points, Trial& trial);
Node Reals();
// Its variable; empty without one.
std::string VariableOf(const Node& relation);

// Whether two relations with one operator each are multiples of each other. Nothing where that cannot be evaluated.
std::optional<bool> SameMultiple(const Node& left, const Node& right, Trial& trial);

}  // namespace autodidact::mathematics
