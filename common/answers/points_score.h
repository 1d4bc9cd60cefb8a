// The arithmetic of rubrics with points.
#pragma once

#include <optional>
#include <vector>

namespace autodidact::answers {

// HealthBench's score of one response before clipping: the points of the criteria that are met over the sum of the
// positive points. A criterion without a verdict (nothing) is left out of both. Nothing when no positive points are
// left. With points of 1 it is the fraction met.
std::optional<double> PointsScore(const std::vector<double>& points, const std::vector<std::optional<bool>>& met);

}  // namespace autodidact::answers
