// Numerical evaluation with the rounding error carried along. Private to the room.
#pragma once

#include <complex>
#include <cstdint>
#include <optional>

#include "answers/math_node.h"

namespace autodidact::answers {

// A value and a bound of its absolute error (a first-order estimate, not a proof).
struct Approximate {
  std::complex<long double> value;
  long double error = 0;

  bool IsFinite() const;
};

// The value at a point: variables are real numbers of both signs that depend on their names and `point`. Principal
// branches, but real odd roots of negative numbers. Nothing for what cannot be evaluated; not finite where undefined.
std::optional<Approximate> NumericValue(const Node& node, std::uint32_t point);

// Whether the two cannot be told apart given their errors.
bool MayBeEqual(const Approximate& left, const Approximate& right);

Approximate Multiply(const Approximate& left, const Approximate& right);
Approximate Divide(const Approximate& left, const Approximate& right);

}  // namespace autodidact::answers
