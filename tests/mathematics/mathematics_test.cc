#include "mathematics/mathematics.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "json/json.h"
#include "tests/mathematics/forms.h"
#include "tests/mathematics/hostile.h"
#include "tests/mathematics/pairs.h"
#include "tests/mathematics/public_pairs.h"
#include "tests/paths.h"

namespace autodidact::mathematics {
namespace {

// The rows of a JSONL file of the data folder; empty when it is absent.
std::vector<json::Json> Rows(const std::string& file) {
  std::vector<json::Json> rows;
  std::ifstream stream(tests::DataFolder() / file);
  for (std::string line; std::getline(stream, line);) rows.push_back(json::Parse(line, file));
  return rows;
}

std::string Shown(const std::string& left, const std::string& right) {
  return "'" + left + "' and '" + right + "'";
}

TEST(MathematicsTest, TheTableOfPairsHoldsBothWaysRound) {
  std::map<std::string, int> kinds;
  for (const MathPair& pair : kMathPairs) {
    ++kinds[pair.kind];
    EXPECT_EQ(Equal(pair.left, pair.right), pair.equal) << pair.kind << ": " << pair.left << " | " << pair.right;
    EXPECT_EQ(Equal(pair.right, pair.left), pair.equal) << pair.kind << ": " << pair.right << " | " << pair.left;
    EXPECT_TRUE(Equal(pair.left, pair.left)) << pair.left;
  }
  EXPECT_GE(std::size(kMathPairs), 200u);
  EXPECT_GE(kinds.size(), 18u);
}

TEST(MathematicsTest, WrittenFormsAreReadBothWaysRound) {
  for (const WrittenPair& pair : kWrittenPairs) {
    EXPECT_EQ(Equal(pair.left, pair.right), pair.equal) << Shown(pair.left, pair.right);
    EXPECT_EQ(Equal(pair.right, pair.left), pair.equal) << Shown(pair.right, pair.left);
  }
  EXPECT_GE(std::size(kWrittenPairs), 500u);
}

TEST(MathematicsTest, AnswersOfPublicKindsAreTheSameWhereTheirGradersSaySo) {
  for (const WrittenPair& pair : kPublicPairs) {
    EXPECT_EQ(Equal(pair.left, pair.right), pair.equal) << Shown(pair.left, pair.right);
    EXPECT_EQ(Equal(pair.right, pair.left), pair.equal) << Shown(pair.right, pair.left);
  }
}

TEST(MathematicsTest, WhatSaysNothingEqualsNoneOfTwelveReferences) {
  for (const std::string answer : kSayNothing) {
    for (const std::string reference : kTwelveReferences) {
      for (const std::string& setting : {answer, "(" + answer + ", " + answer + ")", "\\{" + answer + "\\}"}) {
        EXPECT_FALSE(Equal(reference, setting)) << Shown(reference, setting);
      }
    }
  }
}

// The hostile answers, with those that have no value in all settings too.
std::vector<std::string> HostileAnswers() {
  std::vector<std::string> answers(std::begin(kOtherValues), std::end(kOtherValues));
  for (const std::string answer : kWithoutValue) {
    answers.push_back(answer);
    for (const std::string setting : kSettings) {
      std::string set;
      for (std::size_t at = 0; at < setting.size(); ++at) {
        const bool is_place = setting.compare(at, 2, "%s") == 0;
        set += is_place ? answer : setting.substr(at, 1);
        at += is_place ? 1 : 0;
      }
      answers.push_back(set);
    }
  }
  return answers;
}

TEST(MathematicsTest, NoHostileAnswerEqualsAnyOfTwelveReferences) {
  const auto hostile = HostileAnswers();
  EXPECT_GE(hostile.size(), 300u);
  EXPECT_EQ(std::size(kTwelveReferences), 12u);
  for (const std::string& answer : hostile) {
    for (const std::string reference : kTwelveReferences) {
      EXPECT_FALSE(Equal(reference, answer)) << Shown(reference, answer);
    }
  }
}

TEST(MathematicsTest, WhatHasNoValueSaysNothing) {
  for (const char* const answer : kWithoutValue) EXPECT_FALSE(SaysSomething(answer)) << answer;
  for (const char* const answer : kTwelveReferences) EXPECT_TRUE(SaysSomething(answer)) << answer;
  for (const MathPair& pair : kMathPairs) {
    EXPECT_TRUE(!pair.equal || SaysSomething(pair.left)) << pair.left;
  }
  EXPECT_FALSE(SaysSomething("\\{1, \\tan 90^\\circ\\}"));
  EXPECT_TRUE(SaysSomething("\\text{undefined}"));
  EXPECT_TRUE(SaysSomething("\\infty"));
}

TEST(MathematicsTest, WhatCannotBeToldApartIsUndecidedAndNotUnequal) {
  EXPECT_EQ(Compare("42", "\\tan 90^\\circ"), Sameness::kUndecided);
  EXPECT_EQ(Compare("x", "\\frac{0}{0}"), Sameness::kUndecided);
  EXPECT_EQ(Compare("1", "\\sqrt{1+10^{-100000}}"), Sameness::kUndecided);
  EXPECT_EQ(Compare("1", "\\sqrt{1+10^{-400}}"), Sameness::kUnequal);
  EXPECT_EQ(Compare("42", "43"), Sameness::kUnequal);
  EXPECT_EQ(Compare("42", "forty"), Sameness::kUnequal);
  EXPECT_EQ(Compare("\\sqrt8", "2\\sqrt2"), Sameness::kEqual);
}

// What has a value that no ball is small enough for (a tower of exponents) would be lost else, and a label without one
// is the data's: nobody can use it on another.
TEST(MathematicsTest, TheSameSpellingIsEqualEvenWhereItHasNoValue) {
  for (const char* const answer : {"9^{9^{9^9}}", "\\tan 90^\\circ", "\\frac{0}{0}"}) {
    EXPECT_TRUE(Equal(answer, answer)) << answer;
    EXPECT_FALSE(SaysSomething(answer)) << answer;
  }
}

// Equal where floating point sees nothing but rounding errors, or where only an exact method can tell.
TEST(MathematicsTest, CancellationIsNoObstacleToEquality) {
  static constexpr const char* kEqual[][2] = {
      {"10^{25}+\\sqrt2-10^{25}", "\\sqrt2"},
      {"\\sqrt{10^{50}+1}-10^{25}", "\\frac{1}{\\sqrt{10^{50}+1}+10^{25}}"},
      {"\\frac{1}{\\sqrt2+\\sqrt3+\\sqrt5}", "\\frac{2\\sqrt3+3\\sqrt2-\\sqrt{30}}{12}"},
      {"\\sqrt[3]{2+\\sqrt5}+\\sqrt[3]{2-\\sqrt5}", "1"},
      {"\\cos\\frac{2\\pi}{7}+\\cos\\frac{4\\pi}{7}+\\cos\\frac{6\\pi}{7}", "-\\frac12"},
      {"\\sin 1^\\circ", "\\cos 89^\\circ"},
      {"\\tan 15^\\circ", "2-\\sqrt3"},
      {"(1+\\sqrt2)^{1000}", "(1+\\sqrt2)^{999}(1+\\sqrt2)"},
      {"(1+\\sqrt2)^{1000000}", "(1+\\sqrt2)(1+\\sqrt2)^{999999}"},
      {"\\lfloor(1+\\sqrt2)^2-2\\sqrt2\\rfloor", "3"},
      {"\\arctan1+\\arctan2+\\arctan3", "\\pi"},
      {"e^{i\\pi}", "-1"},
      {"i^i", "e^{-\\pi/2}"},
      {"\\frac{1}{1500!}", "\\frac{1501}{1501!}"},
      {"3^{-900}", "\\frac{3}{3^{901}}"},
      {"10^{-400}", "0.1^{400}"},
      {"e^{-1000}", "e^{-999}e^{-1}"},
      {"\\sqrt{1/m}", "\\frac{1}{\\sqrt m}"},
      {"n!", "n\\cdot(n-1)!"},
      {"\\sqrt{2}+\\sqrt3+\\sqrt5+\\sqrt7+\\sqrt{11}+\\sqrt{13}+\\sqrt{17}",
       "\\sqrt{17}+\\sqrt{13}+\\sqrt{11}+\\sqrt7+\\sqrt5+\\sqrt3+\\sqrt2"},
  };
  for (const auto& [left, right] : kEqual) {
    EXPECT_EQ(Compare(left, right), Sameness::kEqual) << Shown(left, right);
    EXPECT_EQ(Compare(right, left), Sameness::kEqual) << Shown(right, left);
  }
}

TEST(MathematicsTest, HendrycksCasesHold) {
  const auto rows = Rows("math_equivalence/hendrycks_cases.jsonl");
  if (rows.empty()) GTEST_SKIP() << "no math_equivalence in " << tests::DataFolder();
  EXPECT_EQ(rows.size(), 16u);
  for (const json::Json& row : rows) {
    const std::string a = row["a"], b = row["b"];
    EXPECT_EQ(Equal(a, b), row["equiv"].get<bool>()) << Shown(a, b);
    EXPECT_EQ(Equal(b, a), row["equiv"].get<bool>()) << Shown(b, a);
  }
}

std::string Replaced(const std::string& text, const std::string& pattern, const std::string& with) {
  return std::regex_replace(text, std::regex(pattern), with);
}

// Other ways to write the same answer; at least three for every one.
std::set<std::string> Rewritten(const std::string& answer) {
  std::set<std::string> forms = {"$" + answer + "$",  "\\boxed{" + answer + "}", "\\( " + answer + " \\).",
                                 "  " + answer + " ", "{" + answer + "}",        "\\displaystyle " + answer};
  forms.insert(Replaced(answer, "\\\\d?frac", "\\tfrac"));
  forms.insert(Replaced(answer, "\\\\left|\\\\right", ""));
  forms.insert(Replaced(answer, "([^\\d\\s\\}]|^)\\\\frac\\{([^{}]*)\\}\\{([^{}]*)\\}", "$1(($2)/($3))"));
  forms.insert(Replaced(answer, "\\\\sqrt\\{(\\d+)\\}", "{($1)}^{1/2}"));
  forms.insert(Replaced(answer, "\\\\pi", "\u03c0"));
  forms.insert(Replaced(answer, "\\^\\\\circ", "\\text{ degrees}"));
  if (std::regex_match(answer, std::regex("-?\\d+"))) {
    forms.insert(answer + ".0");
    forms.insert("x = " + answer);
    forms.insert("\\frac{" + answer + "0}{10}");
    forms.insert(answer + "\\text{ cm}");
  }
  forms.erase(answer);
  return forms;
}

TEST(MathematicsTest, EveryAnswerOfMath500EqualsItselfAndItsRewrittenForms) {
  const auto rows = Rows("math500/test.jsonl");
  if (rows.empty()) GTEST_SKIP() << "no math500 in " << tests::DataFolder();
  for (const json::Json& row : rows) {
    const std::string answer = row["answer"];
    EXPECT_TRUE(Equal(answer, answer)) << answer;
    const auto forms = Rewritten(answer);
    EXPECT_GE(forms.size(), 3u);
    for (const std::string& form : forms) {
      EXPECT_TRUE(Equal(answer, form)) << Shown(answer, form);
      EXPECT_TRUE(Equal(form, answer)) << Shown(form, answer);
    }
  }
}

// The answers of MATH-500 that are equal to another one are known: nothing else may be taken for the same.
TEST(MathematicsTest, DifferentAnswersOfMath500StayDifferent) {
  std::set<std::string> distinct;
  for (const json::Json& row : Rows("math500/test.jsonl")) distinct.insert(row["answer"].get<std::string>());
  if (distinct.empty()) GTEST_SKIP() << "no math500 in " << tests::DataFolder();
  int equal = 0;
  const std::vector<std::string> answers(distinct.begin(), distinct.end());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const bool same = Equal(answers[i], answers[j]);
      EXPECT_EQ(same, Equal(answers[j], answers[i])) << Shown(answers[i], answers[j]);
      equal += same;
    }
  }
  // "\frac14" and "\frac{1}{4}", "90^\circ" and "90", "x=5" and "5", and the like: looked at one by one.
  EXPECT_EQ(equal, 12);
}

