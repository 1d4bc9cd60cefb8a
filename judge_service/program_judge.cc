#include "judge_service/program_judge.h"

#include "base/error.h"
#include "base/format.h"

namespace autodidact::judge_service {
namespace {

schema::Reward RewardOf(const ProgramJudgeConfig& config, const std::vector<std::string>& expected,
                        const std::optional<std::string>& answer) {
  if (!answer) return 0.0;
  if (!config.verifier) {
    const answers::Sameness sameness = answers::CompareAny(config.comparator, *answer, expected);
    if (sameness != answers::Sameness::kUndecided) return sameness == answers::Sameness::kEqual ? 1.0 : 0.0;
    return base::Failure{base::ErrorKind::kBadInput, "the answer has no value that could be compared"};
  }
  schema::Reward reward = 0.0;
  for (const std::string& gold : expected) {
    const auto equal = config.verifier->Equal(gold, *answer);
    if (!equal.ok()) {
      reward = equal.failure();
    } else if (*equal) {
      return 1.0;
    }
  }
  return reward;
}

std::vector<schema::Reward> Rewards(const ProgramJudgeConfig& config, const schema::JudgeRequest& request) {
  if (config.code) return JudgeCode(*config.code, request);
  std::vector<std::string> expected;
  if (const auto* labels = std::get_if<schema::Labels>(&request.target)) {
    expected = labels->answers;
  } else if (const auto* text = std::get_if<schema::WholeText>(&request.target)) {
    if (auto answer = answers::Extract(config.extractor, text->text)) expected.push_back(std::move(*answer));
  } else {
    base::ThrowBadInput(base::Format("judge request {}: answers are compared with answers", request.ticket));
  }
  if (expected.empty()) {
    const base::Failure failure{base::ErrorKind::kBadInput, "the reference has no answer"};
    return std::vector<schema::Reward>(request.responses.size(), failure);
  }
  std::vector<schema::Reward> rewards;
  for (const std::string& response : request.responses) {
    rewards.push_back(RewardOf(config, expected, answers::Extract(config.extractor, response)));
  }
  return rewards;
}

}  // namespace

schema::JudgeReply JudgeByProgram(const ProgramJudgeConfig& config, const schema::JudgeRequest& request) {
  if (request.lengths.size() != request.responses.size()) {
    base::ThrowBadInput(base::Format("judge request {}: {} lengths for {} responses", request.ticket,
                                     request.lengths.size(), request.responses.size()));
  }
  schema::JudgeReply reply{.ticket = request.ticket, .verdicts = {}, .rewards = Rewards(config, request)};
  for (std::size_t i = 0; i < reply.rewards.size(); ++i) {
    const bool is_long = config.length_penalty_above > 0 && request.lengths[i] > config.length_penalty_above;
    if (is_long && reply.rewards[i].ok()) *reply.rewards[i] -= config.length_penalty;
  }
  return reply;
}

}  // namespace autodidact::judge_service
