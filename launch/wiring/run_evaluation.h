// The evaluation of a policy while it is trained, on the labelled rows of `eval.data`.
#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "base/metrics.h"
#include "data/rows.h"
#include "launch/config/run_config.h"
#include "launch/wiring/wiring.h"
#include "model/weight_set.h"

namespace autodidact::launch {

// "eval/single", "eval/greedy" and, where answers are compared, "eval/majority" of train.num_generations rollouts; what
// could not be measured is left out. Scored by labels, by tests, or by the config's judge against rubrics or labels.
using PolicyEvaluation = std::function<base::Metrics(const model::SharedWeights& policy)>;

// Nothing where there are no rows, or the rows hold nothing that the judge could score by, which is logged. `rows` and
// `model`, the run's, must outlive the function, which blocks for the computation and throws Error(kRetryLater) soon
// after a stop.
PolicyEvaluation EvaluationOfRun(const RunConfig& config, const std::vector<data::Row>& rows, const LoadedModel& model,
                                 const std::stop_token& stop);

}  // namespace autodidact::launch
