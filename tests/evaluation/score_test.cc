#include "evaluation/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace autodidact::evaluation {
namespace {

using schema::VerdictKind;
using testing::ElementsAre;
using testing::HasSubstr;

// The same texts held against something by every scorer: "good" is right, "bad" is not, and about "odd" nothing can be
// said.
class ScorerTest : public testing::Test {
 protected:
  // Answers by the criterion's or the reference's text: a judge that is right about "good" and "bad".
  static std::vector<schema::JudgeReply> Judge(const std::vector<schema::JudgeRequest>& requests) {
    std::vector<schema::JudgeReply> replies;
    for (const schema::JudgeRequest& request : requests) {
      schema::JudgeReply& reply = replies.emplace_back();
      reply.ticket = request.ticket;
      const std::size_t criteria = std::max<std::size_t>(1, schema::NumCriteria(request.target));
      for (std::uint32_t i = 0; i < request.responses.size(); ++i) {
        const std::string& text = request.responses[i];
        for (std::uint32_t k = 0; k < criteria; ++k) {
          const VerdictKind kind = text == "good"  ? VerdictKind::kMet
                                   : text == "bad" ? VerdictKind::kNotMet
                                                   : VerdictKind::kInvalid;
          reply.verdicts.push_back({i, k, kind, text + " indeed"});
        }
        reply.rewards.push_back(text == "odd" ? schema::Reward(base::Failure{{}, "the judge was silent"}) : 0.5);
      }
    }
    return replies;
  }

  static std::vector<ProgramRun> Run(const schema::Tests& tests, const std::vector<std::string>& programs) {
    EXPECT_EQ(tests.code, "assert good");
    std::vector<ProgramRun> outcomes;
    for (const std::string& program : programs) {
      if (program == "good") {
        outcomes.push_back({true, "passed", ""});
      } else if (program == "bad") {
        outcomes.push_back({false, "failed", "it is bad"});
      } else {
        outcomes.push_back({{}, "unavailable", "no sandbox"});
      }
    }
    return outcomes;
  }

  static std::vector<Score> Scores(const Scorer& scorer, const schema::Target& target,
                                   std::vector<std::string> texts = {"good", "bad", "odd"}) {
    auto all = scorer.ScoreAll({MakeJudgeRequest(3, target, {}), MakeJudgeRequest(4, target, std::move(texts))});
    EXPECT_EQ(all.size(), 2u);
    EXPECT_TRUE(all.front().empty());
    return all.back();
  }

  static void ExpectGoodBadAndOdd(const std::vector<Score>& scores) {
    ASSERT_EQ(scores.size(), 3u);
    EXPECT_TRUE(scores[0].right());
    EXPECT_EQ(scores[0].value, 1.0);
    EXPECT_EQ(scores[1].value, 0.0);
    EXPECT_FALSE(scores[1].right());
    EXPECT_FALSE(scores[2].value.has_value());
    EXPECT_FALSE(scores[2].Clipped().has_value());
    EXPECT_TRUE(Value(scores[2]).is_null());
    for (const Score& score : scores) EXPECT_FALSE(score.reason.empty());
  }

