// Means over questions with their confidence intervals.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace autodidact::evaluation {

// A mean in [0, 1] with its 95 % confidence interval. Nothing (null, "-", left out) where nothing was measured.
struct Metric {
  std::optional<double> value;
  std::optional<double> low;
  std::optional<double> high;
};

using MetricsByGroup = std::map<int, Metric>;  // by group size

// What one question adds to a mean: `part` of `whole`; nothing where it was not measured.
struct Share {
  double part = 0;
  double whole = 0;

  static Share Of(std::optional<double> value) { return value ? Share{*value, 1} : Share{}; }
  static Share Of(bool holds) { return {holds ? 1.0 : 0.0, 1}; }
};

// Intervals by the bootstrap over questions: percentiles of `resamples` redraws, keyed by the seed; 0: no intervals.
class Bootstrap {
 public:
  Bootstrap(std::size_t questions, std::uint64_t seed, int resamples);

  // `of` is asked for every question, by its number.
  Metric Mean(const std::function<Share(std::size_t question)>& of) const;

 private:
  const std::vector<std::uint16_t> once_;
  std::vector<std::vector<std::uint16_t>> redraws_;  // how often each question is drawn
};

}  // namespace autodidact::evaluation
