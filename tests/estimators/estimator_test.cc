#include "estimators/estimator.h"

#include <gtest/gtest.h>

namespace autodidact::estimators {
namespace {

const AnswerRule kBoxed{answers::Extractor::kBoxed, answers::Comparator::kExact};
const AnswerRule kWhole{answers::Extractor::kWholeText, answers::Comparator::kExact};

TEST(ReadsTest, OnlyTheGroundTruthReadsLabelsAndTheSynthesisNeverTheQuestion) {
  for (const EstimatorKind kind : base::AllValues<EstimatorKind>()) {
    EXPECT_EQ(ReadsOf(kind).label, kind == EstimatorKind::kGroundTruth) << base::NameIn(kind);
    EXPECT_EQ(IsSelection(kind), ReadsOf(kind).question) << base::NameIn(kind);
  }
  EXPECT_FALSE(ReadsOf(EstimatorKind::kSynthesis).question);
  EXPECT_TRUE(ReadsOf(EstimatorKind::kSelfSelect).question);
}

TEST(FromGroupTest, AnswersForEveryKindThatReadsTheGroupAloneAndForNoOther) {
  for (const EstimatorKind kind : base::AllValues<EstimatorKind>()) {
    if (ReadsGroupAlone(kind)) {
      EXPECT_EQ(FromGroup(kind, kWhole, {"a"})->text, "a") << base::NameIn(kind);
    } else {
      EXPECT_THROW(FromGroup(kind, kWhole, {"a"}).ok(), base::Error) << base::NameIn(kind);
    }
  }
}

TEST(MajorityTest, TheLargestClassWinsAndItsFirstTextSpeaks) {
  const auto reference = MajorityReference(
      kBoxed, {"\\boxed{1}", "first \\boxed{2}", "no answer", "no answer", "no answer", "second \\boxed{ 2 }"});
  ASSERT_TRUE(reference.ok());
  EXPECT_EQ(reference->text, "first \\boxed{2}");
}

TEST(MajorityTest, TiesGoToTheClassThatCameFirst) {
  EXPECT_EQ(MajorityReference(kWhole, {"c", "b", "a", "a", "b"})->text, "b");
}

TEST(MajorityTest, FailsWithoutAnyAnswer) {
  const auto reference = MajorityReference(kBoxed, {"1", "2"});
  ASSERT_FALSE(reference.ok());
  EXPECT_EQ(reference.failure().kind, base::ErrorKind::kBadInput);
  EXPECT_FALSE(MajorityReference(kBoxed, {}).ok());
}

// However many say it: \tan 90^\circ is no answer that others could agree with.
TEST(MajorityTest, AnswersWithoutAValueHaveNoVote) {
  const AnswerRule rule{answers::Extractor::kBoxed, answers::Comparator::kMathematics};
  const std::string pole = "\\boxed{\\tan 90^\\circ}";
  EXPECT_EQ(MajorityReference(rule, {pole, pole, pole, "\\boxed{42}"})->text, "\\boxed{42}");
  EXPECT_EQ(MajorityReference(rule, {"\\boxed{0/0}", "\\boxed{41}", "\\boxed{42}", "\\boxed{84/2}"})->text,
            "\\boxed{42}");
  EXPECT_FALSE(MajorityReference(rule, {pole, pole}).ok());
}

TEST(MajorityTest, ATextCannotAdmitSeveralAnswers) {
  const auto reference = MajorityReference(kWhole, {"a\x1e b"});
  EXPECT_EQ(answers::ReferenceAnswers(kWhole.extractor, reference->text), std::vector<std::string>{"a b"});
}

TEST(LabelTest, EveryLabelIsAnAnswer) {
  const auto reference = LabelReference(kBoxed, {"1", "2"});
  ASSERT_TRUE(reference.ok());
  EXPECT_EQ(answers::ReferenceAnswers(kBoxed.extractor, reference->text), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(LabelReference(kWhole, {"K AE T"})->text, "K AE T");
}

TEST(LabelTest, FailsWithoutALabel) {
  EXPECT_FALSE(LabelReference(kBoxed, {}).ok());
}

TEST(HeadingTest, OnlyTextUnderTheLastHeadingCounts) {
  EXPECT_EQ(TextUnderHeading("## Answer\nold\n## Answer\n new \n", "## Answer"), "new");
  EXPECT_EQ(TextUnderHeading("none", "## Answer"), std::nullopt);
  EXPECT_EQ(TextUnderHeading(" all of it ", ""), "all of it");
  EXPECT_EQ(TextUnderHeading("## Answer \n", "## Answer"), "");
}

}  // namespace
}  // namespace autodidact::estimators
