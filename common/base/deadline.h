// A point in time by which a wait ends. Every wait in the program takes one.
#pragma once

#include <algorithm>
#include <chrono>

namespace autodidact::base {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

class Deadline {
 public:
  explicit Deadline(Clock::time_point at) : at_(at) {}
  static Deadline In(Clock::duration duration) { return Deadline(Clock::now() + duration); }

  Clock::time_point at() const { return at_; }
  bool Passed() const { return Clock::now() >= at_; }
  // Never negative.
  Milliseconds Left() const {
    return std::max(Milliseconds(0), std::chrono::duration_cast<Milliseconds>(at_ - Clock::now()));
  }
  // The earlier of the two.
  Deadline Min(Deadline other) const { return at_ < other.at_ ? *this : other; }

 private:
  Clock::time_point at_;
};

// As configs give durations; fractions are cut to milliseconds.
inline Milliseconds Seconds(double seconds) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::duration<double>(seconds));
}

// Seconds since a point, for metrics.
inline double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace autodidact::base
