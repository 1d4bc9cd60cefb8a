// Judging of programs: by tests, or by what they do on the same inputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "answers/code.h"
#include "schema/types.h"

namespace autodidact::judge_service {

struct CodeJudgeConfig {
  answers::CodeConfig run;
  answers::InputKind inputs = answers::InputKind::kCalls;
  std::uint32_t jobs = 2;  // programs at a time
};

// One reward per response: 1 or 0, or the reason for none. The reference says how they are judged:
// - tests (TestsText; only labels become that): a response has reward 1 when its program passes them, and none
//   (kBadInput) where they test nothing;
// - a program: it and each response's are run on the inputs of the reference's last block that is marked "inputs";
//   reward 1 when all outputs are the same. No response has a reward when there are no inputs, or the reference's
//   program fails, or raises on all of them.
// What could not be run at all has no reward (kRetryLater). Blocks for as long as the programs run.
std::vector<schema::Reward> JudgeCode(const CodeJudgeConfig& config, const schema::JudgeRequest& request);

// Tests as the reference of a group. `prompt` stands before programs that do not define the entry point themselves.
std::string TestsText(const std::string& tests, const std::string& entry_point, const std::string& prompt);

// A reference with inputs of the row's, which then count instead of its own.
std::string WithInputs(const std::string& reference, const std::vector<std::string>& inputs);

}  // namespace autodidact::judge_service
