#include "judge_service/code_judge.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/fault.h"
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

// What `run` gives for each program, some at a time.
template <class Run>
auto ForEachProgram(const CodeJudgeConfig& config, const std::vector<std::string>& texts, const Run& run) {
  std::vector<std::optional<decltype(run(texts.front()))>> given(texts.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < given.size(); i = next++) given[i].emplace(run(texts[i]));
  };
  std::vector<std::jthread> threads;
  for (std::uint32_t i = 1; i < std::min<std::size_t>(config.jobs, given.size()); ++i)
    threads.push_back(base::StartThread("judge.code.thread", work));
  work();
  threads.clear();
  std::vector<decltype(run(texts.front()))> all;
  for (auto& one : given) all.push_back(std::move(*one));
  return all;
}

std::vector<schema::Reward> NoRewards(const schema::JudgeRequest& request, base::ErrorKind kind, std::string reason) {
  return std::vector<schema::Reward>(request.responses.size(), base::Failure{kind, std::move(reason)});
}

std::vector<schema::Reward> JudgeByTests(const CodeJudgeConfig& config, const schema::JudgeRequest& request,
                                         const schema::Tests& tests) {
  std::vector<schema::Reward> rewards;
  for (const programs::CodeOutcome& outcome : RunOnTests(config, tests, request.responses)) {
    rewards.push_back(RewardOf(outcome));
  }
  return rewards;
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
  return ForEachProgram(config, request.responses, [&](const std::string& program) -> schema::Reward {
    const programs::Behaviour behaviour = programs::RunInputs(config.run, config.inputs, program, inputs);
    if (behaviour.outcome.end != programs::CodeEnd::kPassed) return RewardOf(behaviour.outcome);
    return behaviour.outputs == expected.outputs ? 1.0 : 0.0;
  });
}

}  // namespace

std::vector<programs::CodeOutcome> RunOnTests(const CodeJudgeConfig& config, const schema::Tests& tests,
                                              const std::vector<std::string>& texts) {
  return ForEachProgram(config, texts, [&](const std::string& program) {
    return programs::RunTests(
        config.run,
        {.program = program, .tests = tests.code, .entry_point = tests.entry_point, .prompt = tests.prompt});
  });
}

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
