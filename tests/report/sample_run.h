// A run's folder with everything that a report shows, made by hand.
#pragma once

#include <cmath>
#include <filesystem>
#include <string>

#include "base/format.h"
#include "json/json.h"

namespace autodidact::report {

inline std::string SampleMetrics(int steps) {
  std::string lines;
  for (int step = 1; step <= steps; ++step) {
    const double t = static_cast<double>(step) / steps;
    json::Json line = {{"step", step},
                       {"reward", 0.2 + 0.6 * t + 0.03 * std::sin(9 * t)},
                       {"reward_std", 0.3 - 0.1 * t},
                       {"kl", 0.002 * t * t},
                       {"entropy", 2.1 - 0.8 * t},
                       {"loss", 0.01 * std::cos(7 * t)},
                       {"grad_norm", 0.4 + 0.2 * std::sin(20 * t)},
                       {"step_time", 3.2 + 0.3 * std::sin(31 * t)},
                       {"completions/mean_length", 42 - 9 * t},
                       {"completions/min_length", 12 - 3 * t},
                       {"completions/max_length", 90 - 20 * t},
                       {"completions/no_answer", 0.1 - 0.1 * t},
                       {"frac_reward_zero_std", 0.4 * t},
                       {"accuracy/rollouts", 0.1 + 0.5 * t},
                       {"accuracy/reference", 0.4 + 0.4 * t},
                       {"accuracy/majority", 0.2 + 0.5 * t},
                       {"anchor/agreement", 0.4 + 0.5 * t},
                       {"anchor/failed", 0.05},
                       {"judge/no_reward", 0.01},
                       {"groups/dropped", step % 5 == 0 ? 1 : 0},
                       {"groups/received", 8},
                       {"diversity/similarity_within", 0.5 + 0.3 * t},
                       {"diversity/similarity_across", 0.2 + 0.1 * t},
                       {"diversity/kappa", 0.4 + 0.3 * t},
                       {"collapse_alarm", 0}};
    if (step % 4 == 0) {
      line["eval/single"] = 0.1 + 0.5 * t;
      line["eval/greedy"] = 0.15 + 0.5 * t;
    }
    lines += json::Dump(line) + "\n";
  }
  return lines;
}

inline std::string SampleGroups(int step) {
  std::string lines;
  for (int g = 0; g < 2; ++g) {
    const json::Json group = {
        {"step", step},
        {"ticket", 2 * step + g},
        {"id", "row-<b>" + std::to_string(g) + "</b>"},
        {"prompt", "Describe the place.</pre></details> name = The Vaults; food = French <img src=x onerror=alert(1)>"},
        {"completions", {"<script>alert(1)</script> The Vaults serves French food.", "A pub & a \"bar\"."}},
        {"stop_reasons", {"eos", "length"}},
        {"num_tokens", {14, 9}},
        {"rewards", {0.5, nullptr}},
        {"reward_failures", {nullptr, "too few verdicts <script>"}},
        {"advantages", {1.0, -1.0}},
        {"reference", "The Vaults is a French pub.<script>"},
        {"reference_generation", "## Answer\nThe Vaults is a French pub.<script>"},
        {"rubric", {"says that the food is French", "gives the name <img>"}},
        {"rubric_points", {1, -3}},
        {"failure", nullptr},
        {"verdicts",
         {{{"rollout", 0}, {"criterion", 0}, {"verdict", "met"}, {"reason", ""}},
          {{"rollout", 0}, {"criterion", 1}, {"verdict", "not_met"}, {"reason", "<script>"}},
          {{"rollout", 1}, {"criterion", 0}, {"verdict", "invalid"}, {"reason", "no answer"}}}}};
    lines += json::Dump(group) + "\n";
  }
  return lines;
}

// metrics.jsonl of twelve steps (or so many), rollouts of each, config.yaml and eval.json.
inline void WriteSampleRun(const std::filesystem::path& folder, int steps = 12) {
  std::filesystem::create_directories(folder / "rollouts");
  json::WriteFile(folder / "metrics.jsonl", SampleMetrics(steps));
  for (int step = 1; step <= steps; ++step) {
    json::WriteFile(folder / "rollouts" / base::Format("step_{:06}.jsonl", step), SampleGroups(step));
  }
  json::WriteFile(folder / "config.yaml", "name: sample\nestimator: synthesis\nmodel: base\nlearning_rate: 1e-4\n");
  json::Json figures = {{"single", 0.31}, {"greedy", 0.42}, {"questions", 60}};
  json::Json intervals = {{"single", {0.27, 0.35}}, {"greedy", {0.35, 0.49}}};
  for (const char* name : {"majority", "synthesis", "min_perplexity", "self_select", "mutual_predictability", "pass"}) {
    for (const char* size : {"1", "2", "4", "8", "16"}) {
      const double value = 0.3 + 0.02 * std::stod(size);
      figures[name][size] = value;
      intervals[name][size] = {value - 0.05, value + 0.05};
    }
  }
  figures["disagreement"] = {{"synthesis", {{"1", nullptr}, {"8", 0.7}}}};
  figures["intervals"] = intervals;
  json::WriteFile(folder / "eval.json", figures.dump(2) + "\n");
}

}  // namespace autodidact::report
