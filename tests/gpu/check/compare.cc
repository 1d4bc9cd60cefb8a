#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "tests/gpu/check/check.h"

namespace autodidact::gpu_check {
namespace {

using json::Json;

std::vector<double> Logprobs(const Json& line) {
  std::vector<double> values;
  for (const Json& value : line.at("logprobs")) {
    if (!value.is_null()) values.push_back(value.get<double>());
  }
  return values;
}

struct Difference {
  double largest = 0;
  double sum = 0;
  std::size_t count = 0;

  void Add(double a, double b) {
    const double difference = std::abs(a - b);
    // Not a number is as far off as can be; std::max would drop it.
    largest = std::isfinite(difference) ? std::max(largest, difference) : INFINITY;
    sum += difference;
    ++count;
  }
  double mean() const { return count == 0 ? INFINITY : sum / static_cast<double>(count); }
};

// Of the last `b` values of each line of a (which may start earlier: with the prompt's) and all of b.
Difference TailDifference(const std::vector<Json>& a, const std::vector<Json>& b) {
  if (a.size() != b.size() || a.empty()) {
    base::ThrowBadInput(base::Format("lines are missing: {} and {}", a.size(), b.size()));
  }
  Difference difference;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::vector<double> left = Logprobs(a[i]);
    const std::vector<double> right = Logprobs(b[i]);
    if (left.size() < right.size()) base::ThrowBadInput("log-probabilities are missing or are not numbers");
    for (std::size_t t = 0; t < right.size(); ++t) {
      difference.Add(left[left.size() - right.size() + t], right[t]);
    }
  }
  return difference;
}

// What the device may be off: rounding of the format itself is seen on the CPU.
bool Within(const Difference& device, const Difference& cpu, double tolerance) {
  return std::isfinite(device.largest) && device.mean() <= std::max(tolerance, 2 * cpu.mean()) &&
         device.largest <= std::max(10 * tolerance, 2 * cpu.largest);
}

}  // namespace

Finding CompareScores(const std::vector<Json>& exact, const std::vector<Json>& cpu, const std::vector<Json>& device,
                      double tolerance) {
  const Difference of_cpu = TailDifference(exact, cpu);
  const Difference of_device = TailDifference(exact, device);
  Finding finding;
  finding.figures = {{"tokens", of_device.count},
                     {"mean_difference", of_device.mean()},
                     {"largest_difference", of_device.largest},
                     {"mean_difference_of_cpu", of_cpu.mean()},
                     {"largest_difference_of_cpu", of_cpu.largest}};
  if (!Within(of_device, of_cpu, tolerance)) {
    finding.fault = base::Format("log-probabilities differ by {:.2g} in the mean and {:.2g} at most", of_device.mean(),
                                 of_device.largest);
  }
  return finding;
}

Finding CompareGreedy(const Generated& cpu, const Generated& device, double tolerance) {
  const Difference of_cpu = TailDifference(cpu.scores, cpu.lines);
  const Difference of_device = TailDifference(device.scores, device.lines);
  std::size_t tokens = 0, equal = 0;
  Difference at_parting;
  for (std::size_t i = 0; i < cpu.lines.size() && i < device.lines.size(); ++i) {
    const Json& left = cpu.lines[i].at("ids");
    const Json& right = device.lines[i].at("ids");
    const std::size_t shortest = std::min(left.size(), right.size());
    std::size_t t = 0;
    while (t < shortest && left[t] == right[t]) ++t;
    tokens += std::max(left.size(), right.size());
    equal += t;
    if (t < shortest) at_parting.Add(Logprobs(cpu.lines[i])[t], Logprobs(device.lines[i])[t]);
  }
  Finding finding;
  finding.figures = {{"tokens", tokens},
                     {"equal_tokens", equal},
                     {"partings", at_parting.count},
                     {"largest_difference_at_parting", at_parting.largest},
                     {"mean_difference", of_device.mean()},
                     {"largest_difference", of_device.largest},
                     {"mean_difference_of_cpu", of_cpu.mean()}};
  if (cpu.lines.size() != device.lines.size() || tokens == 0) {
    finding.fault = "completions are missing";
  } else if (!Within(of_device, of_cpu, tolerance)) {
    finding.fault = base::Format(
        "the log-probabilities of its own tokens are off by {:.2g} in the mean and {:.2g} at "
        "most",
        of_device.mean(), of_device.largest);
  } else if (at_parting.largest > std::max(10 * tolerance, 2 * of_cpu.largest)) {
    finding.fault = base::Format("greedy tokens differ where one is likelier by {:.2g}", at_parting.largest);
  }
  return finding;
}

Finding CompareSteps(const Json& cpu, const Json& device, double tolerance) {
  Finding finding;
  for (const char* name : {"loss", "kl", "entropy", "grad_norm"}) {
    const double expected = cpu.at(name).get<double>();
    const double found = device.at(name).is_number() ? device.at(name).get<double>() : NAN;
    const double difference = std::abs(found - expected) / std::max(std::abs(expected), 1e-3);
    finding.figures[name] = {{"cpu", expected}, {"device", found}, {"relative_difference", difference}};
    if (!(difference <= tolerance) && finding.fault.empty()) {
      finding.fault = base::Format("{} is {:.6g}, on the CPU {:.6g}", name, found, expected);
    }
  }
  return finding;
}

}  // namespace autodidact::gpu_check
