#include <algorithm>
#include <future>
#include <iostream>
#include <thread>

#include "answers/code.h"
#include "answers/compare.h"
#include "answers/extract.h"
#include "answers/prose.h"
#include "base/bounded_queue.h"
#include "base/error.h"
#include "base/format.h"
#include "launch/commands.h"
#include "launch/grader.h"

namespace autodidact::launch {
namespace {

constexpr auto kForever = std::chrono::hours(24 * 365);

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

std::string KeysOf(const std::vector<Grader>& graders) {
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

Graded GradeLine(const std::vector<Grader>& graders, const std::string& line, const std::string& where) {
  Grade grade;
  json::Json written = json::Json::object();
  bool readable = true;
  try {
    const json::Json row = json::Parse(line, where);
    if (row.is_object() && row.contains("id")) written["id"] = row["id"];
    const auto takes = [&](const Grader& grader) {
      return row.is_object() && std::all_of(grader.keys.begin(), grader.keys.end(),
                                            [&](const std::string& key) { return row.contains(key); });
    };
    const auto grader = std::find_if(graders.begin(), graders.end(), takes);
    if (grader == graders.end()) {
      base::ThrowBadInput(where + ": got " + json::Describe(row) + ", expected an object with " + KeysOf(graders));
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

std::optional<std::string> AnswerIn(const std::string& extractor, const std::string& text) {
  if (extractor != "auto") return answers::Extract(answers::ExtractorNamed(extractor), text);
  if (auto boxed = answers::Extract(answers::Extractor::kBoxed, text)) return boxed;
  return answers::Extract(answers::Extractor::kWholeText, answers::AnswerAmongWords(text));
}

}  // namespace

Grader AnswerGrader(const GradeCommand& command) {
  if (command.extractor != "auto") answers::ExtractorNamed(command.extractor);
  const auto comparator = answers::ComparatorNamed(command.comparator);
  return {{"gold", "answer"}, [=, extractor = command.extractor](const json::Json& row, const std::string& where) {
            const auto gold = AnswerIn(extractor, json::GetString(row, "gold", where));
            const auto answer = AnswerIn(extractor, json::GetString(row, "answer", where));
            if (!gold) return Grade{.reason = "the gold text holds no answer (" + extractor + ")"};
            const auto sameness = answer ? answers::Compare(comparator, *gold, *answer) : answers::Sameness::kUnequal;
            if (sameness == answers::Sameness::kUndecided) {
              return Grade{.reason = base::Format("'{}' has no value that could be told from '{}' ({})", *answer, *gold,
                                                  answers::Name(comparator))};
            }
            const bool equal = sameness == answers::Sameness::kEqual;
            Grade grade{.verdict = equal ? Grade::Verdict::kRight : Grade::Verdict::kWrong,
                        .reward = equal ? 1.0 : 0.0};
            grade.reason = !answer ? "the text holds no answer (" + extractor + ")"
                                   : base::Format("'{}' {} '{}' ({})", *answer, equal ? "equals" : "does not equal",
                                                  *gold, answers::Name(comparator));
            grade.more["equal"] = equal;
            return grade;
          }};
}

Grader ProgramGrader(const GradeCommand& command) {
  answers::CodeConfig config;
  config.limits.wall = std::chrono::milliseconds(static_cast<std::int64_t>(command.timeout * 1000));
  config.limits.cpu_seconds = static_cast<std::uint32_t>(std::max(command.timeout / 3, 1.0));
  return {{"program", "tests"}, [config](const json::Json& row, const std::string& where) {
            const auto optional = [&](const char* key) {
              return row.contains(key) ? json::GetString(row, key, where) : std::string();
            };
            const answers::CodeTask task{.program = json::GetString(row, "program", where),
                                         .tests = TestsIn(row.at("tests"), where),
                                         .entry_point = optional("entry_point"),
                                         .prompt = optional("prompt")};
            const answers::CodeOutcome outcome = answers::RunTests(config, task);
            Grade grade{.verdict = Grade::Verdict::kWrong, .reason = outcome.reason};
            if (outcome.end == answers::CodeEnd::kPassed) {
              grade = {.verdict = Grade::Verdict::kRight, .reward = 1.0, .reason = "every test held"};
            } else if (outcome.end == answers::CodeEnd::kUnavailable) {
              grade = {.verdict = Grade::Verdict::kInvalid, .reason = process::WhyNoSandbox()};
              if (grade.reason.empty()) grade.reason = outcome.reason;
            } else if (outcome.end == answers::CodeEnd::kInvalid) {
              grade.verdict = Grade::Verdict::kInvalid;
            }
            grade.more["outcome"] = answers::Name(outcome.end);
            return grade;
          }};
}

bool RunGrade(const GradeCommand& command) {
  std::vector<Grader> graders = {AnswerGrader(command), ProgramGrader(command)};
  if (!command.config.empty()) graders.push_back(JudgeGrader(ReadJudgeConfig(command.config, command.overrides)));

  // Lines are graded several at a time and written in their order, each as soon as it is there: a caller may wait for
  // the answer to one line before it writes the next.
  const auto jobs = static_cast<std::size_t>(std::max<std::int64_t>(command.jobs, 1));
  base::BoundedQueue<std::future<Graded>> queue(jobs);
  bool all_readable = true;
  std::thread writer([&] {
    while (auto graded = queue.Pop(base::Deadline::In(kForever))) {
      const Graded line = graded->get();
      all_readable = all_readable && line.readable;
      std::cout << line.text << "\n" << std::flush;
    }
  });
  std::int64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto graded = std::async(std::launch::async, [&graders, line, where = base::Format("standard input:{}", number)] {
      return GradeLine(graders, line, where);
    });
    queue.Push(std::move(graded), base::Deadline::In(kForever));
  }
  queue.Close();
  writer.join();
  return all_readable;
}

}  // namespace autodidact::launch
