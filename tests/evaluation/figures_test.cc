#include "evaluation/figures.h"

#include <gtest/gtest.h>

#include "evaluation/position_vote.h"

namespace autodidact::evaluation {
namespace {

const estimators::AnswerRule kWhole{answers::Extractor::kWholeText, answers::Comparator::kExact};
const std::vector<int> kSizes = {1, 2, 4};

schema::Reference Synthesis(const std::string& text) {
  return {text, "said: " + text, {}, 1};
}

// Four questions whose figures can be counted by hand; "r" is right, anything else wrong.
std::vector<QuestionTexts> HandMade() {
  std::vector<QuestionTexts> questions(4);
  // Right from the first on.
  questions[0] = {
      "a", "q", {"r"}, {"r", "w", "r", "w"}, "r", {{1, Synthesis("r")}, {2, Synthesis("r")}, {4, Synthesis("r")}}};
  // All rollouts wrong; the synthesis of four is right.
  questions[1] = {
      "b", "q", {"s", "r"}, {"w", "v", "w", "u"}, "w", {{1, Synthesis("w")}, {2, Synthesis("v")}, {4, Synthesis("r")}}};
  // The last two rollouts right; no synthesis of two.
  questions[2] = {
      "c",
      "q",
      {"r"},
      {"w", "", "r", "r"},
      std::nullopt,
      {{1, Synthesis("w")}, {2, base::Failure{base::ErrorKind::kBadInput, "no heading"}}, {4, Synthesis("w")}}};
  // The prompt did not fit.
  questions[3] = {"d", "q", {"r"}, {}, std::nullopt, {}};
  return questions;
}

EvalFigures Figures(const std::vector<QuestionTexts>& questions, int resamples = 0, bool vote = false) {
  std::vector<GradedQuestion> graded;
  for (const QuestionTexts& question : questions)
    graded.push_back(Grade(question, kSizes, kWhole, {.position_vote = vote}));
  return Tabulate(graded, kSizes, {.position_vote = vote}, 7, resamples);
}

TEST(FiguresTest, SingleIsTheMeanOverAllRolloutsWithFailedGroupsAsWrong) {
  const EvalFigures figures = Figures(HandMade());
  EXPECT_EQ(figures.questions, 4);
  EXPECT_DOUBLE_EQ(*figures.single.value, (0.5 + 0 + 0.5 + 0) / 4);
  EXPECT_DOUBLE_EQ(*figures.greedy.value, 0.25);
  EXPECT_DOUBLE_EQ(*figures.single_no_answer.value, (0 + 0 + 0.25 + 1) / 4);
  EXPECT_DOUBLE_EQ(*figures.greedy_no_answer.value, 0.5);
}

TEST(FiguresTest, EstimatesUseTheFirstRolloutsOnly) {
  const EvalFigures figures = Figures(HandMade());
  EXPECT_DOUBLE_EQ(*figures.majority.at(1).value, 0.25);
  EXPECT_DOUBLE_EQ(*figures.majority.at(2).value, 0.25);
  EXPECT_DOUBLE_EQ(*figures.majority.at(4).value, 0.5);
  EXPECT_DOUBLE_EQ(*figures.pass.at(1).value, 0.25);
  EXPECT_DOUBLE_EQ(*figures.pass.at(2).value, 0.25);
  EXPECT_DOUBLE_EQ(*figures.pass.at(4).value, 0.5);
  EXPECT_DOUBLE_EQ(*figures.synthesis.at(1).value, 0.25);
  EXPECT_DOUBLE_EQ(*figures.synthesis.at(2).value, 0.25);
  EXPECT_DOUBLE_EQ(*figures.synthesis.at(4).value, 0.5);
}

TEST(FiguresTest, RightWhileAllWrongIsAShareOfAllQuestions) {
  const EvalFigures figures = Figures(HandMade());
  EXPECT_DOUBLE_EQ(*figures.right_when_all_wrong.at(1).value, 0);
  EXPECT_DOUBLE_EQ(*figures.right_when_all_wrong.at(4).value, 0.25);
}

TEST(FiguresTest, AgreementCountsQuestionsWhereBothAnswer) {
  const EvalFigures figures = Figures(HandMade());
  EXPECT_DOUBLE_EQ(*figures.agreement.at(1).value, 1);    // three questions, the same answers
  EXPECT_DOUBLE_EQ(*figures.agreement.at(2).value, 0.5);  // a agrees, b does not, c has no synthesis
  EXPECT_DOUBLE_EQ(*figures.agreement.at(4).value, 1.0 / 3);
  EXPECT_DOUBLE_EQ(*figures.disagreement_synthesis.at(4).value, 0.5);
  EXPECT_DOUBLE_EQ(*figures.disagreement_majority.at(4).value, 0.5);
  EXPECT_FALSE(figures.disagreement_majority.at(1).value.has_value());
}

TEST(FiguresTest, SynthesesWithoutAnswerAreCounted) {
  const EvalFigures figures = Figures(HandMade());
  EXPECT_DOUBLE_EQ(*figures.synthesis_no_answer.at(2).value, 0.5);
  EXPECT_DOUBLE_EQ(*figures.synthesis_no_answer.at(4).value, 0.25);
}

TEST(FiguresTest, AnyLabelIsRight) {
  const GradedQuestion graded = Grade({"b", "q", {"s", "r"}, {"s", "r", "t", "s"}, "r", {}}, kSizes, kWhole, {});
  EXPECT_TRUE(graded.rollouts[0].right);
  EXPECT_TRUE(graded.rollouts[1].right);
  EXPECT_FALSE(graded.rollouts[2].right);
}

TEST(FiguresTest, IntervalsHoldTheValueAndRepeatWithTheSeed) {
  const EvalFigures figures = Figures(HandMade(), 500);
  EXPECT_LE(*figures.single.low, *figures.single.value);
  EXPECT_GE(*figures.single.high, *figures.single.value);
  EXPECT_LT(*figures.single.low, *figures.single.high);
  EXPECT_EQ(figures.single.low, Figures(HandMade(), 500).single.low);
  EXPECT_FALSE(Figures(HandMade(), 0).single.low.has_value());
}

// A share of one half over n questions has a standard error of 1 / sqrt(4 n).
TEST(FiguresTest, IntervalsHaveTheWidthOfTheStandardError) {
  std::vector<QuestionTexts> questions;
  for (int i = 0; i < 400; ++i) {
    const std::string text = i % 2 == 0 ? "r" : "w";
    questions.push_back({std::to_string(i), "q", {"r"}, {text, text, text, text}, text, {}});
  }
  const EvalFigures figures = Figures(questions, 2000);
  EXPECT_NEAR((*figures.greedy.high - *figures.greedy.low) / 2, 1.96 * 0.025, 0.005);
}

TEST(FiguresTest, NoQuestionsGiveNoFigures) {
  const EvalFigures figures = Figures({}, 100);
  EXPECT_FALSE(figures.single.value.has_value());
  EXPECT_TRUE(ToJson(figures)["single"].is_null());
}

TEST(ReportTest, JsonHasTheAgreedShape) {
  const json::Json object = ToJson(Figures(HandMade(), 100));
  EXPECT_DOUBLE_EQ(object["single"].get<double>(), 0.25);
  EXPECT_DOUBLE_EQ(object["greedy"].get<double>(), 0.25);
  for (const char* key : {"majority", "synthesis", "pass", "right_when_all_wrong", "agreement"}) {
    ASSERT_TRUE(object[key].is_object()) << key;
    EXPECT_EQ(object[key].size(), 3u);
    EXPECT_TRUE(object[key]["4"].is_number()) << key;
  }
  EXPECT_FALSE(object.contains("position_vote"));
  EXPECT_EQ(object["questions"], 4);
  EXPECT_EQ(object["intervals"]["majority"]["4"].size(), 2u);
  EXPECT_TRUE(object["disagreement"]["majority"]["1"].is_null());
}

TEST(ReportTest, TheTableIsAligned) {
  const std::string table = ToTable(Figures(HandMade(), 100, true));
  EXPECT_NE(table.find("vote per position"), std::string::npos);
  EXPECT_NE(table.find("G = 4"), std::string::npos);
  EXPECT_NE(table.find("4 questions"), std::string::npos);
}

TEST(ReportTest, RecordsSayWhatWasAnsweredAndWhatFailed) {
  const QuestionTexts question = HandMade()[2];
  const json::Json record = ToRecord(question, Grade(question, kSizes, kWhole, {}));
  EXPECT_EQ(record["id"], "c");
  EXPECT_EQ(record["rollouts"].size(), 4u);
  EXPECT_TRUE(record["answers"][1].is_null());
  EXPECT_EQ(record["right"][2], true);
  EXPECT_EQ(record["groups"]["2"]["synthesis"]["failure"], "no heading");
  EXPECT_EQ(record["groups"]["4"]["majority"]["answer"], "r");
  EXPECT_EQ(record["groups"]["4"]["synthesis"]["generation"], "said: w");
  EXPECT_EQ(record["groups"]["4"]["agree"], false);
}

TEST(PositionVoteTest, TakesTheCommonestSymbolPerPosition) {
  EXPECT_EQ(PositionVote({"a b c", "a x c", "y b c"}), "a b c");
  EXPECT_EQ(PositionVote({"a b", "x y", "a b c"}), "a b");
  EXPECT_EQ(PositionVote({"b", "a"}), "b");
  EXPECT_EQ(PositionVote({"", " "}), std::nullopt);
  EXPECT_EQ(PositionVote({}), std::nullopt);
}

TEST(PositionVoteTest, CanBeRightWhileEveryCandidateIsWrong) {
  const GradedQuestion graded =
      Grade({"a", "q", {"a b c"}, {"a b x", "a y c", "z b c", "a b w"}, "", {}}, {4}, kWhole, {.position_vote = true});
  EXPECT_TRUE(graded.groups.at(4).position_vote.right);
  EXPECT_FALSE(graded.groups.at(4).any_right);
}

}  // namespace
}  // namespace autodidact::evaluation
