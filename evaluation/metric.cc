#include "evaluation/metric.h"

#include <algorithm>
#include <cmath>

#include "base/rng.h"

namespace autodidact::evaluation {
namespace {

std::optional<double> MeanOf(const std::vector<Share>& shares, const std::vector<std::uint16_t>& times) {
  Share sum;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    sum.part += shares[i].part * times[i];
    sum.whole += shares[i].whole * times[i];
  }
  if (sum.whole == 0) return std::nullopt;
  return std::clamp(sum.part / sum.whole, 0.0, 1.0);
}

double Percentile(const std::vector<double>& sorted, double at) {
  const double place = at * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

}  // namespace

Bootstrap::Bootstrap(std::size_t questions, std::uint64_t seed, int resamples)
    : once_(questions, 1), redraws_(questions == 0 ? 0 : static_cast<std::size_t>(resamples)) {
  for (std::size_t r = 0; r < redraws_.size(); ++r) {
    base::RandomWalk walk({seed, base::RandomStream::kEval, r, 0});
    redraws_[r].assign(questions, 0);
    for (std::size_t i = 0; i < questions; ++i) ++redraws_[r][walk.Below(questions)];
  }
}

Metric Bootstrap::Mean(const std::function<Share(std::size_t question)>& of) const {
  std::vector<Share> shares;
  for (std::size_t i = 0; i < once_.size(); ++i) shares.push_back(of(i));
  Metric metric;
  metric.value = MeanOf(shares, once_);
  if (!metric.value) return metric;
  std::vector<double> means;
  for (const auto& times : redraws_) {
    if (const auto mean = MeanOf(shares, times)) means.push_back(*mean);
  }
  if (means.empty()) return metric;
  std::sort(means.begin(), means.end());
  metric.low = Percentile(means, 0.025);
  metric.high = Percentile(means, 0.975);
  return metric;
}

}  // namespace autodidact::evaluation
