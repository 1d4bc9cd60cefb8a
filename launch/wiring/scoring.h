// From the config to how evaluations generate and score.
#pragma once

#include <stop_token>

#include "evaluation/estimate.h"
#include "evaluation/score.h"
#include "launch/config/run_config.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {

// What `eval`, `synthesize` and the evaluations of a run generate alike.
evaluation::Generation GenerationOf(const RunConfig& config, const text::ChatTemplate& format);

// By the config's judge where it has one, else by tests where programs are compared, else by labels, which are compared
// by answer.comparator. Throws, and its scorer too, Error(kRetryLater) soon after a stop. Errors as MakeJudge and
// ToCodeJudge.
evaluation::Scoring ScoringOf(const RunConfig& config, const std::stop_token& stop = {});

}  // namespace autodidact::launch
