#include "answers/points_score.h"

#include <gtest/gtest.h>

namespace autodidact::answers {
namespace {

using Met = std::vector<std::optional<bool>>;

TEST(PointsScoreTest, IsTheFractionMetWhenAllPointsAreOne) {
  EXPECT_EQ(PointsScore({1, 1, 1, 1}, Met{true, false, true, true}), 0.75);
  EXPECT_EQ(PointsScore({1, 1}, Met{false, false}), 0.0);
}

// HealthBench: (points of the criteria met) / (sum of the positive points).
TEST(PointsScoreTest, NegativePointsAreTakenOffWhatWasReached) {
  EXPECT_EQ(PointsScore({10, 6, -4}, Met{true, false, true}), 6.0 / 16);
  EXPECT_EQ(PointsScore({10, 6, -4}, Met{true, true, false}), 1.0);
  EXPECT_EQ(PointsScore({5, -8, -2}, Met{false, true, true}), -2.0);
  EXPECT_EQ(PointsScore({5, -8}, Met{true, true}), -3.0 / 5);
}

TEST(PointsScoreTest, AnUndecidedCriterionIsLeftOutOfBothSums) {
  EXPECT_EQ(PointsScore({3, 5, 2}, Met{true, std::nullopt, false}), 3.0 / 5);
  EXPECT_EQ(PointsScore({3, -5}, Met{true, std::nullopt}), 1.0);
}

TEST(PointsScoreTest, ThereIsNoneWithoutPointsToGain) {
  EXPECT_EQ(PointsScore({}, Met{}), std::nullopt);
  EXPECT_EQ(PointsScore({-1, -2}, Met{false, true}), std::nullopt);
  EXPECT_EQ(PointsScore({4, -2}, Met{std::nullopt, true}), std::nullopt);
}

}  // namespace
}  // namespace autodidact::answers
