#include "judge_service/program_judge.h"

#include "base/format.h"

namespace autodidact::judge_service {

schema::JudgeReply JudgeByProgram(const ProgramJudgeConfig& config, const schema::JudgeRequest& request) {
  schema::JudgeReply reply{.ticket = request.ticket, .verdicts = {}, .rewards = {}};
  if (request.lengths.size() != request.responses.size()) {
    base::ThrowBadInput(base::Format("judge request {}: {} lengths for {} responses", request.ticket,
                                     request.lengths.size(), request.responses.size()));
  }
  const auto expected = answers::ReferenceAnswers(config.extractor, request.reference);
  if (expected.empty()) {
    reply.rewards.assign(request.responses.size(),
                         base::Failure{base::ErrorKind::kBadInput, "the reference has no answer"});
    return reply;
  }
  for (std::size_t i = 0; i < request.responses.size(); ++i) {
    const auto answer = answers::Extract(config.extractor, request.responses[i]);
    double reward = answer && answers::EqualAny(config.comparator, *answer, expected) ? 1.0 : 0.0;
    if (config.length_penalty_above > 0 && request.lengths[i] > config.length_penalty_above) {
      reward -= config.length_penalty;
    }
    reply.rewards.emplace_back(reward);
  }
  return reply;
}

}  // namespace autodidact::judge_service
