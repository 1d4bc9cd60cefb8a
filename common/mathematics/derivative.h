// Derivatives and simple antiderivatives of expressions. Private to the room.
#pragma once

#include <optional>
#include <string>

#include "mathematics/node.h"

namespace autodidact::mathematics {

// By the variable. Nothing for what has none everywhere it is looked at (roundings, remainders) or is not known.
std::optional<Node> Derivative(const Node& node, const std::string& variable);

// Of sums of powers of the variable, and of polynomials with an exponential, sine or cosine of a linear expression as a
// factor: functions that have values everywhere, so that the antiderivative's difference is the integral over any
// interval. Nothing for others.
std::optional<Node> Antiderivative(const Node& node, const std::string& variable);

}  // namespace autodidact::mathematics
