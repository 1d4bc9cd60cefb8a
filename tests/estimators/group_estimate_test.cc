#include "estimators/group_estimate.h"

#include <gtest/gtest.h>

namespace autodidact::estimators {
namespace {

const Comparison kWholeTexts{.rule = {answers::Extractor::kWholeText, answers::Comparator::kExact}};

base::Outcome<bool> EqualFirstLetters(const std::string& left, const std::string& right) {
  if (left == "?" || right == "?") return base::Failure{base::ErrorKind::kRetryLater, "not known"};
  return left.front() == right.front();
}

TEST(MakerOfTest, EveryEstimatorHasTheMakerOfWhatItReads) {
  for (const EstimatorKind kind : base::AllValues<EstimatorKind>()) {
    const Maker maker = MakerOf(kind);
    EXPECT_EQ(maker == Maker::kSelector, IsSelection(kind)) << base::NameIn(kind);
    EXPECT_EQ(maker == Maker::kAtOnce, !ReadsOf(kind).model) << base::NameIn(kind);
    EXPECT_EQ(maker == Maker::kAtOnce, ReadsOf(kind).label || ReadsGroupAlone(kind)) << base::NameIn(kind);
  }
  EXPECT_EQ(MakerOf(EstimatorKind::kSynthesis), Maker::kSynthesizer);
}

TEST(FromRowTest, WhatTheRowBringsSaysWhatItIsHeldAgainst) {
  const auto labels = FromRow(kWholeTexts, schema::Labels{{"a  b", "c"}});
  EXPECT_EQ(labels->target, schema::Target(schema::Labels{{"a b", "c"}}));
  Comparison by_model = kWholeTexts;
  by_model.by_program = false;
  EXPECT_EQ(FromRow(by_model, schema::Labels{{"a  b", "c"}})->target, schema::Target(schema::Labels{{"a  b", "c"}}));
  const schema::Rubric rubric{{{"is short", 2}}};
  EXPECT_EQ(FromRow(kWholeTexts, rubric)->target, schema::Target(rubric));
  const schema::Tests tests{.code = "assert f", .entry_point = "f", .prompt = {}};
  EXPECT_EQ(FromRow(kWholeTexts, tests)->target, schema::Target(tests));
  EXPECT_EQ(FromRow(kWholeTexts, tests)->reference.text, "assert f");
  EXPECT_EQ(FromRow(kWholeTexts, schema::MadeReference{"s"})->target, schema::Target(schema::WholeText{"s"}));
  EXPECT_EQ(FromRow(kWholeTexts, schema::MadeReference{"s\x1et"})->target, schema::Target(schema::Labels{{"s", "t"}}));
}

TEST(FromRowTest, NothingIsAFailure) {
  for (const schema::Supervision& nothing :
       {schema::Supervision(), schema::Supervision(schema::Labels{}), schema::Supervision(schema::Rubric{}),
        schema::Supervision(schema::Tests{}), schema::Supervision(schema::Inputs{{"1"}})}) {
    EXPECT_FALSE(FromRow(kWholeTexts, nothing).ok());
  }
}

TEST(FromTextsTest, AnOutsideProgramCountsTheVotesWhereThereIsOne) {
  const std::vector<std::string> texts = {"x", "ab", "x", "ac", "ad"};
  EXPECT_EQ(FromTexts(EstimatorKind::kMajority, kWholeTexts, texts)->reference.text, "x");
  Comparison outside = kWholeTexts;
  outside.same = EqualFirstLetters;
  const auto voted = FromTexts(EstimatorKind::kMajority, outside, texts);
  EXPECT_EQ(voted->reference.text, "ab");
  EXPECT_EQ(voted->target, schema::Target(schema::WholeText{"ab"}));
}

TEST(ComparisonTest, AnyThatIsTheSameIsEnoughAndAnUnknownOneIsNoNo) {
  EXPECT_TRUE(*kWholeTexts.IsAnyOf("a", {"b", "a"}));
  EXPECT_FALSE(*kWholeTexts.IsAnyOf("a", {"b"}));
  Comparison outside = kWholeTexts;
  outside.same = EqualFirstLetters;
  EXPECT_TRUE(*outside.IsAnyOf("a1", {"?", "a2"}));
  EXPECT_FALSE(outside.IsAnyOf("a1", {"?", "b"}).ok());
  EXPECT_FALSE(*outside.IsAnyOf("a1", {"b"}));
}

}  // namespace
}  // namespace autodidact::estimators
