#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "answers/automatic.h"
#include "answers/compare.h"
#include "answers/extract.h"
#include "answers/label.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "data/row_format.h"
#include "data/rows.h"
#include "json/strict.h"
#include "launch/commands/commands.h"
#include "launch/commands/grader.h"
#include "launch/commands/line_reader.h"
#include "launch/commands/ordered_jobs.h"
#include "process/child.h"
#include "process/ending.h"
#include "process/output.h"
#include "programs/code.h"

namespace autodidact::launch {
namespace {

const char* Name(Grade::Verdict verdict) {
  switch (verdict) {
    case Grade::Verdict::kRight:
      return "right";
    case Grade::Verdict::kWrong:
      return "wrong";
    case Grade::Verdict::kInvalid:
      break;
  }
  return "invalid";
}

std::string KeysTaken(const std::vector<Grader>& graders) {
  std::string keys;
  for (const Grader& grader : graders) {
    if (!keys.empty()) keys += " or ";
    for (std::size_t i = 0; i < grader.keys.size(); ++i) keys += (i == 0 ? "{\"" : ", \"") + grader.keys[i] + "\"";
    keys += "}";
  }
  return keys;
}

// A line that was read, graded, and is to be written.
struct Graded {
  std::string text;
  bool readable = true;
};

// The labels that `eval` reads under other names stand as "gold".
void NameGold(json::Json& row) {
  if (row.contains("gold") || !row.contains("answer")) return;
  for (const char* key : {"label", "solution", "ground_truth", "answers"}) {
    if (!row.contains(key)) continue;
    json::Json label = row[key];  // the row may move when it grows
    row["gold"] = std::move(label);
    return;
  }
}

Graded GradeLine(const std::vector<Grader>& graders, const std::string& line, const std::string& where) {
  Grade grade;
  json::Json written = json::Json::object();
  bool readable = true;
  try {
    json::Json row = data::ParseRow(line, where);
    NameGold(row);
    if (row.contains("id")) written["id"] = row["id"];
    const auto takes = [&](const Grader& grader) {
      return std::all_of(grader.keys.begin(), grader.keys.end(),
                         [&](const std::string& key) { return row.contains(key); });
    };
    const auto grader = std::find_if(graders.begin(), graders.end(), takes);
    if (grader == graders.end()) {
      base::ThrowBadInput(where + ": got " + json::Describe(row) + ", expected an object with " + KeysTaken(graders));
    }
    grade = grader->grade(row, where);
  } catch (const base::Error& error) {
    grade = {.reason = error.message()};
    readable = false;
  }
  written["verdict"] = Name(grade.verdict);
  written["reward"] = grade.verdict == Grade::Verdict::kInvalid ? json::Json() : json::Json(grade.reward);
  written["reason"] = grade.reason;
  written.update(grade.more);
  return {json::Dump(written), readable};
}

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
std::vector<std::string> LabelsOf(const json::Json& gold, const std::string& where) {
  std::vector<std::string> labels;
  for (const json::Json& item : gold.is_array() ? gold : json::Json::array({gold})) {
    auto label = data::LabelOf(item, "gold", where);
    if (!label) base::ThrowBadInput(where + ": the key 'gold' holds " + json::Describe(item) + ", expected a label");
    labels.push_back(std::move(*label));
  }
  if (labels.empty()) base::ThrowBadInput(where + ": the key 'gold' holds an empty list, expected a label");
  return labels;
}

std::string AnswerOf(const json::Json& row, const std::string& where) {
  const json::Json& answer = row.at("answer");
  return json::IsNumber(answer) || answer.is_boolean() ? json::Dump(answer) : json::GetString(row, "answer", where);
}

// An answer as it was found and the labels as they were read.
struct Compared {
  std::optional<std::string> answer;
  std::vector<std::string> labels;
  answers::Sameness sameness = answers::Sameness::kUnequal;
};

Compared Stated(answers::Comparator comparator, const std::vector<std::string>& labels, const std::string& text) {
  Compared compared;
  std::vector<answers::StatedAnswer> stated;
  for (const std::string& label : labels) {
    if (auto found = answers::LabelStated(label)) {
      compared.labels.push_back(found->text);
      stated.push_back(std::move(*found));
    }
  }
  if (const auto answer = answers::FindStated(text)) {
    compared.answer = answer->text;
    compared.sameness = answers::CompareStated(comparator, *answer, stated);
  }
  return compared;
}

// As `eval` and the rewards of a run do it.
Compared Extracted(answers::Extractor extractor, answers::Comparator comparator, const std::vector<std::string>& labels,
                   const std::string& text) {
  Compared compared{answers::Extract(extractor, text),
                    answers::ReferenceAnswers(extractor, answers::LabelText(extractor, labels)),
                    {}};
  compared.sameness = compared.answer ? answers::CompareAny(comparator, *compared.answer, compared.labels)
                                      : answers::Sameness::kUnequal;
  return compared;
}

}  // namespace

Grader AnswerGrader(const GradeCommand& command) {
  const std::string name = command.extractor;
  std::optional<answers::Extractor> extractor;
  if (name != "auto") extractor = answers::ExtractorNamed(name);
  const auto comparator = answers::ComparatorNamed(command.comparator);
  return {{"gold", "answer"}, [=](const json::Json& row, const std::string& where) {
            const auto labels = LabelsOf(row.at("gold"), where);
            const std::string text = AnswerOf(row, where);
            const Compared compared =
                extractor ? Extracted(*extractor, comparator, labels, text) : Stated(comparator, labels, text);
            if (compared.labels.empty()) {
              const std::string why =
                  extractor ? answers::WhyNoLabel(*extractor, labels.front()) : "holds no answer (auto)";
              base::ThrowBadInput(base::Format("{}: gold: {} {}", where, json::Describe(row.at("gold")), why));
            }
            std::string gold;
            for (const std::string& label : compared.labels) gold += (gold.empty() ? "'" : " or '") + label + "'";
            if (compared.sameness == answers::Sameness::kUndecided) {
              return Grade{.reason = base::Format("'{}' has no value that could be told from {} ({})", *compared.answer,
                                                  gold, answers::Name(comparator))};
            }
            const bool equal = compared.sameness == answers::Sameness::kEqual;
            Grade grade{.verdict = equal ? Grade::Verdict::kRight : Grade::Verdict::kWrong,
                        .reward = equal ? 1.0 : 0.0};
            grade.reason = !compared.answer
                               ? "the text holds no answer (" + name + ")"
                               : base::Format("'{}' {} {} ({})", *compared.answer, equal ? "equals" : "does not equal",
                                              gold, answers::Name(comparator));
            grade.more["equal"] = equal;
            return grade;
          }};
}

Grader ProgramGrader(const GradeCommand& command) {
  programs::CodeConfig config;
  config.limits.wall = std::chrono::milliseconds(static_cast<std::int64_t>(command.timeout * 1000));
  config.limits.cpu_seconds = static_cast<std::uint32_t>(std::max(command.timeout / 3, 1.0));
  return {{"program", "tests"}, [config](const json::Json& row, const std::string& where) {
            const auto optional = [&](const char* key) {
              return row.contains(key) ? json::GetString(row, key, where) : std::string();
            };
            const programs::CodeTask task{.program = json::GetString(row, "program", where),
                                          .tests = TestsIn(row.at("tests"), where),
                                          .entry_point = optional("entry_point"),
                                          .prompt = optional("prompt")};
            const programs::CodeOutcome outcome = programs::RunTests(config, task);
            Grade grade{.verdict = Grade::Verdict::kWrong, .reason = outcome.reason};
            if (outcome.end == programs::CodeEnd::kPassed) {
              grade = {.verdict = Grade::Verdict::kRight, .reward = 1.0, .reason = "every test held"};
            } else if (outcome.end == programs::CodeEnd::kUnavailable) {
              grade = {.verdict = Grade::Verdict::kInvalid, .reason = process::WhyNoSandbox()};
              if (grade.reason.empty()) grade.reason = outcome.reason;
            } else if (outcome.end == programs::CodeEnd::kInvalid) {
              grade.verdict = Grade::Verdict::kInvalid;
            }
            grade.more["outcome"] = programs::Name(outcome.end);
            return grade;
          }};
}

bool RunGrade(const GradeCommand& command) {
  process::RequireInputApart();
  std::vector<Grader> graders = {AnswerGrader(command), ProgramGrader(command)};
  if (!command.config.empty()) graders.push_back(JudgeGrader(ReadJudgeConfig(command.config, command.overrides)));

  // Lines are graded several at a time and written in their order, each as soon as it is there: a caller may wait for
  // the answer to one line before it writes the next.
  bool all_readable = true;
  OrderedJobs<Graded> jobs(static_cast<std::size_t>(std::max<std::int64_t>(command.jobs, 1)), [&](const Graded& line) {
    try {
      all_readable = all_readable && line.readable;
      process::Output().Write(line.text + "\n");
    } catch (const std::exception& error) {
      // The caller may wait for this verdict before it writes or ends its input, on which the main thread waits.
      base::LogError("{}", error.what());
      process::EndNow(process::kExitFailed);
    }
  });
  LineReader lines(STDIN_FILENO);
  while (const auto line = lines.Next(/*wait=*/true)) {
    const std::string where = base::Format("standard input:{}", lines.number());
    jobs.Add([&graders, line = *line, where] { return GradeLine(graders, line, where); });
  }
  jobs.Finish();
  return all_readable;
}

}  // namespace autodidact::launch
