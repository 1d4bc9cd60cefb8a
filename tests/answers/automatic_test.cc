#include "answers/automatic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "answers/extract.h"
#include "answers/label.h"
#include "base/rng.h"
#include "json/json.h"
#include "tests/answers/stated_forms.h"
#include "tests/answers/stated_pairs.h"
#include "tests/paths.h"

namespace autodidact::answers {
namespace {

bool Accepts(const std::string& label, const std::string& text) {
  const auto gold = LabelStated(label);
  const auto answer = FindStated(text);
  return gold && answer && CompareStated(Comparator::kMathematics, *answer, {*gold}) == Sameness::kEqual;
}

std::string TextOf(const std::string& text) {
  const auto stated = FindStated(text);
  return stated ? stated->text : "(none)";
}

TEST(StatedAnswerTest, IsTheLabelsWhereItIsAndNeverElse) {
  for (const StatedPair& pair : kStatedPairs) {
    EXPECT_EQ(Accepts(pair.label, pair.text), pair.equal) << pair.label << "\n"
                                                          << pair.text << "\n"
                                                          << TextOf(pair.text);
  }
}

TEST(StatedAnswerTest, IsFoundInWholeResponsesAndNeverElse) {
  for (const StatedPair& pair : kStatedForms) {
    EXPECT_EQ(Accepts(pair.label, pair.text), pair.equal) << pair.label << "\n"
                                                          << pair.text << "\n"
                                                          << TextOf(pair.text);
  }
}

std::string WithoutBoxes(std::string text) {
  for (const std::string box : {"\\boxed{", "\\fbox{"}) {
    for (std::size_t at = text.find(box); at != std::string::npos; at = text.find(box)) {
      std::size_t end = at + box.size();
      for (int open = 1; end < text.size(); ++end) {
        open += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0;
        if (open == 0) break;
      }
      text.erase(std::min(end, text.size() - 1), 1);
      text.erase(at, box.size());
    }
  }
  return text;
}

// Worked solutions of people, which say much beside their answers.
TEST(StatedAnswerTest, IsFoundInMostSolutionsOfMath500WithoutTheirBoxesAndNeverThatOfAnother) {
  std::vector<std::pair<std::string, std::string>> rows;
  std::ifstream stream(tests::DataFolder() / "math500/test.jsonl");
  for (std::string line; std::getline(stream, line);) {
    const json::Json row = json::Parse(line, "math500");
    rows.emplace_back(row["answer"], WithoutBoxes(row["solution"]));
  }
  if (rows.empty()) GTEST_SKIP() << "no math500 in " << tests::DataFolder();
  int found = 0, of_others = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    found += Accepts(rows[i].first, rows[i].second);
    of_others += Accepts(rows[(i + 7) % rows.size()].first, rows[i].second);
  }
  EXPECT_GE(found, 360);
  EXPECT_LE(of_others, 4);  // the same number by chance
}

TEST(StatedAnswerTest, SeveralBoxesAreASetForALabelOfSeveralValuesElseTheLastCounts) {
  const std::string text = "First \\boxed{1}, then \\boxed{\\frac{1}{2}}.";
  EXPECT_TRUE(Accepts("\\frac12", text));
  EXPECT_TRUE(Accepts("1, \\frac12", text));
  EXPECT_TRUE(Accepts("\\{\\frac12, 1\\}", text));
  EXPECT_TRUE(Accepts("x = 1 or x = 1/2", text));
  EXPECT_FALSE(Accepts("1", text));
  EXPECT_FALSE(Accepts("1, 2, \\frac12", text));
  EXPECT_TRUE(Accepts("so \\boxed{3} and \\boxed{4}", "The answers are 3 and 4."));
  EXPECT_FALSE(Accepts("so \\boxed{3} and \\boxed{4}", "The answer is 4."));
  EXPECT_EQ(TextOf("\\boxed{\\boxed{5}}"), "5");
}

TEST(StatedAnswerTest, ThoughtsAreNoAnswer) {
  EXPECT_EQ(TextOf("<think>\nThe answer is 3, or \\boxed{4}.\n</think>\n\n**Answer:** 5"), "5");
  EXPECT_EQ(TextOf("The answer is 3.</think>5"), "5");
  EXPECT_EQ(TextOf("<think>The answer is 3."), "(none)");
  EXPECT_EQ(TextOf("<think>The answer is 3.</think>"), "(none)");
  EXPECT_EQ(TextOf("\\boxed{3} no, \\boxed{\\frac{1}{2"), "(none)");
}

TEST(StatedAnswerTest, WordsOfTheUnitCountWhereTheLabelHasSome) {
  EXPECT_TRUE(Accepts("73", "The answer is 73 residents."));
  EXPECT_TRUE(Accepts("73 residents", "The answer is 73."));
  EXPECT_TRUE(Accepts("73 residents", "The answer is 73 residents."));
  EXPECT_FALSE(Accepts("5 \\text{ cm}", "The answer is 5 m."));
}

TEST(StatedAnswerTest, OfExactComparisonIsTheText) {
  const auto label = LabelStated("K AE T");
  const auto answer = FindStated("Answer: K AE T");
  ASSERT_TRUE(label && answer);
  EXPECT_EQ(CompareStated(Comparator::kExact, *answer, {*label}), Sameness::kEqual);
  EXPECT_EQ(CompareStated(Comparator::kExact, *FindStated("Answer: K AE"), {*label}), Sameness::kUnequal);
}

TEST(StatedAnswerTest, MutatedTextsNeverCrash) {
  base::RandomWalk random({.seed = 3});
  for (const StatedPair& pair : kStatedPairs) {
    for (int round = 0; round < 20; ++round) {
      std::string text = pair.text;
      for (std::uint64_t edit = random.Below(4) + 1; edit > 0; --edit) {
        text[random.Below(text.size())] = static_cast<char>(random.Below(256));
      }
      if (random.Below(3) == 0) text.resize(random.Below(text.size()));
      FindStated(text);
      LabelStated(text);
      Extract(Extractor::kLastNumber, text);
      WhyNoLabel(Extractor::kLastNumber, text);
    }
  }
}

TEST(StatedAnswerTest, TheMarkOfAFormulaInATextIsNoFormula) {
  for (const std::string before : {"", "\\", "\\\\\\", "$1$ and \\"}) {
    EXPECT_EQ(TextOf("The answer is " + before + "\x02 + 1.").find('\x02'), std::string::npos) << before;
  }
}

TEST(StatedAnswerTest, LongTextsTakeLinearTime) {
  for (const char* piece :
       {"the answer is ", "$", "**", "1 ", "(", "\\boxed{1} ", "= ", "is 5. ", "<", "_", "{", "1,234 "}) {
    std::string text;
    while (text.size() < 20000) text += piece;
    FindStated(text);
    Extract(Extractor::kLastNumber, text);
  }
}

std::vector<json::Json> CasesOf(const std::string& folder) {
  std::vector<json::Json> cases;
  std::ifstream lines(tests::CasesFolder() / folder / "cases.jsonl");
  for (std::string line; std::getline(lines, line);) cases.push_back(json::Parse(line, folder));
  return cases;
}

TEST(StatedAnswerTest, HandedCasesAreRight) {
  const auto cases = CasesOf("05-markdown-answers");
  if (cases.empty()) GTEST_SKIP() << tests::CasesFolder() << " is not here; set AUTODIDACT_CASES";
  for (const auto& item : cases) {
    EXPECT_EQ(Accepts(item.at("gold"), item.at("answer")), item.at("expected") == "right") << item;
  }
}

TEST(ExtractLastNumberTest, HandedCasesAreRight) {
  const auto cases = CasesOf("08-last-number");
  if (cases.empty()) GTEST_SKIP() << tests::CasesFolder() << " is not here; set AUTODIDACT_CASES";
  for (const auto& item : cases) {
    const auto labels = ReferenceAnswers(Extractor::kLastNumber, LabelText(Extractor::kLastNumber, {item.at("gold")}));
    const auto answer = Extract(Extractor::kLastNumber, item.at("answer").get<std::string>());
    const bool equal = answer && EqualAny(Comparator::kMathematics, *answer, labels);
    EXPECT_EQ(equal, item.at("expected") == "right") << item;
  }
}

}  // namespace
}  // namespace autodidact::answers
