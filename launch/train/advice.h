// What to look at when the steps of a run teach nothing: the reason in words, and the key that it hangs on.
#pragma once

#include <cstdint>
#include <string>

#include "launch/config/run_config.h"
#include "learner/lessons.h"

namespace autodidact::launch {

// One line, for steps that do not teach: how many groups are lacking what, the commonest reason, the key, and what to
// do. `answered`: how many of the rollouts hold an answer in the form of answer.extractor.
std::string WhyNothingIsTaught(const RunConfig& config, const learner::Lessons& lessons, std::int64_t answered);

}  // namespace autodidact::launch
