// Equations and inequalities. Private to the room.
#pragma once

#include <optional>
#include <string>

#include "answers/math_node.h"
#include "answers/math_trial.h"

namespace autodidact::answers {

// Those that take any node give nothing for what they do not fit.

// The relation read from right to left.
Node Reversed(const Node& relation);

// S of "x ∈ S".
const Node* SetOfElement(const Node& node);

// The last side of "x = …", where the first is a name: a variable, words, or f(x).
const Node* ValueOfEquation(const Node& node);

// The interval of "a < x ≤ b", "x > a" or "a > x", where a and b are constants; for "x ≠ a" the reals without a.
std::optional<Node> ToInterval(const Node& relation);
// (−∞, point) ∪ (point, ∞)
Node RealsWithout(const Node& point);
// Its variable; empty without one.
std::string VariableOf(const Node& relation);

// Whether two relations with one operator each are multiples of each other. Nothing where that cannot be evaluated.
std::optional<bool> SameMultiple(const Node& left, const Node& right, Trial& trial);

}  // namespace autodidact::answers
