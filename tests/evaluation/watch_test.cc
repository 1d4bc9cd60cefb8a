#include "evaluation/watch.h"

#include <gtest/gtest.h>

#include <optional>

namespace autodidact::evaluation {
namespace {

// Two groups whose rollouts answer as a prompt decides, each with this reward or with none.
std::vector<data::GroupRecord> StepOf(std::optional<double> reward) {
  std::vector<data::GroupRecord> groups;
  for (const char* answer : {"\\boxed{a}", "\\boxed{b}"}) {
    data::GroupRecord& group = groups.emplace_back();
    for (int i = 0; i < 8; ++i) {
      group.scored.group.rollouts.emplace_back().text = answer;
      group.scored.rewards.push_back(reward ? schema::Reward(*reward)
                                            : base::Failure{base::ErrorKind::kRetryLater, "the judge is silent"});
    }
  }
  return groups;
}

// At 1 / G: nothing is learned.
constexpr double kLow = 0.125;

TEST(RunWatchTest, WarnsOfARewardThatStaysLow) {
  RunWatch watch({.rule = {}, .collapse = {.stall_steps = 3}}, {});
  EXPECT_EQ(watch.Look(StepOf(kLow)).warning, "");
  EXPECT_EQ(watch.Look(StepOf(kLow)).warning, "");
  EXPECT_NE(watch.Look(StepOf(kLow)).warning, "");
}

TEST(RunWatchTest, StepsWithoutRewardsAreNotStepsOfRewardZero) {
  RunWatch watch({.rule = {}, .collapse = {.stall_steps = 3}}, {});
  for (int step = 0; step < 10; ++step) EXPECT_EQ(watch.Look(StepOf(std::nullopt)).warning, "") << step;
}

TEST(RunWatchTest, AStepWithoutRewardsDoesNotHideALowReward) {
  RunWatch watch({.rule = {}, .collapse = {.stall_steps = 3}}, {});
  watch.Look(StepOf(kLow));
  watch.Look(StepOf(kLow));
  EXPECT_EQ(watch.Look(StepOf(std::nullopt)).warning, "");
  EXPECT_NE(watch.Look(StepOf(kLow)).warning, "");
}

}  // namespace
}  // namespace autodidact::evaluation
