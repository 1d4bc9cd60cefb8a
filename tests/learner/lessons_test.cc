#include "learner/lessons.h"

#include <gtest/gtest.h>

namespace autodidact::learner {
namespace {

base::Failure Failed(const std::string& reason) {
  return {base::ErrorKind::kBadInput, reason};
}

// A group whose rollouts have these rewards and are different texts of one token.
data::GroupRecord GroupOf(const std::vector<schema::Reward>& rewards) {
  data::GroupRecord record;
  record.scored.reference = schema::Reference{.text = "r"};
  for (std::size_t i = 0; i < rewards.size(); ++i) {
    schema::Rollout rollout;
    rollout.ids = {1};
    rollout.text = "text " + std::to_string(i);
    record.scored.group.rollouts.push_back(rollout);
  }
  record.scored.rewards = rewards;
  return record;
}

data::GroupRecord WithoutReference(const std::string& reason) {
  data::GroupRecord record = GroupOf({});
  record.scored.group.rollouts.resize(2);
  record.scored.reference = Failed(reason);
  return record;
}

Lessons StepOf(const std::vector<data::GroupRecord>& groups, const std::vector<std::string>& dropped = {}) {
  return Lessons(groups, dropped, true);
}

TEST(LessonTest, TwoRewardsThatDifferTeach) {
  EXPECT_EQ(LessonOf(GroupOf({0.0, 1.0}).scored), Lesson::kSpread);
  EXPECT_EQ(LessonOf(GroupOf({0.4, 0.5, Failed("late")}).scored), Lesson::kSpread);
}

TEST(LessonTest, EqualRewardsTeachNothingWhateverTheirValue) {
  EXPECT_EQ(LessonOf(GroupOf({0.0, 0.0}).scored), Lesson::kAllWrong);
  EXPECT_EQ(LessonOf(GroupOf({-1.0, -1.0}).scored), Lesson::kAllWrong);
  EXPECT_EQ(LessonOf(GroupOf({1.0, 1.0}).scored), Lesson::kAllRight);
  EXPECT_EQ(LessonOf(GroupOf({0.5, 0.5}).scored), Lesson::kAllEqual);
}

TEST(LessonTest, ARewardAloneIsNone) {
  EXPECT_EQ(LessonOf(GroupOf({1.0, Failed("late")}).scored), Lesson::kNoReward);
  auto group = GroupOf({1.0, 0.0});
  group.scored.group.rollouts[1].ids.clear();
  EXPECT_EQ(LessonOf(group.scored), Lesson::kNoReward);
}

TEST(LessonTest, OneTextOverAndOverIsToldApartFromWrongAnswers) {
  auto group = GroupOf({0.0, 0.0});
  for (auto& rollout : group.scored.group.rollouts) rollout.text = "same";
  EXPECT_EQ(LessonOf(group.scored), Lesson::kSameText);
}

TEST(LessonTest, WhatFailedFirstCounts) {
  EXPECT_EQ(LessonOf(WithoutReference("no answer").scored), Lesson::kNoReference);
  schema::ScoredGroup unsampled;
  unsampled.reference = Failed("the prompt has 600 tokens");
  EXPECT_EQ(LessonOf(unsampled), Lesson::kNotSampled);
}

TEST(LessonsTest, CountsEveryGroupAndHoleOnce) {
  const Lessons lessons =
      StepOf({GroupOf({0.0, 1.0}), GroupOf({0.0, 0.0}), GroupOf({0.0, 0.0}), WithoutReference("x")}, {"lost"});
  EXPECT_EQ(lessons.groups(), 5);
  EXPECT_TRUE(lessons.teaches());
  EXPECT_EQ(lessons.CommonestLack(), Lesson::kAllWrong);
  const base::Metrics metrics = lessons.ToMetrics();
  EXPECT_EQ(metrics.at("groups/with_spread"), 1);
  EXPECT_EQ(metrics.at("groups/all_wrong"), 2);
  EXPECT_EQ(metrics.at("groups/not_sampled"), 1);
  EXPECT_EQ(base::PrefixClash(metrics), "");
}

TEST(LessonsTest, ReasonsThatDifferInNumbersAreOne) {
  const Lessons lessons = StepOf(
      {WithoutReference("no room"), WithoutReference("it has 12 tokens"), WithoutReference("it has 700 tokens")});
  EXPECT_EQ(lessons.CommonestReason(Lesson::kNoReference), "it has 12 tokens");
  EXPECT_EQ(lessons.CommonestReason(Lesson::kNoReward), "");
}

TEST(LessonsTest, RewardsThatDifferWithoutAGradientDoNotTeach) {
  const Lessons lessons({GroupOf({0.0, 1.0})}, {}, false);
  EXPECT_FALSE(lessons.teaches());
  EXPECT_EQ(lessons.CommonestLack(), Lesson::kNoGradient);
}

TEST(LessonsTest, AllRightAllowsFailuresOfAMinorityOnly) {
  EXPECT_TRUE(StepOf({GroupOf({1.0, 1.0}), GroupOf({1.0, 1.0}), WithoutReference("x")}).all_right());
  EXPECT_FALSE(StepOf({GroupOf({1.0, 1.0}), WithoutReference("x")}, {"lost"}).all_right());
  EXPECT_FALSE(StepOf({GroupOf({1.0, 1.0}), GroupOf({0.0, 0.0})}).all_right());
  EXPECT_FALSE(StepOf({}).all_right());
}

TEST(EmptyStepsTest, SoManyInARowEndTheRun) {
  EmptySteps steps(3);
  const Lessons empty = StepOf({GroupOf({0.0, 0.0})});
  auto found = steps.Look(empty);
  EXPECT_TRUE(found.first);
  EXPECT_FALSE(found.ever_taught);
  EXPECT_FALSE(found.end);
  found = steps.Look(empty);
  EXPECT_FALSE(found.first);
  EXPECT_FALSE(found.end);
  EXPECT_EQ(steps.Look(empty).end, RunEnd::kEmpty);
  EXPECT_EQ(steps.lessons().Count(Lesson::kAllWrong), 3);
}

TEST(EmptyStepsTest, AStepThatTeachesBeginsTheCountAnew) {
  EmptySteps steps(2);
  const Lessons empty = StepOf({GroupOf({0.0, 0.0})});
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(steps.Look(empty).end);
    EXPECT_FALSE(steps.Look(StepOf({GroupOf({0.0, 1.0})})).end);
  }
  const auto found = steps.Look(empty);
  EXPECT_TRUE(found.first);
  EXPECT_TRUE(found.ever_taught);
  EXPECT_EQ(steps.AtLastStep(), RunEnd::kFinished);
}

TEST(EmptyStepsTest, NothingIsLeftWhereEveryOneWasAllRight) {
  EmptySteps steps(2);
  const Lessons right = StepOf({GroupOf({1.0, 1.0})});
  steps.Look(right);
  EXPECT_EQ(steps.Look(right).end, RunEnd::kNothingLeft);
  EmptySteps mixed(2);
  mixed.Look(StepOf({GroupOf({0.0, 0.0})}));
  EXPECT_EQ(mixed.Look(right).end, RunEnd::kEmpty);
}

TEST(EmptyStepsTest, OneTextOverAndOverIsNothingLeftOnlyAfterSomethingWasTaught) {
  auto group = GroupOf({1.0, 1.0});
  for (auto& rollout : group.scored.group.rollouts) rollout.text = "same";
  EmptySteps cold(1), taught(1);
  EXPECT_EQ(cold.Look(StepOf({group})).end, RunEnd::kEmpty);
  taught.Look(StepOf({GroupOf({0.0, 1.0})}));
  EXPECT_EQ(taught.Look(StepOf({group})).end, RunEnd::kNothingLeft);
}

TEST(EmptyStepsTest, ZeroNeverEndsTheRunButItsLastStepDoes) {
  EmptySteps steps(0);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(steps.Look(StepOf({}, {"lost"})).end);
  EXPECT_EQ(steps.AtLastStep(), RunEnd::kEmpty);
}

TEST(EmptyStepsTest, AResumedRunKnowsThatItWasTaught) {
  EmptySteps first(5);
  first.Look(StepOf({GroupOf({0.0, 1.0})}));
  EmptySteps second(5);
  second.Restore(first.Save());
  second.Look(StepOf({GroupOf({0.0, 0.0})}));
  EXPECT_EQ(second.AtLastStep(), RunEnd::kFinished);
  EmptySteps third(5);
  third.Restore(EmptySteps(5).Save());
  third.Look(StepOf({GroupOf({0.0, 0.0})}));
  EXPECT_EQ(third.AtLastStep(), RunEnd::kEmpty);
}

}  // namespace
}  // namespace autodidact::learner
