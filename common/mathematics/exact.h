// Exact rational values. Private to the room.
#pragma once

#include <flint/fmpq.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "mathematics/node.h"

namespace autodidact::mathematics {

// FLINT's rational number, owned.
class Rational {
 public:
  Rational() { fmpq_init(value_); }
  explicit Rational(std::int64_t integer) : Rational() { fmpq_set_si(value_, integer, 1); }
  ~Rational() { fmpq_clear(value_); }
  Rational(const Rational& other) : Rational() { fmpq_set(value_, other.value_); }
  Rational(Rational&& other) noexcept : Rational() { fmpq_swap(value_, other.value_); }
  Rational& operator=(Rational other) noexcept {
    fmpq_swap(value_, other.value_);
    return *this;
  }

  fmpq* Raw() { return value_; }
  const fmpq* Raw() const { return value_; }
  bool IsZero() const { return fmpq_is_zero(value_) != 0; }
  bool IsInteger() const { return fmpz_is_one(fmpq_denref(value_)) != 0; }
  int Sign() const { return fmpq_sgn(value_); }
  // Of numerator and denominator together.
  std::int64_t Bits() const;
  // The value where it is an integer of less than 2^62.
  std::optional<std::int64_t> AsInteger() const;

  friend bool operator==(const Rational& left, const Rational& right) {
    return fmpq_equal(left.value_, right.value_) != 0;
  }

 private:
  fmpq_t value_;
};

Rational PowerOfTen(std::size_t exponent);

// A number as it was written: mantissa · 10^exponent.
struct Decimal {
  Rational mantissa;
  std::int64_t exponent = 0;
};
Decimal ReadDecimal(std::string_view text);

// The value of a constant expression of numbers, + − · / ^ !, |·|, roundings, binomials, gcd, lcm, max and min. Nothing
// where that is not rational, is undefined, or has more than some ten thousand digits.
std::optional<Rational> ExactValue(const Node& node);

// The rational r of an expression that is r · π, as far as sums and rational factors show it; degrees among them.
std::optional<Rational> MultipleOfPi(const Node& node);

}  // namespace autodidact::mathematics
