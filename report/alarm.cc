#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/format.h"
#include "report/html.h"
#include "report/sections.h"

namespace autodidact::report {
namespace {

constexpr double kMost = 0.5;  // a share above this is most of them

const Series* Find(const Run& run, const char* name) {
  const auto found = run.metrics.find(name);
  return found == run.metrics.end() ? nullptr : &found->second;
}

double Sum(const Run& run, const char* name) {
  double sum = 0;
  if (const Series* series = Find(run, name)) {
    for (const double value : series->values) sum += std::isfinite(value) ? value : 0;
  }
  return sum;
}

struct Lack {
  const char* metric;
  const char* words;
  bool failed;  // there was no reward to learn from
};
constexpr Lack kLacks[] = {
    {"groups/not_sampled", "were not sampled", true},
    {"groups/no_reference", "have no reference", true},
    {"groups/no_reward", "have fewer than two rewards", true},
    {"groups/no_gradient", "reached no weight", false},
    {"groups/all_wrong", "have no reward above 0", false},
    {"groups/same_text", "are one text over and over", false},
    {"groups/all_equal", "have one reward for all rollouts", false},
    {"groups/all_right", "have the full reward for every rollout", false},
};

// "12 have no reference, 4 were not sampled", the most first.
std::string Lacks(const Run& run, bool only_failed) {
  std::vector<std::pair<double, const char*>> found;
  for (const Lack& lack : kLacks) {
    const double count = Sum(run, lack.metric);
    if (count > 0 && (lack.failed || !only_failed)) found.emplace_back(count, lack.words);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (const auto& [count, words] : found) text += base::Format("{}{:.0f} {}", text.empty() ? "" : ", ", count, words);
  return text;
}

std::optional<std::string> HowItEnded(const Outcome& outcome) {
  if (outcome.end == "empty") return "The run was ended: " + outcome.message;
  if (outcome.end == "failed") return "The run failed: " + outcome.message;
  if (outcome.end == "alarm") return "The run was ended by the collapse alarm.";
  return std::nullopt;
}

std::optional<std::string> WhatItTaught(const Run& run) {
  const Series* spread = Find(run, "groups/with_spread");
  if (!spread || spread->values.empty()) return std::nullopt;
  const auto steps = static_cast<double>(spread->values.size());
  const auto empty = static_cast<double>(
      std::count_if(spread->values.begin(), spread->values.end(), [](double n) { return !(n > 0); }));
  const std::string lacks = Lacks(run, false);
  if (empty == steps) {
    return base::Format(
        "Nothing was learned: in {:.0f} steps not one group had two rewards that differ. Of the groups, {}.", steps,
        lacks);
  }
  if (empty > kMost * steps) {
    return base::Format("{:.0f} of {:.0f} steps taught nothing. Of all groups, {}.", empty, steps, lacks);
  }
  return std::nullopt;
}

std::optional<std::string> WhatFailed(const Run& run) {
  double groups = Sum(run, "groups/with_spread"), failed = 0;
  for (const Lack& lack : kLacks) {
    groups += Sum(run, lack.metric);
    if (lack.failed) failed += Sum(run, lack.metric);
  }
  if (groups == 0 || failed <= kMost * groups) return std::nullopt;
  return base::Format("Most groups failed, {:.0f} of {:.0f}: {}.", failed, groups, Lacks(run, true));
}

std::optional<std::string> WhenItCollapsed(const Run& run) {
  const Series* alarm = Find(run, "collapse_alarm");
  if (!alarm) return std::nullopt;
  const auto fired = std::find_if(alarm->values.begin(), alarm->values.end(), [](double value) { return value > 0; });
  if (fired == alarm->values.end()) return std::nullopt;
  return base::Format(
      "The collapse alarm fired at step {:.0f}: answers to different prompts became one answer, so the reward no "
      "longer "
      "depends on the question.",
      alarm->steps[static_cast<std::size_t>(fired - alarm->values.begin())]);
}

}  // namespace

std::string AlarmBox(const Run& run) {
  std::string items;
  for (const auto& line : {HowItEnded(run.outcome), WhatItTaught(run), WhatFailed(run), WhenItCollapsed(run)}) {
    if (line) items += "<li>" + Escape(*line) + "</li>\n";
  }
  if (!items.empty()) {
    return "<div class=\"alarm\" role=\"alert\"><b>Something is wrong with this run</b>\n<ul>\n" + items +
           "</ul></div>\n";
  }
  if (run.outcome.end == "nothing_left") {
    return "<p class=\"notice\">" + Escape("The run was ended: " + run.outcome.message) + "</p>\n";
  }
  return {};
}

}  // namespace autodidact::report
