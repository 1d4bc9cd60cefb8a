// Judging by a program: the verifiable regime, where two answers can be compared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "answers/compare.h"
#include "answers/extract.h"
#include "judge_service/code_judge.h"
#include "programs/verifier.h"
#include "schema/types.h"

namespace autodidact::judge_service {

struct ProgramJudgeConfig {
  answers::Extractor extractor = answers::Extractor::kBoxed;
  answers::Comparator comparator = answers::Comparator::kExact;
  std::shared_ptr<programs::Verifier> verifier;  // compares in the place of the comparator; may be null
  std::optional<CodeJudgeConfig> code;     // responses are programs; extractor, comparator and verifier do not count
  std::uint32_t length_penalty_above = 0;  // tokens; a longer response loses length_penalty; 0: off
  double length_penalty = 1.0;
};

// Reward 1 when the response's answer equals that of the target's text, or any of its labels, else 0 (also for a
// response without an answer); minus the length penalty. When the text has no answer, no response has a reward; where
// the verifier has no answer, that response has none. Programs are judged as JudgeCode says. Error(kBadInput) for
// another target, and when lengths and responses differ in number.
schema::JudgeReply JudgeByProgram(const ProgramJudgeConfig& config, const schema::JudgeRequest& request);

}  // namespace autodidact::judge_service
