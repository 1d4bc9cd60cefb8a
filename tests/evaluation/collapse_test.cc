#include "evaluation/collapse.h"

#include <gtest/gtest.h>

namespace autodidact::evaluation {
namespace {

using Answers = std::vector<std::vector<std::optional<std::string>>>;

TEST(SimilarityTest, IsOneWithinAndZeroAcrossWhenThePromptDecidesTheAnswer) {
  const auto similarity = MeasureSimilarity(Answers{{"a b", "a b"}, {"c d", "c d"}, {"e f", "e f"}});
  ASSERT_TRUE(similarity);
  EXPECT_DOUBLE_EQ(similarity->within, 1.0);
  EXPECT_DOUBLE_EQ(similarity->cross, 0.0);
  EXPECT_DOUBLE_EQ(similarity->kappa(), 1.0);
}

TEST(SimilarityTest, CountsSharedWordsWithTheirMultiplicity) {
  // {a, a, b} and {a, b, c} share a and b: 2 · 2 / 6.
  const auto similarity = MeasureSimilarity(Answers{{"a a b", "a b c"}, {"x", "y"}});
  EXPECT_NEAR(similarity->within, (2.0 / 3.0 + 0.0) / 2, 1e-12);
}

TEST(SimilarityTest, NoAnswerIsLikeNothingNotEvenNoAnswer) {
  const auto similarity = MeasureSimilarity(Answers{{std::nullopt, std::nullopt}, {std::nullopt, "a"}, {"a", "a"}});
  EXPECT_DOUBLE_EQ(similarity->within, 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(similarity->cross, 1.0 / 6.0);
  EXPECT_FALSE(MeasureSimilarity(Answers{{"a", "b"}}));
}

TEST(CollapseMonitorTest, FiresOnceWhenAllPromptsGetOneTemplate) {
  CollapseMonitor monitor({});
  int alarms = 0;
  for (int step = 0; step < 60; ++step) {
    const double cross = std::min(0.95, 0.2 + 0.02 * step);
    alarms += !monitor.Look({.within = cross + 0.02, .cross = cross}, 0.9, 8).alarm.empty();
  }
  EXPECT_EQ(alarms, 1);
  EXPECT_TRUE(monitor.alarmed());
}

TEST(CollapseMonitorTest, StaysSilentWhereNoRolloutHasAnAnswer) {
  CollapseMonitor monitor({});
  for (int step = 0; step < 20; ++step) {
    const auto similarity = MeasureSimilarity(Answers(4, {std::nullopt, std::nullopt, std::nullopt}));
    ASSERT_TRUE(similarity);
    EXPECT_EQ(monitor.Look(*similarity, 0.0, 3).alarm, "");
  }
  EXPECT_FALSE(monitor.alarmed());
}

TEST(CollapseMonitorTest, StaysSilentWhileARunLearnsItsAnswers) {
  CollapseMonitor monitor({});
  for (int step = 0; step < 100; ++step) {
    // Rollouts of a prompt come to agree; those of different prompts stay as unlike as words are.
    const auto signs =
        monitor.Look({.within = 0.35 + 0.006 * step, .cross = 0.15 + 0.0008 * step}, 0.2 + 0.007 * step, 8);
    EXPECT_EQ(signs.alarm, "");
    EXPECT_EQ(signs.warning, "");
  }
}

TEST(CollapseMonitorTest, WarnsOfARewardThatStaysAtOneInTheGroup) {
  CollapseMonitor monitor({});
  int warnings = 0;
  for (int step = 0; step < 30; ++step) {
    const auto signs = monitor.Look({.within = 0.35, .cross = 0.15}, 0.125, 8);
    EXPECT_EQ(signs.alarm, "");
    warnings += !signs.warning.empty();
  }
  EXPECT_EQ(warnings, 1);
}

TEST(CollapseMonitorTest, GoesOnFromItsSavedState) {
  CollapseMonitor whole({}), first({});
  const auto at = [](int step) { return Similarity{.within = 0.22 + 0.035 * step, .cross = 0.2 + 0.035 * step}; };
  for (int step = 0; step < 8; ++step) {
    whole.Look(at(step), 0.9, 8);
    first.Look(at(step), 0.9, 8);
  }
  CollapseMonitor second({});
  second.Restore(first.Save(), "test");
  for (int step = 8; step < 20; ++step) {
    EXPECT_EQ(whole.Look(at(step), 0.9, 8).alarm, second.Look(at(step), 0.9, 8).alarm) << step;
  }
  EXPECT_TRUE(second.alarmed());
}

}  // namespace
}  // namespace autodidact::evaluation
