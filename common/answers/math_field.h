// Evaluation of rational expressions in a prime field. Private to the room.
#pragma once

#include <cstdint>
#include <optional>

#include "answers/math_node.h"

namespace autodidact::answers {

// A prime p with p % 4 == 1, so that −1 has a root: the imaginary unit is exact too.
struct PrimeField {
  std::uint64_t prime;
  std::uint64_t imaginary;  // squared: −1
};
inline constexpr PrimeField kFields[] = {{2305843009213693921, 583529827753931384},
                                         {2305843009213693693, 966685122347009555}};

// The value at a random point: each variable (and π and e, which no rational expression with rational coefficients
// can tell from variables) has a value that depends on its name and `point`. Nothing for expressions that are not
// rational, and for a division by zero.
std::optional<std::uint64_t> ValueInField(const Node& node, const PrimeField& field, std::uint32_t point);

std::uint64_t MultiplyInField(std::uint64_t left, std::uint64_t right, const PrimeField& field);
std::optional<std::uint64_t> InverseInField(std::uint64_t value, const PrimeField& field);

// 64 bits that depend on the name and the point alone.
std::uint64_t PointBits(const std::string& name, std::uint32_t point);

}  // namespace autodidact::answers
