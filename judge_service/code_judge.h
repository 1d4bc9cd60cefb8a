// Judging of programs: by tests, or by what they do on the same inputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "judge_service/config.h"
#include "schema/types.h"

namespace autodidact::judge_service {

// How each program fares on the tests, some at a time. Blocks for as long as they run.
std::vector<programs::CodeOutcome> RunOnTests(const CodeJudgeConfig& config, const schema::Tests& tests,
                                              const std::vector<std::string>& texts);

// One reward per response: 1 or 0, or the reason for none. The target says how they are judged:
// - Tests: a response has reward 1 when its program passes them, and none (kBadInput) where they test nothing;
// - Program (or WholeText): it and each response's are run on its inputs, where it has none on those of its text's last
//   block that is marked "inputs"; reward 1 when all outputs are the same. No response has a reward when there are no
//   inputs, or the target's program fails, or raises on all of them.
// Error(kBadInput) for another target.
// What could not be run at all has no reward (kRetryLater). Blocks for as long as the programs run.
std::vector<schema::Reward> JudgeCode(const CodeJudgeConfig& config, const schema::JudgeRequest& request);

}  // namespace autodidact::judge_service
