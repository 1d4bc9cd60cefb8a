// What an answer's tree says more simply. Private to the room.
#pragma once

#include <string>

#include "mathematics/node.h"

namespace autodidact::mathematics {

// Carries out what is to be carried out before answers are compared: sums and products of matrices, unions of finite
// sets, binomial coefficients over a small number, and approximations: "x = 2/7 ≈ 0.29" is "x = 2/7", "x ≈ 7" is
// "x = 7". What does not fit (matrices of different shapes, say) stays as it is. The tree grows by a bounded factor.
Node Folded(Node node);

// What a condition such as "k ∈ ℤ" is as a unit of the value that it stands with: it may be left out.
std::string ConditionName(const Node& condition);

}  // namespace autodidact::mathematics
