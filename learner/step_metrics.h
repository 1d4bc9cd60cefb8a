// Figures of a step's groups that need no arithmetic of the update: lengths, failures, staleness, times.
#pragma once

#include <vector>

#include "base/metrics.h"
#include "schema/types.h"

namespace autodidact::learner {

// `version`: the weights that the step began with. Names as TRL's where it has them.
base::Metrics GroupMetrics(const std::vector<schema::ScoredGroup>& groups, schema::WeightVersion version);

}  // namespace autodidact::learner
