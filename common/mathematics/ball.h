// Values as balls: a midpoint and a radius within which the true value is proven to lie. Private to the room.
#pragma once

#include <acb.h>

#include <cstdint>
#include <optional>

#include "mathematics/exact.h"
#include "mathematics/node.h"
#include "mathematics/trial.h"

namespace autodidact::mathematics {

// Arb's complex ball, owned. Not finite: the value is undefined, or nothing is known about it at this precision.
class Ball {
 public:
  Ball() { acb_init(value_); }
  explicit Ball(std::int64_t integer) : Ball() { acb_set_si(value_, integer); }
  ~Ball() { acb_clear(value_); }
  Ball(const Ball& other) : Ball() { acb_set(value_, other.value_); }
  Ball(Ball&& other) noexcept : Ball() { acb_swap(value_, other.value_); }
  Ball& operator=(Ball other) noexcept {
    acb_swap(value_, other.value_);
    return *this;
  }
  static Ball Undefined();

  acb_ptr Raw() { return value_; }
  acb_srcptr Raw() const { return value_; }
  bool IsFinite() const { return acb_is_finite(value_) != 0; }
  bool HasZero() const { return acb_contains_zero(value_) != 0; }
  // Known to be real, or real as far as can be seen.
  bool MayBeReal() const { return arb_contains_zero(acb_imagref(value_)) != 0; }
  // The logarithm to base 2 of the largest and the smallest absolute value in it; minus infinity of zero.
  double LogUpper() const;
  double LogLower() const;
  // Of the larger radius.
  double LogRadius() const;

 private:
  acb_t value_;
};

Ball Difference(const Ball& left, const Ball& right, slong precision);
Ball Quotient(const Ball& left, const Ball& right, slong precision);

// Where the variables of both sides of a comparison are: at which of the trial's random points, and how far out.
struct Point {
  std::uint32_t number = 0;
  bool positive = false;             // all of them; else of either sign
  int scale = 0;                     // distances from `centre` are about 2^scale
  const Rational* centre = nullptr;  // none: zero
  bool integer = false;              // from 1 to 8, or −8 to −1
};

// The value at a point, in binary digits of working precision. Principal branches, but real odd roots of negative
// numbers. Nothing for what cannot be evaluated: structures, unknown functions.
std::optional<Ball> BallValue(const Node& node, Trial& trial, const Point& point, slong precision);

}  // namespace autodidact::mathematics
