#include "judge_service/code_judge.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "answers/extract.h"
#include "json/json.h"

namespace autodidact::judge_service {
namespace {

// Starts a reference that is tests; what a model wrote never does (answers::WithoutAlternatives).
constexpr char kTestsMark = answers::kAlternative;

// Nothing for a reference that is no tests.
std::optional<answers::CodeTask> TestsOf(const std::string& reference) {
  if (reference.empty() || reference.front() != kTestsMark) return std::nullopt;
  const std::string where = "judge request: tests";
  const json::Json tests = json::Parse(std::string_view(reference).substr(1), where);
  answers::CodeTask task;
  task.tests = json::GetString(tests, "tests", where);
  task.entry_point = json::GetString(tests, "entry_point", where);
  task.prompt = json::GetString(tests, "prompt", where);
  return task;
}

schema::Reward RewardOf(const answers::CodeOutcome& outcome) {
  if (outcome.end == answers::CodeEnd::kUnavailable) {
    return base::Failure{base::ErrorKind::kRetryLater, outcome.reason};
  }
  if (outcome.end == answers::CodeEnd::kInvalid) return base::Failure{base::ErrorKind::kBadInput, outcome.reason};
  return outcome.end == answers::CodeEnd::kPassed ? 1.0 : 0.0;
}

// The rewards of all programs, some at a time.
std::vector<schema::Reward> ForEachProgram(const CodeJudgeConfig& config, const schema::JudgeRequest& request,
                                           const std::function<schema::Reward(const std::string&)>& judge) {
  std::vector<schema::Reward> rewards(request.responses.size(), 0.0);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < rewards.size(); i = next++) {
      rewards[i] = judge(request.responses[i]);
    }
  };
  std::vector<std::jthread> threads;
  for (std::uint32_t i = 1; i < std::min<std::size_t>(config.jobs, rewards.size()); ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return rewards;
}

}  // namespace

std::vector<schema::Reward> JudgeCode(const CodeJudgeConfig& config, const schema::JudgeRequest& request) {
  if (const auto task = TestsOf(request.reference)) {
    return ForEachProgram(config, request, [&](const std::string& program) {
      answers::CodeTask with_program = *task;
      with_program.program = program;
      return RewardOf(answers::RunTests(config.run, with_program));
    });
  }
  const auto none = [&](base::ErrorKind kind, std::string reason) {
    return std::vector<schema::Reward>(request.responses.size(), base::Failure{kind, std::move(reason)});
  };
  const std::vector<std::string> inputs = answers::ReadCodeText(request.reference).inputs;
  if (inputs.empty()) return none(base::ErrorKind::kBadInput, "there are no inputs to run the reference on");
  const answers::Behaviour expected = answers::RunInputs(config.run, config.inputs, request.reference, inputs);
  if (expected.outcome.end == answers::CodeEnd::kUnavailable) {
    return none(base::ErrorKind::kRetryLater, expected.outcome.reason);
  }
  if (expected.outcome.end != answers::CodeEnd::kPassed) {
    return none(base::ErrorKind::kBadInput, "the reference's program: " + expected.outcome.reason);
  }
  if (std::find(expected.returned.begin(), expected.returned.end(), true) == expected.returned.end()) {
    return none(base::ErrorKind::kBadInput, "the reference's program raises on every input");
  }
  return ForEachProgram(config, request, [&](const std::string& program) -> schema::Reward {
    const answers::Behaviour behaviour = answers::RunInputs(config.run, config.inputs, program, inputs);
    if (behaviour.outcome.end != answers::CodeEnd::kPassed) return RewardOf(behaviour.outcome);
    return behaviour.outputs == expected.outputs ? 1.0 : 0.0;
  });
}

std::string TestsText(const std::string& tests, const std::string& entry_point, const std::string& prompt) {
  return kTestsMark + json::Dump({{"tests", tests}, {"entry_point", entry_point}, {"prompt", prompt}});
}

std::string WithInputs(const std::string& reference, const std::vector<std::string>& inputs) {
  std::string text = reference + "\n```inputs\n";
  for (const std::string& input : inputs) text += json::Dump(input) + "\n";
  return text + "```\n";
}

}  // namespace autodidact::judge_service
