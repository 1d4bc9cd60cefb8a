#include <algorithm>
#include <chrono>
#include <utility>

#include "answers/compare.h"
#include "answers/extract.h"
#include "base/error.h"
#include "base/format.h"
#include "data/row_format.h"
#include "data/row_rubric.h"
#include "data/rows.h"
#include "json/strict.h"
#include "launch/commands/grader.h"
#include "launch/wiring/code.h"
#include "launch/wiring/judge.h"
#include "process/sandbox.h"
#include "programs/code.h"

namespace autodidact::launch {
namespace {

// Tests as one text: what is no text stays JSON, which the harness reads.
std::string TestsIn(const json::Json& tests, const std::string& where) {
  if (tests.is_string()) return tests.get<std::string>();
  if (!tests.is_array() && !tests.is_object()) {
    base::ThrowBadInput(where + ": tests: got " + json::Describe(tests) +
                        ", expected a text, a list of texts, or pairs of input and output");
  }
  return json::Dump(tests);
}

// A label is text, a number, a truth value or a list of those, as in the rows that `eval` reads.
schema::Labels LabelsOf(const json::Json& gold, const std::string& where) {
  schema::Labels labels;
  for (const json::Json& item : gold.is_array() ? gold : json::Json::array({gold})) {
    auto label = data::LabelOf(item, "gold", where);
    if (!label) base::ThrowBadInput(where + ": the key 'gold' holds " + json::Describe(item) + ", expected a label");
    labels.answers.push_back(std::move(*label));
  }
  if (labels.answers.empty()) {
    base::ThrowBadInput(where + ": the key 'gold' holds an empty list, expected a label");
  }
  return labels;
}

std::string AnswerOf(const json::Json& row, const std::string& where) {
  const json::Json& answer = row.at("answer");
  return json::IsNumber(answer) || answer.is_boolean() ? json::Dump(answer) : json::GetString(row, "answer", where);
}

json::Json VerdictsOf(const evaluation::Score& score, const schema::Rubric* rubric) {
  json::Json verdicts = json::Json::array();
  for (const schema::Verdict& verdict : score.verdicts) {
    json::Json entry = {{"criterion", verdict.criterion}};
    if (rubric) entry["text"] = rubric->criteria.at(verdict.criterion).text;
    entry["verdict"] = schema::Name(verdict.kind);
    entry["reason"] = verdict.reason;
    verdicts.push_back(std::move(entry));
  }
  return verdicts;
}

}  // namespace

Grader AnswerGrader(const GradeCommand& command) {
  std::optional<answers::Extractor> extractor;
  if (command.extractor != "auto") extractor = base::ValueNamed<answers::Extractor>(command.extractor, "--extractor");
  const auto scorer = std::make_shared<evaluation::LabelScorer>(
      extractor, base::ValueNamed<answers::Comparator>(command.comparator, "--comparator"));
  return {{"gold", "answer"}, scorer, [scorer](const json::Json& row, const std::string& where) {
            auto labels = LabelsOf(row.at("gold"), where);
            GradeTask task{AnswerOf(row, where), {}};
            if (const std::string why = scorer->WhyNoLabel(labels); !why.empty()) {
              base::ThrowBadInput(base::Format("{}: gold: {} {}", where, json::Describe(row.at("gold")), why));
            }
            task.target = std::move(labels);
            return task;
          }};
}

Grader ProgramGrader(const GradeCommand& command) {
  programs::CodeConfig config;
  config.limits.wall = std::chrono::milliseconds(static_cast<std::int64_t>(command.timeout * 1000));
  config.limits.cpu_seconds = static_cast<std::uint32_t>(std::max(command.timeout / 3, 1.0));
  auto run = [config](const schema::Tests& tests, const std::vector<std::string>& texts) {
    std::vector<evaluation::ProgramRun> runs;
    for (const std::string& text : texts) {
      auto outcome = programs::RunTests(
          config, {.program = text, .tests = tests.code, .entry_point = tests.entry_point, .prompt = tests.prompt});
      const std::string why = outcome.end == programs::CodeEnd::kUnavailable ? process::WhyNoSandbox() : "";
      if (!why.empty()) outcome.reason = why;
      runs.push_back(ProgramRunOf(std::move(outcome)));
    }
    return runs;
  };
  return {{"program", "tests"},
          std::make_shared<evaluation::TestScorer>(std::move(run)),
          [](const json::Json& row, const std::string& where) {
            const auto optional = [&](const char* key) {
              return row.contains(key) ? json::GetString(row, key, where) : std::string();
            };
            GradeTask task{json::GetString(row, "program", where), {}};
            task.target = schema::Tests{.code = TestsIn(row.at("tests"), where),
                                        .entry_point = optional("entry_point"),
                                        .prompt = optional("prompt")};
            return task;
          }};
}

Grader JudgeGrader(const RunConfig& config) {
  const bool by_rubric = config.judge.by_rubric();
  return {{"response", by_rubric ? "rubric" : "reference"},
          std::make_shared<evaluation::JudgeScorer>(MakeJudgeTexts(config)),
          [by_rubric](const json::Json& row, const std::string& where) {
            GradeTask task{json::GetString(row, "response", where), {}};
            if (by_rubric) {
              task.target = schema::Rubric{data::ReadRubric(row.at("rubric"), where)};
            } else {
              task.target = schema::WholeText{json::GetString(row, "reference", where)};
            }
            return task;
          }};
}

json::Json ToVerdict(const evaluation::Score& score, const schema::Target& target) {
  json::Json written = {{"verdict", !score.value    ? "invalid"
                                    : score.right() ? "right"
                                                    : "wrong"},
                        {"reward", json::OrNull(score.Clipped())},
                        {"reason", score.reason}};
  if (std::holds_alternative<schema::Labels>(target)) {
    if (score.value) written["equal"] = score.right();
  } else if (std::holds_alternative<schema::Tests>(target)) {
    written["outcome"] = score.outcome;
  } else {
    written["verdicts"] = VerdictsOf(score, std::get_if<schema::Rubric>(&target));
  }
  return written;
}

}  // namespace autodidact::launch
