// Limits, integrals, derivatives and series inside of answers, carried out. Private to the room.
#pragma once

#include <optional>

#include "mathematics/node.h"
#include "mathematics/trial.h"
#include "mathematics/zero.h"

namespace autodidact::mathematics {

// A limit, an integral, a derivative or a series.
bool IsCalculus(const Node& node);

// Whether an answer holds one.
bool HasCalculus(const Node& node);

// The answer with those in closed form that have one that is proven: derivatives, limits, integrals of entire
// functions, geometric series and a few others. What is not found, or is of something without a value, stays as it is.
Node Evaluated(Node node, Trial& trial);

// Functions up to a constant: "x^2 + C" and "\int 2x\,dx". The same where their derivatives are. Nothing where neither
// is one, or it is not known.
std::optional<bool> SameFamily(const Node& left, const Node& right, Trial& trial);

// Whether two expressions with sums or products up to a variable number of terms are equal for all numbers from the
// first on: where they are at the first, and where the next number adds the same to both (or multiplies both by the
// same). Nothing where that is not shown.
std::optional<bool> SameByInduction(const Node& left, const Node& right, Trial& trial);

}  // namespace autodidact::mathematics
