#include "answers/extract.h"

#include <gtest/gtest.h>

#include "answers/label.h"
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

struct NumberCase {
  const char* text;
  const char* value;  // nullptr: none
};

TEST(ExtractLastNumberTest, ReadsWholeNumbersInAllTheirSpellings) {
  static constexpr NumberCase kCases[] = {{"-$5", "-5"},
                                          {"$-5", "-5"},
                                          {"is \u20135", "-5"},
                                          {"x = - 5", "-5"},
                                          {"minus 5", "-5"},
                                          {"The answer is - 5", "-5"},
                                          {"(-5)", "-5"},
                                          {"+5", "5"},
                                          {"1 500 euros", "1500"},
                                          {"1\u00A0500", "1500"},
                                          {"1\u202F234\u202F567", "1234567"},
                                          {"1\\,234", "1234"},
                                          {"1{,}234", "1234"},
                                          {"1,\\!234", "1234"},
                                          {"1'234'567", "1234567"},
                                          {"1_000", "1000"},
                                          {"1,00,000", "100000"},
                                          {"1.234.567", "1234567"},
                                          {"1.234,56", "1234.56"},
                                          {"1.234", "1.234"},
                                          {"\u20AC1,234.50.", "1234.50"},
                                          {"1/2.", "1/2"},
                                          {"\\frac{1}{2}", "1/2"},
                                          {"-\\dfrac12", "-1/2"},
                                          {"x = \\frac{-3}{4}", "-3/4"},
                                          {"1 1/2 cups", "1 1/2"},
                                          {"3\\frac{1}{4}", "3 1/4"},
                                          {"1\u00BD", "1 1/2"},
                                          {"1.5\u00D710^3", "1.5e3"},
                                          {"2 \\times 10^{-3}", "2e-3"},
                                          {"2\u00D710\u00B3", "2e3"},
                                          {"2 * 10^3", "2e3"},
                                          {"10^6", "1e6"},
                                          {"2^10", "2^{10}"},
                                          {"1E+5", "1E+5"},
                                          {"5 million", "5e6"},
                                          {"1.5 thousand people", "1.5e3"},
                                          {"50%", "50%"},
                                          {"50 \\%", "50%"},
                                          {"50 percent", "50%"},
                                          {"9:30", "9:30"},
                                          {"11:00 PM", "23:00"},
                                          {"12:05 am", "0:05"},
                                          {"3:4", "3:4"},
                                          {"**5**", "5"},
                                          {"_5_", "5"},
                                          {"`5`", "5"},
                                          {"five: 5!", "5"},
                                          {"5..", "5"},
                                          {"$\\mathbf{73}$", "73"},
                                          {"\\boxed{8,000}", "8000"},
                                          {"12 cm^2", "12"},
                                          {"12\u00A0cm\u00B2", "12"},
                                          {"12\\text{ cm}^2", "12"},
                                          {"5 m/s", "5"},
                                          {"$5/hour", "5"},
                                          {"90^\\circ", "90"},
                                          {"90\u00B0", "90"},
                                          {"5 \u00B0C", "5"},
                                          {"the 5th", "5"},
                                          {"a 5-year plan", "5"},
                                          {"25 - that is all", "25"},
                                          {"Q7: 3+4 = 7", "7"},
                                          {"f(2) = 7", "7"},
                                          {"| total | 42 |", "42"},
                                          {"<answer>42</answer>", "42"},
                                          {"42<|im_end|>", "42"},
                                          {"48+24 = <<48+24=72>>72", "72"},
                                          {"\\approx 3.14", "3.14"},
                                          {"CO2: 7", "7"},
                                          {"#### 72", "72"},
                                          {"- 5", "-5"},
                                          {"1. one\n2. so 42", "42"},
                                          {"123456789012345678901234567890", "123456789012345678901234567890"}};
  for (const NumberCase& wanted : kCases)
    EXPECT_EQ(Extract(Extractor::kLastNumber, wanted.text), Answer(wanted.value)) << wanted.text;
}

