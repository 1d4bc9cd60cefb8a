#include "answers/points_score.h"

#include "base/check.h"

namespace autodidact::answers {

std::optional<double> PointsScore(const std::vector<double>& points, const std::vector<std::optional<bool>>& met) {
  AD_CHECK(points.size() == met.size(), "{} verdicts for {} criteria", met.size(), points.size());
  double reached = 0;
  double possible = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!met[i]) continue;
    if (*met[i]) reached += points[i];
    if (points[i] > 0) possible += points[i];
  }
  if (possible <= 0) return std::nullopt;
  return reached / possible;
}

}  // namespace autodidact::answers
