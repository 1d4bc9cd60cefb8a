#include "report/run.h"

#include <algorithm>
#include <limits>
#include <set>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "base/format.h"

namespace autodidact::report {
namespace {

namespace fs = std::filesystem;
using json::Json;

void AddLine(const Json& line, const std::string& where, Run& run) {
  const auto step = static_cast<double>(json::GetInteger(line, "step", where));
  ++run.num_steps;
  for (const auto& [name, value] : line.items()) {
    if (name == "step" || !(value.is_number() || value.is_null())) continue;
    Series& series = run.metrics[name];
    series.steps.push_back(step);
    series.values.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  }
}

void ReadMetrics(const fs::path& file, Run& run) {
  if (!fs::exists(file)) base::ThrowBadInput(file.string() + ": there is no such file; is this the folder of a run?");
  const std::string bytes = json::ReadFile(file);
  std::string_view rest = bytes;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view text = rest.substr(0, end);
    const std::string where = base::Format("{}:{}", file.string(), number);
    if (end == std::string_view::npos) {
      run.notices.push_back(
          base::Format("The last line of metrics.jsonl (line {}) is not whole and was left out: the "
                       "run was cut off while writing it, or is writing it now.",
                       number));
      break;
    }
    rest.remove_prefix(end + 1);
    AddLine(json::Parse(text, where), where, run);
  }
  if (run.num_steps == 0) run.notices.push_back("The run has not finished a step yet.");
}

std::vector<Json> ReadGroups(const fs::path& file) {
  std::vector<Json> groups;
  std::istringstream stream(json::ReadFile(file));
  std::int64_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    groups.push_back(json::Parse(line, base::Format("{}:{}", file.string(), ++number)));
  }
  return groups;
}

void ReadRollouts(const fs::path& folder, Run& run) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step_") && name.ends_with(".jsonl")) files.push_back(entry.path());
  }
  if (files.empty()) {
    run.notices.push_back("There are no rollouts.");
    return;
  }
  std::sort(files.begin(), files.end());
  for (const std::size_t at : std::set<std::size_t>{0, (files.size() - 1) / 2, files.size() - 1}) {
    try {
      StepGroups step{0, ReadGroups(files[at])};
      if (step.groups.empty()) continue;
      step.step = json::GetInteger(step.groups.front(), "step", files[at].string());
      run.rollouts.push_back(std::move(step));
    } catch (const base::Error& error) {
      run.notices.push_back("Rollouts that cannot be read: " + error.message());
    }
  }
}

void ReadEvaluations(const fs::path& folder, const std::vector<fs::path>& further, Run& run) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  const std::size_t found = files.size();
  files.insert(files.end(), further.begin(), further.end());
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (i < found && files[i].filename() == "outcome.json") continue;
    Json figures = json::ParseFile(files[i]);
    const bool is_evaluation = figures.is_object() && figures.contains("single");
    if (!is_evaluation && i >= found) {
      base::ThrowBadInput(files[i].string() + ": holds no \"single\"; expected the JSON of `eval`");
    }
    if (is_evaluation) run.evaluations.push_back({files[i].filename().string(), std::move(figures)});
  }
}

void ReadOutcome(const fs::path& file, Run& run) {
  if (!fs::exists(file)) return;
  try {
    const Json outcome = json::ParseFile(file);
    run.outcome = {json::GetString(outcome, "end", file.string()), json::GetString(outcome, "message", file.string())};
  } catch (const base::Error& error) {
    run.notices.push_back("How the run ended cannot be read: " + error.message());
  }
}

}  // namespace

Run ReadRun(const fs::path& folder, const std::vector<fs::path>& evaluations) {
  Run run;
  run.name = fs::weakly_canonical(folder).filename().string();
  ReadMetrics(folder / "metrics.jsonl", run);
  ReadRollouts(folder / "rollouts", run);
  ReadEvaluations(folder, evaluations, run);
  ReadOutcome(folder / "outcome.json", run);
  if (fs::exists(folder / "config.yaml")) {
    run.config = json::ReadFile(folder / "config.yaml");
  } else {
    run.notices.push_back("There is no config.yaml.");
  }
  return run;
}

std::string ConfigValue(const std::string& config, const std::string& key) {
  std::istringstream stream(config);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(key + ": ")) return line.substr(key.size() + 2);
  }
  return {};
}

}  // namespace autodidact::report
