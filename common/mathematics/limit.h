// Limits. Private to the room.
#pragma once

#include <optional>
#include <string>

#include "mathematics/node.h"
#include "mathematics/trial.h"

namespace autodidact::mathematics {

enum class Side { kBoth, kAbove, kBelow };

// The limit of an expression as its variable goes to a constant or to ±∞; at ±∞ the side is the one there is. From the
// first terms of its expansion in powers of the distance, whose coefficients are exact expressions: what is left out is
// proven to be smaller. Nothing where there is no limit, where it is not found so, or where it is not known whether a
// coefficient is zero.
std::optional<Node> LimitOf(const Node& node, const std::string& variable, const Node& target, Side side, Trial& trial);

}  // namespace autodidact::mathematics
