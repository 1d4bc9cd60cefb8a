// One request, judged on the calling thread.
#pragma once

#include <optional>
#include <utility>

#include "judge_service/model_judge.h"

namespace autodidact::judge_service {

inline schema::JudgeReply JudgeNow(ModelJudge& judge, schema::JudgeRequest request) {
  std::optional<schema::JudgeReply> reply;
  judge.Add(std::move(request), [&reply](schema::JudgeReply done) { reply = std::move(done); });
  while (!reply) judge.Step(base::Deadline::In(base::Milliseconds(100)));
  return std::move(*reply);
}

}  // namespace autodidact::judge_service
