#include "launch/wiring/code.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "data/row_columns.h"
#include "launch/wiring/wiring.h"
#include "process/sandbox.h"

namespace autodidact::launch {
namespace {

std::string JoinedTests(const std::vector<std::string>& answers) {
  std::string tests;
  for (const std::string& answer : answers) tests += answer + "\n";
  return tests;
}

}  // namespace

const judge_service::CodeJudgeConfig& CodeJudgeOf(const CodeConfig& config) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty())
    base::ThrowBadInput("answer.comparator: code: " + why);
  return config.judge;
}

schema::Tests TestsOf(const CodeConfig& config, const data::Row& row) {
  return {.code = JoinedTests(row.answers),
          .entry_point = data::RowText(row.prompt, config.entry_point).value_or(""),
          .prompt = row.prompt.text};
}

schema::Inputs InputsOf(const CodeConfig& config, const schema::Prompt& prompt) {
  if (config.inputs.empty()) return {};
  auto inputs = data::RowTexts(prompt, config.inputs);
  if (!inputs) {
    base::ThrowBadInput("row " + prompt.id + ": " + config.inputs + ": expected a list of texts (answer.code.inputs)");
  }
  return {std::move(*inputs)};
}

void CheckTests(const RunConfig& config, const std::vector<data::Row>& rows, const std::string& file) {
  if (!config.answer.programs()) return;
  constexpr std::size_t kShown = 5;
  std::vector<programs::CodeTask> tasks;
  std::vector<std::string> ids;
  for (const data::Row& row : rows) {
    if (row.answers.empty()) continue;
    const schema::Tests tests = TestsOf(config.answer.code, row);
    tasks.push_back({.program = "", .tests = tests.code, .entry_point = tests.entry_point, .prompt = tests.prompt});
    ids.push_back(row.prompt.id);
  }
  const programs::CodeConfig run{.python = config.answer.code.judge.run.python, .limits = {}};
  const std::vector<std::string> faults = programs::FaultsOfTests(run, tasks);
  std::string said;
  std::size_t found = 0;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (!faults[i].empty() && ++found <= kShown) said += base::Format("\n  row {}: {}", ids[i], faults[i]);
  }
  if (found == 0) return;
  if (found > kShown) said += base::Format("\n  and {} more", found - kShown);
  base::ThrowBadInput(
      base::Format("{}: of {} rows with tests, {} say nothing about a program (mend them or leave them "
                   "out):{}",
                   file, tasks.size(), found, said));
}

evaluation::ProgramRun ProgramRunOf(programs::CodeOutcome outcome) {
  evaluation::ProgramRun run{
      .passed = outcome.end == programs::CodeEnd::kPassed, .outcome = Name(outcome.end), .reason = {}};
  if (outcome.end == programs::CodeEnd::kUnavailable || outcome.end == programs::CodeEnd::kInvalid) run.passed.reset();
  run.reason = std::move(outcome.reason);
  return run;
}

evaluation::RunPrograms RunnerOfPrograms(const judge_service::CodeJudgeConfig& judge, const std::stop_token& stop) {
  return [judge, stop](const schema::Tests& tests, const std::vector<std::string>& texts) {
    ThrowIfStopped(stop);
    std::vector<evaluation::ProgramRun> runs;
    for (programs::CodeOutcome& outcome : judge_service::RunOnTests(judge, tests, texts)) {
      runs.push_back(ProgramRunOf(std::move(outcome)));
    }
    return runs;
  };
}

evaluation::Scoring ScoringByTests(const CodeConfig& config, const std::stop_token& stop) {
  return {std::make_shared<evaluation::TestScorer>(RunnerOfPrograms(CodeJudgeOf(config), stop)),
          [config](const data::Row& row) -> std::optional<schema::Target> {
            schema::Tests tests = TestsOf(config, row);
            if (tests.code.empty()) {
              base::ThrowBadInput("row " + row.prompt.id + ": it has no label, expected the program's tests");
            }
            return tests;
          }};
}

}  // namespace autodidact::launch
