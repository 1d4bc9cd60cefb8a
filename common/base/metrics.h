// Named numbers of one step. A name is never the prefix of another up to a slash ("reward" and "reward/mean" clash).
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace autodidact::base {

// Name to value, in the order of the names. A value type; one thread.
using Metrics = std::map<std::string, double>;

// The first name that is also a folder of another name, or nothing: several trackers store "a" and "a/b" in one place.
std::string PrefixClash(const Metrics& metrics);

// Gathers samples under names and reduces them to their means. One thread.
class MetricAccumulator {
 public:
  void Add(std::string_view name, double value, double weight = 1.0);
  // Weighted means of all that was added.
  Metrics Means() const;

 private:
  struct Sum {
    double weighted = 0;
    double weight = 0;
  };
  std::map<std::string, Sum, std::less<>> sums_;
};

}  // namespace autodidact::base
