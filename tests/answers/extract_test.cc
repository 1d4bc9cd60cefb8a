#include "answers/extract.h"

#include <gtest/gtest.h>

#include "answers/prose.h"
#include "base/error.h"

namespace autodidact::answers {
namespace {

using Answer = std::optional<std::string>;

TEST(ExtractBoxedTest, KeepsNestedBraces) {
  EXPECT_EQ(Extract(Extractor::kBoxed, "so $\\boxed{\\frac{1}{\\sqrt{2}}}$."), Answer("\\frac{1}{\\sqrt{2}}"));
}

TEST(ExtractBoxedTest, TakesTheLastBox) {
  EXPECT_EQ(Extract(Extractor::kBoxed, "\\boxed{1} no, \\boxed{ 2 } is it"), Answer("2"));
  EXPECT_EQ(Extract(Extractor::kBoxed, "\\boxed{1} no, \\fbox{2}"), Answer("2"));
  EXPECT_EQ(Extract(Extractor::kBoxed, "\\fbox{1} no, \\boxed {2}"), Answer("2"));
}

TEST(ExtractBoxedTest, DoesNotCountPrintedBraces) {
  EXPECT_EQ(Extract(Extractor::kBoxed, "\\boxed{\\{1, 2\\}}"), Answer("\\{1, 2\\}"));
  EXPECT_EQ(Extract(Extractor::kBoxed, "\\boxed{\\left\\{ x \\right.} end"), Answer("\\left\\{ x \\right."));
}

TEST(ExtractBoxedTest, GivesNothingForEmptyOpenOrMissingBoxes) {
  EXPECT_EQ(Extract(Extractor::kBoxed, "42"), std::nullopt);
  EXPECT_EQ(Extract(Extractor::kBoxed, "\\boxed{  }"), std::nullopt);
  EXPECT_EQ(Extract(Extractor::kBoxed, "\\boxed{1} and \\boxed{\\frac{1}{2"), std::nullopt);
  EXPECT_EQ(Extract(Extractor::kBoxed, "\\boxed"), std::nullopt);
  EXPECT_EQ(Extract(Extractor::kBoxed, "\\boxed{\\"), std::nullopt);
}

TEST(ExtractLastNumberTest, ReadsSignsDecimalsAndThousands) {
  EXPECT_EQ(Extract(Extractor::kLastNumber, "from 3 to 1,234,567.50 dollars"), Answer("1234567.50"));
  EXPECT_EQ(Extract(Extractor::kLastNumber, "it is -7."), Answer("-7"));
  EXPECT_EQ(Extract(Extractor::kLastNumber, "it is \u22127"), Answer("-7"));
  EXPECT_EQ(Extract(Extractor::kLastNumber, "it is .5"), Answer(".5"));
  EXPECT_EQ(Extract(Extractor::kLastNumber, "loses -$5"), Answer("-5"));
  EXPECT_EQ(Extract(Extractor::kLastNumber, "about 1.5e-3"), Answer("1.5e-3"));
}

TEST(ExtractLastNumberTest, TakesNoOperatorForASign) {
  EXPECT_EQ(Extract(Extractor::kLastNumber, "8-3"), Answer("3"));
  EXPECT_EQ(Extract(Extractor::kLastNumber, "x-2"), Answer("2"));
}

TEST(ExtractLastNumberTest, TakesNoListForThousands) {
  EXPECT_EQ(Extract(Extractor::kLastNumber, "1,2,3"), Answer("3"));
  EXPECT_EQ(Extract(Extractor::kLastNumber, "1,2345"), Answer("2345"));
  EXPECT_EQ(Extract(Extractor::kLastNumber, "no number"), std::nullopt);
}

TEST(ExtractHashesTest, TakesTheLineAfterTheLastHashes) {
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### 3\nthen\n#### 72"), Answer("72"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "####\n 72 \nmore"), Answer("72"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### $1,234.50"), Answer("1234.50"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### -1,234"), Answer("-1234"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### x + 1"), Answer("x + 1"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "72"), std::nullopt);
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "####  "), std::nullopt);
}

TEST(ExtractWholeTest, FoldsWhiteSpace) {
  EXPECT_EQ(Extract(Extractor::kWholeText, "  K AE1\t T\n"), Answer("K AE1 T"));
  EXPECT_EQ(Extract(Extractor::kWholeText, " \n"), std::nullopt);
}

TEST(ExtractorNameTest, UnknownNamesAreRefusedWithTheList) {
  EXPECT_EQ(ExtractorNamed("last_number"), Extractor::kLastNumber);
  try {
    ExtractorNamed("box");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    EXPECT_NE(error.message().find("boxed"), std::string::npos);
  }
}

TEST(ReferenceAnswersTest, ReadsEveryLabelThatWasJoined) {
  const std::vector<std::string> labels = {"T AH M", "T AA M"};
  EXPECT_EQ(ReferenceAnswers(Extractor::kWholeText, LabelText(Extractor::kWholeText, labels)), labels);
  const std::vector<std::string> bare = {"\\frac{1}{2}", "0.5"};
  for (const Extractor extractor : {Extractor::kBoxed, Extractor::kAfterHashes}) {
    EXPECT_EQ(ReferenceAnswers(extractor, LabelText(extractor, bare)), bare);
  }
  EXPECT_EQ(ReferenceAnswers(Extractor::kAfterHashes, LabelText(Extractor::kAfterHashes, {"so it is\n#### 1,000"})),
            std::vector<std::string>{"1000"});
}

TEST(ReferenceAnswersTest, WhatAModelWroteHoldsOneAnswerAtMost) {
  EXPECT_EQ(ReferenceAnswers(Extractor::kWholeText, WithoutAlternatives("a\x1e b")), std::vector<std::string>{"a b"});
  EXPECT_TRUE(ReferenceAnswers(Extractor::kBoxed, "none").empty());
}

TEST(AnswerAmongWordsTest, TakesTheLastFormulaOfSentences) {
  EXPECT_EQ(AnswerAmongWords("As $x<2$, we get $x = 3$."), "x = 3");
  EXPECT_EQ(AnswerAmongWords("The sum is $$\n 9 \n$$ then."), "9");
  EXPECT_EQ(AnswerAmongWords("So it is \\(4\\), and the area is \\[ 5 \\]"), "5");
  EXPECT_EQ(AnswerAmongWords("It costs \\$5, so the answer is $7$"), "7");
}

TEST(AnswerAmongWordsTest, TakesWhatIsSaidToBeTheAnswer) {
  EXPECT_EQ(AnswerAmongWords("We know the cost, $5. The answer is: 12 cm."), "12 cm");
  EXPECT_EQ(AnswerAmongWords("Final Answer: The largest n is 34."), "34");
}

TEST(AnswerAmongWordsTest, LeavesAnswersAsTheyAre) {
  for (const char* answer :
       {"5 cm", "$5$", "\\text{no solution}", "x = 1 \\text{ or } x = 2", "12\\text{ and }13", ""}) {
    EXPECT_EQ(AnswerAmongWords(answer), answer);
  }
}

}  // namespace
}  // namespace autodidact::answers
