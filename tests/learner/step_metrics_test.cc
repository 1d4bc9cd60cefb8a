#include "learner/step_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace autodidact::learner {
namespace {

using schema::StopReason;
using schema::VerdictKind;
using testing::ElementsAre;
using testing::Key;

schema::Rollout Answer(std::size_t tokens, StopReason stop = StopReason::kEndOfText) {
  schema::Rollout rollout;
  rollout.ids.assign(tokens, 3);
  rollout.stop = stop;
  return rollout;
}

schema::Rollout AnswerOf(schema::WeightVersion first, schema::WeightVersion last) {
  schema::Rollout rollout = Answer(1);
  rollout.first_version = first;
  rollout.last_version = last;
  return rollout;
}

// The groups of a step, and what is said of them.
class StepMetricsTest : public testing::Test {
 protected:
  schema::ScoredGroup& GroupOf(std::vector<schema::Rollout> rollouts) {
    schema::ScoredGroup scored;
    scored.group.prompt_ids = {1, 2, 3};
    scored.rewards.assign(rollouts.size(), 1.0);
    scored.group.rollouts = std::move(rollouts);
    scored.reference = schema::Reference{.text = "four", .generation = "four", .rubric = {}};
    groups_.push_back(std::move(scored));
    return groups_.back();
  }
  void GroupThatFailed() {
    schema::ScoredGroup scored;
    scored.reference = base::Failure{base::ErrorKind::kBadInput, "the prompt is too long"};
    groups_.push_back(std::move(scored));
  }
  base::Metrics Metrics(schema::WeightVersion version = 0) const { return GroupMetrics(groups_, version); }
  double Metric(const std::string& name, schema::WeightVersion version = 0) const {
    const auto metrics = Metrics(version);
    return metrics.contains(name) ? metrics.at(name) : -1;
  }
  bool IsMeasured(const std::string& name) const { return Metrics().contains(name); }

  std::vector<schema::ScoredGroup> groups_;
};

TEST_F(StepMetricsTest, LengthsAreThoseOfAllRollouts) {
  GroupOf({Answer(2), Answer(6)});
  GroupOf({Answer(4), Answer(8, StopReason::kMaxLength)});
  EXPECT_EQ(Metric("completions/mean_length"), 5);
  EXPECT_EQ(Metric("completions/min_length"), 2);
  EXPECT_EQ(Metric("completions/max_length"), 8);
  EXPECT_EQ(Metric("completions/mean_terminated_length"), 4);
  EXPECT_EQ(Metric("completions/clipped_ratio"), 0.25);
  EXPECT_EQ(Metric("groups/received"), 2);
}

TEST_F(StepMetricsTest, TokensAreThoseOfPromptsAndRollouts) {
  GroupOf({Answer(2), Answer(6)});
  GroupOf({Answer(0), Answer(1)});
  EXPECT_EQ(Metric("num_tokens"), 3 + 8 + 3 + 1);
}

TEST_F(StepMetricsTest, AnEmptyAnswerIsTheShortest) {
  GroupOf({Answer(5), Answer(0)});
  EXPECT_EQ(Metric("completions/min_length"), 0);
  EXPECT_EQ(Metric("completions/mean_length"), 2.5);
}

TEST_F(StepMetricsTest, WhereEveryRolloutWasCutNoneHasALengthOfItsOwn) {
  GroupOf({Answer(8, StopReason::kMaxLength), Answer(8, StopReason::kMaxLength)});
  EXPECT_EQ(Metric("completions/clipped_ratio"), 1);
  EXPECT_FALSE(IsMeasured("completions/mean_terminated_length"));
}

TEST_F(StepMetricsTest, StalenessIsInVersionsBehindTheWeightsOfTheStep) {
  GroupOf({AnswerOf(7, 7), AnswerOf(5, 7), AnswerOf(4, 4), AnswerOf(6, 7)});
  EXPECT_EQ(Metric("staleness/mean", 7), (0 + 2 + 3 + 1) / 4.0);
  EXPECT_EQ(Metric("staleness/max", 7), 3);
  EXPECT_EQ(Metric("staleness/mixed_versions", 7), 0.5);
}

TEST_F(StepMetricsTest, AReferenceThatFailedIsCounted) {
  GroupOf({Answer(1)}).reference->stages = 3;
  GroupOf({Answer(1)});
  GroupThatFailed();
  GroupThatFailed();
  EXPECT_EQ(Metric("anchor/failed"), 0.5);
  EXPECT_EQ(Metric("anchor/rubric_failed"), 0);
  EXPECT_EQ(Metric("anchor/stages"), 2);  // of those that are there
}

TEST_F(StepMetricsTest, CriteriaAreCountedWhereThereIsARubric) {
  GroupOf({Answer(1)});
  EXPECT_FALSE(IsMeasured("anchor/criteria"));
  GroupOf({Answer(1)}).reference->rubric = {{"a", 1}, {"b", 1}, {"c", 1}};
  GroupOf({Answer(1)}).reference->rubric = {{"a", 1}};
  EXPECT_EQ(Metric("anchor/criteria"), 2);
}

TEST_F(StepMetricsTest, ARewardThatIsMissingIsCountedAndIsNoZero) {
  GroupOf({Answer(1), Answer(1)}).rewards = {base::Failure{}, 0.0};
  EXPECT_EQ(Metric("judge/no_reward"), 0.5);
  EXPECT_FALSE(IsMeasured("judge/invalid_verdicts"));
  GroupOf({Answer(1)}).verdicts = {{.kind = VerdictKind::kMet},
                                   {.kind = VerdictKind::kNotMet},
                                   {.kind = VerdictKind::kInvalid},
                                   {.kind = VerdictKind::kMet}};
  EXPECT_EQ(Metric("judge/invalid_verdicts"), 0.25);
}

TEST_F(StepMetricsTest, TimesAreMeansOverGroups) {
  auto& first = GroupOf({Answer(1)});
  first.rollout_seconds = 1;
  first.anchor_seconds = 2;
  first.judge_seconds = 4;
  GroupOf({Answer(1)}).rollout_seconds = 3;
  EXPECT_EQ(Metric("time/rollout"), 2);
  EXPECT_EQ(Metric("time/anchor"), 1);
  EXPECT_EQ(Metric("time/judge"), 2);
}

TEST_F(StepMetricsTest, WhatWasNotMeasuredIsAbsent) {
  EXPECT_THAT(Metrics(), ElementsAre(Key("groups/received"), Key("num_tokens")));
  GroupThatFailed();
  for (const char* name : {"completions/mean_length", "completions/min_length", "staleness/mean", "staleness/max",
                           "judge/no_reward", "anchor/stages"}) {
    EXPECT_FALSE(IsMeasured(name)) << name;
  }
  EXPECT_EQ(Metric("anchor/failed"), 1);
}

}  // namespace
}  // namespace autodidact::learner