TEST(MathematicsTest, SymmetricAndHarmlessOnRandomTexts) {
  const std::vector<std::string> pieces = {"1",
                                           "23",
                                           "4.5",
                                           ",",
                                           " ",
                                           "x",
                                           "y",
                                           "+",
                                           "-",
                                           "*",
                                           "/",
                                           "^",
                                           "_",
                                           "(",
                                           ")",
                                           "[",
                                           "]",
                                           "{",
                                           "}",
                                           "|",
                                           "=",
                                           "<",
                                           "\\frac",
                                           "\\sqrt",
                                           "\\pi",
                                           "\\pm",
                                           "\\%",
                                           "\\{",
                                           "\\}",
                                           "\\text",
                                           "\\cup",
                                           "\\infty",
                                           "\\circ",
                                           "\\sin",
                                           "\\log",
                                           "!",
                                           "\\\\",
                                           "&",
                                           "$",
                                           "e9",
                                           "\\left(",
                                           "\\le",
                                           "\\in",
                                           "\\right]",
                                           "\\overline",
                                           "\u221a",
                                           "\xff",
                                           "or",
                                           ":",
                                           "9999",
                                           "e-99",
                                           "\\boxed",
                                           "\\begin{pmatrix}",
                                           "\\end{pmatrix}",
                                           "\\binom",
                                           "\\lfloor",
                                           "\\mathbb",
                                           "'"};
  base::RandomWalk walk({1, base::RandomStream::kTest, 0, 0});
  const auto random_text = [&] {
    std::string text;
    for (std::uint64_t i = 0, n = walk.Below(14); i < n; ++i) text += pieces[walk.Below(pieces.size())];
    return text;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::string left = random_text(), right = random_text();
    ASSERT_EQ(Equal(left, right), Equal(right, left)) << Shown(left, right);
    ASSERT_TRUE(Equal(left, left)) << left;
  }
}

TEST(MathematicsTest, DeepAndLongTextsAreRefusedAndNotFollowed) {
  const auto repeated = [](const std::string& piece, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += piece;
    return text;
  };
  for (const char* piece : {"(", "{", "-", "\\sqrt", "\\frac", "2^", "\\sin", "|", "\\{", "1+", "x", "1,", "9", "5!",
                            "\\left(", "\\pm1", "2^{", "x_", "\\boxed{"}) {
    for (const int times : {10, 100, 350, 100000}) {
      const std::string text = repeated(piece, times);
      EXPECT_FALSE(Equal(text + "1", "no such thing")) << piece << " " << times;
      EXPECT_TRUE(Equal(text, text));
    }
  }
  EXPECT_FALSE(Equal("9^{9^{9^{9}}}", "9^{9^{9^{8}}}"));
  EXPECT_FALSE(Equal("100000!", "100001!"));
  EXPECT_FALSE(Equal("\\zeta(\\frac12+10^{30}i)", "\\zeta(\\frac12+10^{29}i)"));
  EXPECT_FALSE(Equal("\\int_0^{10^9}\\sin(x^2)dx", "\\int_0^{10^8}\\sin(x^2)dx"));
}

}  // namespace
}  // namespace autodidact::mathematics
