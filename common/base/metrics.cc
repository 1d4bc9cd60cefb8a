#include "base/metrics.h"

namespace autodidact::base {

std::string PrefixClash(const Metrics& metrics) {
  for (const auto& [name, value] : metrics) {
    const auto next = metrics.lower_bound(name + "/");
    if (next != metrics.end() && next->first.starts_with(name + "/")) return name;
  }
  return {};
}

void MetricAccumulator::Add(std::string_view name, double value, double weight) {
  auto found = sums_.find(name);
  if (found == sums_.end()) found = sums_.emplace(std::string(name), Sum{}).first;
  found->second.weighted += value * weight;
  found->second.weight += weight;
}

Metrics MetricAccumulator::Means() const {
  Metrics means;
  for (const auto& [name, sum] : sums_) {
    if (sum.weight != 0) means[name] = sum.weighted / sum.weight;
  }
  return means;
}

}  // namespace autodidact::base
