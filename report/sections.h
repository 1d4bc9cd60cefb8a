// The parts of the page, each from what was read to HTML. Empty text: there is nothing to show.
#pragma once

#include <string>

#include "report/run.h"

namespace autodidact::report {

// What is wrong with the run as a whole: that it taught nothing, ended early, collapsed, or failed for the most part.
std::string AlarmBox(const Run& run);
// The figures that are looked at first.
std::string Tiles(const Run& run);
// The plots of the run's course.
std::string Plots(const Run& run);
// The estimators: what the run's own groups say, early and late, and each evaluation's table.
std::string EstimatorTables(const Run& run);
// Groups that are missing or incomplete, counted over the run.
std::string FailureTable(const Run& run);
// Every metric with its first, last, least and greatest value.
std::string AllMetrics(const Run& run);
// The rollouts of the first, the middle and the last step, to be folded out.
std::string Browser(const Run& run);

}  // namespace autodidact::report