  static LabelScorer Labels(std::optional<answers::Extractor> extractor = answers::Extractor::kWholeText,
                            answers::Comparator comparator = answers::Comparator::kExact) {
    return {extractor, comparator};
  }
  const JudgeScorer judge_{Judge};
  const TestScorer tests_{Run};
};

TEST_F(ScorerTest, AJudgeSaysWhatIsRightAndWhatItCannotTell) {
  ExpectGoodBadAndOdd(Scores(judge_, schema::WholeText{"good"}));
  ExpectGoodBadAndOdd(Scores(judge_, schema::Rubric{{{"is good", 1}, {"is no odd one", 3}}}));
}

TEST_F(ScorerTest, TestsSayWhatIsRightAndWhatCouldNotBeRun) {
  const auto scores = Scores(tests_, schema::Tests{.code = "assert good", .entry_point = {}, .prompt = {}});
  ExpectGoodBadAndOdd(scores);
  EXPECT_EQ(scores[1].reason, "it is bad");
  EXPECT_EQ(scores[2].reason, "no sandbox");
  EXPECT_EQ(scores[0].outcome, "passed");
  EXPECT_EQ(scores[2].outcome, "unavailable");
}

TEST_F(ScorerTest, LabelsSayWhatIsRightAndWhatHasNoValueToCompare) {
  const auto scorer = Labels(answers::Extractor::kWholeText, answers::Comparator::kMathematics);
  const std::string tower = "9^{9^{9^{9}}}";
  const auto scores = Scores(scorer, schema::Labels{{"4"}}, {"4", "5", tower});
  ExpectGoodBadAndOdd(scores);
  EXPECT_EQ(scores[2].answer, tower);
}

TEST_F(ScorerTest, ATextWithoutAnAnswerIsWrongByLabels) {
  const auto scores = Scores(Labels(answers::Extractor::kBoxed), schema::Labels{{"4"}}, {"\\boxed{4}", "4"});
  EXPECT_TRUE(scores[0].right());
  EXPECT_EQ(scores[1].value, 0.0);
  EXPECT_FALSE(scores[1].answer.has_value());
  EXPECT_THAT(scores[1].reason, HasSubstr("no answer (boxed)"));
  EXPECT_TRUE(Labels().compares_answers());
  EXPECT_FALSE(judge_.compares_answers());
  EXPECT_FALSE(tests_.compares_answers());
}

TEST_F(ScorerTest, AnyLabelIsRight) {
  for (const Score& score : Scores(Labels(), schema::Labels{{"good", "bad"}}, {"good", "bad"})) {
    EXPECT_TRUE(score.right());
  }
}

TEST_F(ScorerTest, WithoutAnExtractorTheStatedAnswerCounts) {
  const auto scores = Scores(Labels(std::nullopt, answers::Comparator::kMathematics), schema::Labels{{"4"}},
                             {"The answer is 4.", "so \\boxed{5}"});
  EXPECT_TRUE(scores[0].right());
  EXPECT_EQ(scores[1].value, 0.0);
}

TEST_F(ScorerTest, LabelsThatHoldNothingAreNamed) {
  EXPECT_EQ(Labels().WhyNoLabel({{"", "x"}}), "");
  EXPECT_THAT(Labels(answers::Extractor::kLastNumber).WhyNoLabel({{"no number"}}), HasSubstr("last_number"));
  EXPECT_THAT(Labels(std::nullopt).WhyNoLabel({{" "}}), HasSubstr("holds no answer"));
}

TEST_F(ScorerTest, PointsMayGoBelowZeroAndRewardsDoNot) {
  const auto judge = [](const std::vector<schema::JudgeRequest>& requests) {
    schema::JudgeReply reply{.ticket = requests.back().ticket, .verdicts = {}, .rewards = {0.0}};
    reply.verdicts = {{0, 0, VerdictKind::kNotMet, "no"}, {0, 1, VerdictKind::kMet, "yes"}};
    return std::vector<schema::JudgeReply>{reply};
  };
  const auto scores =
      JudgeScorer(judge).ScoreAll({MakeJudgeRequest(1, schema::Rubric{{{"is good", 2}, {"is rude", -1}}}, {"rude"})});
  EXPECT_EQ(scores.front().front().value, -0.5);
  EXPECT_EQ(scores.front().front().Clipped(), 0.0);
  EXPECT_EQ(scores.front().front().reason, "1 of 2 criteria met");
}

TEST_F(ScorerTest, ACriterionWithoutAValidVerdictIsLeftOut) {
  const auto judge = [](const std::vector<schema::JudgeRequest>& requests) {
    schema::JudgeReply reply{.ticket = requests.back().ticket, .verdicts = {}, .rewards = {1.0}};
    reply.verdicts = {{0, 0, VerdictKind::kInvalid, "?"}, {0, 1, VerdictKind::kMet, "yes"}};
    return std::vector<schema::JudgeReply>{reply};
  };
  const auto scores =
      JudgeScorer(judge).ScoreAll({MakeJudgeRequest(1, schema::Rubric{{{"is good", 2}, {"is kind", 1}}}, {"x"})});
  EXPECT_EQ(scores.front().front().value, 1.0);
  EXPECT_EQ(scores.front().front().reason, "1 of 2 criteria met, 1 without a valid verdict left out");
}

TEST_F(ScorerTest, WhyThereIsNoScoreIsWhatTheJudgeSaid) {
  EXPECT_EQ(Scores(judge_, schema::WholeText{"x"}, {"odd"}).front().reason, "the judge was silent");
}

TEST_F(ScorerTest, AReplyThatIsMissingIsAFaultOfTheJudge) {
  const JudgeScorer silent([](const auto&) { return std::vector<schema::JudgeReply>(); });
  EXPECT_THROW(Scores(silent, schema::WholeText{"x"}), base::Error);
  const TestScorer lazy([](const auto&, const auto&) { return std::vector<ProgramRun>(); });
  EXPECT_THROW(Scores(lazy, schema::Tests{}), base::Error);
}

TEST_F(ScorerTest, ATargetOfAnotherKindIsRefused) {
  EXPECT_THROW(Scores(Labels(), schema::WholeText{"good"}), base::Error);
  EXPECT_THROW(Scores(tests_, schema::Labels{{"good"}}), base::Error);
}

TEST_F(ScorerTest, RowsAreHeldAgainstWhatTheyBring) {
  data::Row row;
  row.prompt.id = "q";
  EXPECT_FALSE(ScoringByJudge(Judge, false).target(row).has_value());
  EXPECT_FALSE(ScoringByJudge(Judge, true).target(row).has_value());
  const auto labels = ScoringByLabels(answers::Extractor::kWholeText, answers::Comparator::kExact);
  EXPECT_THROW(labels.target(row), base::Error);
  row.answers = {"a", "b"};
  row.prompt.columns = R"({"rubrics": [{"criterion": "is short", "points": 2}]})";
  EXPECT_EQ(labels.target(row), schema::Target(schema::Labels{{"a", "b"}}));
  EXPECT_EQ(ScoringByJudge(Judge, false).target(row), schema::Target(schema::WholeText{"a"}));
  EXPECT_EQ(ScoringByJudge(Judge, true).target(row), schema::Target(schema::Rubric{{{"is short", 2}}}));
}

}  // namespace
}  // namespace autodidact::evaluation
