#include "launch/wiring/references.h"

#include <gtest/gtest.h>

namespace autodidact::launch {
namespace {

data::Row SomeRow() {
  data::Row row;
  row.prompt = {
      .id = "q",
      .text = "def f(x):",
      .messages = {},
      .columns = R"row({"entry_point": "f", "in": ["f(1)"], "rubrics": [{"criterion": "is short", "points": 2}]})row"};
  row.answers = {"4", "four"};
  return row;
}

// An actor's end without an anchor that answers.
class ReferencesTest : public testing::Test {
 protected:
  // The reference of a group whose rollouts say this, under a lease as the learner gives it out for the row.
  base::Outcome<schema::GroupReference> Found(const data::Row& row, const std::vector<std::string>& texts) {
    const schema::Lease lease{.ticket = 3, .prompt = row.prompt, .supervision = SupervisionOf(config_, row)};
    schema::RolloutGroup group{.ticket = 3, .prompt_ids = {1}, .rollouts = {}};
    for (const std::string& text : texts) group.rollouts.emplace_back().text = text;
    base::Outcome<schema::GroupReference> found = base::Failure{base::ErrorKind::kBug, "nothing was said"};
    MakeReferenceSource(config_, anchor_, refused_, nullptr)(
        lease, group, base::Deadline::In(base::Milliseconds(0)),
        [&](base::Outcome<schema::GroupReference> outcome) { found = std::move(outcome); });
    return found;
  }

  RunConfig config_;
  net::Context context_;
  net::Client anchor_{context_, {}, {}, {.name = "actor-0", .peer = "anchor"}};
  actors::RefusedReplies refused_{0};
};

TEST_F(ReferencesTest, LabelsLeaveTheLearnerOnlyForTheEstimatorThatMayReadThem) {
  for (const auto estimator : base::AllValues<estimators::EstimatorKind>()) {
    if (estimator == estimators::EstimatorKind::kGroundTruth) continue;
    config_.estimator = estimator;
    EXPECT_EQ(SupervisionOf(config_, SomeRow()), schema::Supervision()) << base::NameIn(estimator);
  }
  config_.estimator = estimators::EstimatorKind::kGroundTruth;
  EXPECT_EQ(SupervisionOf(config_, SomeRow()), schema::Supervision(schema::Labels{{"4", "four"}}));
}

TEST_F(ReferencesTest, AnyOfTheLabelsIsRight) {
  config_.estimator = estimators::EstimatorKind::kGroundTruth;
  config_.answer.extractor = answers::Extractor::kBoxed;
  const auto found = Found(SomeRow(), {"a", "b"});
  ASSERT_TRUE(found.ok()) << found.failure().reason;
  EXPECT_EQ(found->target, schema::Target(schema::Labels{{"4", "four"}}));
}

TEST_F(ReferencesTest, ARowWithoutALabelHasNoReference) {
  config_.estimator = estimators::EstimatorKind::kGroundTruth;
  auto row = SomeRow();
  row.answers.clear();
  EXPECT_FALSE(Found(row, {"a"}).ok());
}

TEST_F(ReferencesTest, TheMajorityIsTheReferenceAsAWhole) {
  config_.estimator = estimators::EstimatorKind::kMajority;
  config_.answer.extractor = answers::Extractor::kWholeText;
  const auto found = Found(SomeRow(), {"a", "b", "b"});
  ASSERT_TRUE(found.ok()) << found.failure().reason;
  EXPECT_EQ(found->reference.text, "b");
  EXPECT_EQ(found->target, schema::Target(schema::WholeText{"b"}));
}

TEST_F(ReferencesTest, TheRowsOwnRubricIsJudgedByItsCriteria) {
  config_.estimator = estimators::EstimatorKind::kGroundTruth;
  config_.judge.judging.kind = judge_service::JudgeKind::kRubric;
  const auto found = Found(SomeRow(), {"a"});
  ASSERT_TRUE(found.ok()) << found.failure().reason;
  EXPECT_EQ(found->target, schema::Target(schema::Rubric{{{"is short", 2}}}));
}

TEST_F(ReferencesTest, TestsOfARowAreItsAnswers) {
  config_.estimator = estimators::EstimatorKind::kGroundTruth;
  config_.answer.comparator = Comparison::kCode;
  auto row = SomeRow();
  row.answers = {"assert f(1) == 2"};
  const auto found = Found(row, {"a"});
  ASSERT_TRUE(found.ok()) << found.failure().reason;
  EXPECT_EQ(found->target, schema::Target(schema::Tests{"assert f(1) == 2\n", "f", "def f(x):"}));
  row.answers.clear();
  EXPECT_FALSE(Found(row, {"a"}).ok());
}

TEST_F(ReferencesTest, InputsOfARowGoOutWithIt) {
  config_.answer.comparator = Comparison::kCode;
  EXPECT_EQ(SupervisionOf(config_, SomeRow()), schema::Supervision());
  config_.answer.code.inputs = "in";
  EXPECT_EQ(SupervisionOf(config_, SomeRow()), schema::Supervision(schema::Inputs{{"f(1)"}}));
}

TEST_F(ReferencesTest, AReferenceThatWasMadeBeforeTheRunIsTaken) {
  config_.data.references = "r.jsonl";
  config_.answer.extractor = answers::Extractor::kWholeText;
  auto row = SomeRow();
  row.reference = "it is 4";
  const auto found = Found(row, {"a"});
  ASSERT_TRUE(found.ok()) << found.failure().reason;
  EXPECT_EQ(found->reference.text, "it is 4");
  EXPECT_EQ(found->target, schema::Target(schema::WholeText{"it is 4"}));
}

}  // namespace
}  // namespace autodidact::launch
