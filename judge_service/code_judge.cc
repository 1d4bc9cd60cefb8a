#include "judge_service/code_judge.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/format.h"

namespace autodidact::judge_service {
namespace {

schema::Reward RewardOf(const programs::CodeOutcome& outcome) {
  if (outcome.end == programs::CodeEnd::kUnavailable) {
    return base::Failure{base::ErrorKind::kRetryLater, outcome.reason};
  }
  if (outcome.end == programs::CodeEnd::kInvalid) return base::Failure{base::ErrorKind::kBadInput, outcome.reason};
  return outcome.end == programs::CodeEnd::kPassed ? 1.0 : 0.0;
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

std::vector<schema::Reward> NoRewards(const schema::JudgeRequest& request, base::ErrorKind kind, std::string reason) {
  return std::vector<schema::Reward>(request.responses.size(), base::Failure{kind, std::move(reason)});
}

std::vector<schema::Reward> JudgeByTests(const CodeJudgeConfig& config, const schema::JudgeRequest& request,
                                         const schema::Tests& tests) {
  return ForEachProgram(config, request, [&](const std::string& program) {
    return RewardOf(programs::RunTests(
        config.run,
        {.program = program, .tests = tests.code, .entry_point = tests.entry_point, .prompt = tests.prompt}));
  });
}

std::vector<schema::Reward> JudgeByProgramRun(const CodeJudgeConfig& config, const schema::JudgeRequest& request,
                                              const schema::Program& reference) {
  const std::vector<std::string> inputs =
      reference.inputs.empty() ? programs::ReadCodeText(reference.text).inputs : reference.inputs;
  if (inputs.empty()) {
    return NoRewards(request, base::ErrorKind::kBadInput, "there are no inputs to run the reference on");
  }
  const programs::Behaviour expected = programs::RunInputs(config.run, config.inputs, reference.text, inputs);
  if (expected.outcome.end == programs::CodeEnd::kUnavailable) {
    return NoRewards(request, base::ErrorKind::kRetryLater, expected.outcome.reason);
  }
  if (expected.outcome.end != programs::CodeEnd::kPassed) {
    return NoRewards(request, base::ErrorKind::kBadInput, "the reference's program: " + expected.outcome.reason);
  }
  if (std::find(expected.returned.begin(), expected.returned.end(), true) == expected.returned.end()) {
    return NoRewards(request, base::ErrorKind::kBadInput, "the reference's program raises on every input");
  }
  return ForEachProgram(config, request, [&](const std::string& program) -> schema::Reward {
    const programs::Behaviour behaviour = programs::RunInputs(config.run, config.inputs, program, inputs);
    if (behaviour.outcome.end != programs::CodeEnd::kPassed) return RewardOf(behaviour.outcome);
    return behaviour.outputs == expected.outputs ? 1.0 : 0.0;
  });
}

}  // namespace

std::vector<schema::Reward> JudgeCode(const CodeJudgeConfig& config, const schema::JudgeRequest& request) {
  if (const auto* tests = std::get_if<schema::Tests>(&request.target)) return JudgeByTests(config, request, *tests);
  if (const auto* program = std::get_if<schema::Program>(&request.target)) {
    return JudgeByProgramRun(config, request, *program);
  }
  if (const auto* text = std::get_if<schema::WholeText>(&request.target)) {
    return JudgeByProgramRun(config, request, {.text = text->text, .inputs = {}});
  }
  base::ThrowBadInput(base::Format("judge request {}: programs are judged by tests or by a program", request.ticket));
}

}  // namespace autodidact::judge_service