TEST(ExtractLastNumberTest, TakesNoPartOfAnythingForANumber) {
  for (const char* text : {"8-3",          "x-2",          "1,2,3",
                           "1,2345",       "no number",    "5\\sqrt{2}",
                           "\\sqrt{2}",    "\u221A2",      "5,3",
                           "x^2",          "x\u00B2",      "2023-01-02",
                           "3/4/2023",     "v5.2.1",       "A7",
                           "5.2.1",        "192.168.1.1",  "(2, 3)",
                           "[2, 3]",       "\\{2, 3\\}",   "5 or 7",
                           "2 and 3",      "f(2)",         "(5)^2",
                           "3 x 5",        "2(5)",         "2(x+1)",
                           "x - 5",        "5 minus 3",    "5 squared",
                           "20-30",        "5/x",          "|-5|",
                           "\\log_2 8",    "sqrt(2)",      "\\pi/2",
                           "2\\pi",        "5i",           "3+4i",
                           "5x",           "3 dozen",      "2 and a half",
                           "\\pm 5",       "\u00B15",      "x > 5",
                           "x \\ge 5",     "52_8",         "0.\\overline{3}",
                           "0.333...",     "5 \u00D7 3",   "6 \u00F7 2",
                           "\\frac{x}{2}", "\\frac{1}{x}", "\\binom{5}{2}",
                           "a_{10}",       "0x1F",         "1\uFF15",
                           "\u0665",       "\uFF15",       "1.5M",
                           "12,34",        "3h^2",         "2 1/2 million",
                           "COVID-19",     "step_3",       "\\dfrac{22}{7}\\pi"}) {
    EXPECT_EQ(Extract(Extractor::kLastNumber, text), std::nullopt) << text;
  }
}

TEST(LabelTest, OfTheLastNumberIsOneNumber) {
  for (const char* label :
       {"5", "-1,234.5", "$5 per hour", "72 clips", "x = 5", "10:30", "1/2", "#### 72", "\\boxed{72}",
        "She sold 48/2 = 24 clips in May, so she sold 48 + 24 = 72 clips.", "48/2=24\n48+24=72"}) {
    EXPECT_EQ(WhyNoLabel(Extractor::kLastNumber, label), "") << label;
  }
  for (const char* label : {"2,3", "\\sqrt{2}", "x^2", "5 or 7", "1, 2, 3", "x = 5, y = 7", "5!", "x = 1 or x = 2"}) {
    EXPECT_NE(WhyNoLabel(Extractor::kLastNumber, label), "") << label;
    EXPECT_TRUE(ReferenceAnswers(Extractor::kLastNumber, LabelText(Extractor::kLastNumber, {label})).empty()) << label;
  }
  EXPECT_EQ(WhyNoLabel(Extractor::kLastNumber, "\\sqrt{2}"), "is more than a number (extractor last_number)");
  EXPECT_EQ(WhyNoLabel(Extractor::kLastNumber, "none"), "holds no number (extractor last_number)");
  EXPECT_EQ(WhyNoLabel(Extractor::kBoxed, "5"), "");
  EXPECT_EQ(WhyNoLabel(Extractor::kWholeText, " "), "holds no answer (extractor whole)");
  EXPECT_EQ(ReferenceAnswers(Extractor::kLastNumber, LabelText(Extractor::kLastNumber, {"2,3", "7", "8"})),
            (std::vector<std::string>{"7", "8"}));
}

TEST(ExtractHashesTest, TakesTheLineAfterTheLastHashes) {
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### 3\nthen\n#### 72"), Answer("72"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "####\n 72 \nmore"), Answer("72"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### $1,234.50"), Answer("1234.50"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### -1,234"), Answer("-1234"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### x + 1"), Answer("x + 1"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### \u22121\u00A0234"), Answer("-1234"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### **$-5.**"), Answer("-5"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "#### 5 or 7"), Answer("5 or 7"));
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "72"), std::nullopt);
  EXPECT_EQ(Extract(Extractor::kAfterHashes, "####  "), std::nullopt);
}

TEST(ExtractWholeTest, FoldsWhiteSpace) {
  EXPECT_EQ(Extract(Extractor::kWholeText, "  K AE1\t T\n"), Answer("K AE1 T"));
  EXPECT_EQ(Extract(Extractor::kWholeText, " \n"), std::nullopt);
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

}  // namespace
}  // namespace autodidact::answers
