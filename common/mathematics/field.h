// Evaluation of rational expressions in a prime field. Private to the room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "mathematics/node.h"
#include "mathematics/trial.h"

namespace autodidact::mathematics {

// Which of a trial's fields, and which of its points there.
struct FieldPlace {
  std::size_t field = 0;
  std::uint32_t point = 0;
  // Roots, functions and the like as further variables: one for each that has the same arguments there. Expressions
  // that are equal so are equal wherever they have a value; those that are not may still be.
  bool atoms = false;
};

// Each variable (and π and e, which no rational expression with rational coefficients can tell from variables) has a
// value that depends on its name. Nothing for expressions that are not rational, for a division by zero, and for
// expressions so large that a random prime might divide them.
std::optional<std::uint64_t> ValueInField(const Node& node, Trial& trial, const FieldPlace& place);

std::uint64_t MultiplyInField(std::uint64_t left, std::uint64_t right, const PrimeField& field);
std::optional<std::uint64_t> InverseInField(std::uint64_t value, const PrimeField& field);

}  // namespace autodidact::mathematics
