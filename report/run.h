// What a run has written, as far as it got.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "json/json.h"

namespace autodidact::report {

// A metric at the steps at which it was written; a value that was not finite is NaN.
struct Series {
  std::vector<double> steps;
  std::vector<double> values;
};

// The groups of one step, as rollouts/step_NNNNNN.jsonl holds them.
struct StepGroups {
  std::int64_t step = 0;
  std::vector<json::Json> groups;
};

struct Evaluation {
  std::string name;  // the file's
  json::Json figures;
};

// outcome.json: how the run ended ("finished", "nothing_left", "stopped", "alarm", "empty", "failed"), and what was
// wrong. Empty while it runs, and when it was killed.
struct Outcome {
  std::string end;
  std::string message;
};

struct Run {
  std::string name;
  std::int64_t num_steps = 0;  // lines of metrics
  std::map<std::string, Series> metrics;
  std::vector<StepGroups> rollouts;  // of the first, the middle and the last step that have any
  std::vector<Evaluation> evaluations;
  Outcome outcome;
  std::string config;                // config.yaml; empty: there is none
  std::vector<std::string> notices;  // what is missing or cut off
};

// Reads RUN/{metrics.jsonl, outcome.json, rollouts/, config.yaml, *.json of `eval`} and further evaluations. A last
// line of metrics that is not whole, a file of rollouts that cannot be read, and a missing config give a notice.
// Error(kBadInput): no metrics.jsonl, another of its lines that is not an object with a step, or an evaluation that is
// none.
Run ReadRun(const std::filesystem::path& folder, const std::vector<std::filesystem::path>& evaluations = {});

// The value of an unindented key of the config ("estimator: majority"), or nothing.
std::string ConfigValue(const std::string& config, const std::string& key);

}  // namespace autodidact::report
