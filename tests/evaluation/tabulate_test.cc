#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluation/evaluate.h"
#include "evaluation/position_vote.h"

namespace autodidact::evaluation {
namespace {

using testing::HasSubstr;

const LabelScorer kWhole{answers::Extractor::kWholeText, answers::Comparator::kExact};

Compared ByLabels(std::vector<std::string> estimates = {"majority", "synthesis"}, int resamples = 0) {
  return {.group_sizes = {1, 2, 4}, .estimates = std::move(estimates), .seed = 7, .bootstrap_resamples = resamples};
}

schema::GroupReference Synthesis(const std::string& text) {
  return {{text, "said: " + text, {}, 1}, schema::WholeText{text}};
}

Question Asked(const std::string& id, std::vector<std::string> labels, std::vector<std::string> rollouts,
               std::optional<std::string> greedy, ReferencesBySize syntheses = {}) {
  Question question{.id = id,
                    .prompt = "q",
                    .labels = std::move(labels),
                    .rollouts = std::move(rollouts),
                    .greedy = std::move(greedy)};
  question.target_source = TargetSource::kLabel;
  question.target = schema::Labels{question.labels};
  question.estimates["synthesis"] = std::move(syntheses);
  for (const int size : {1, 2, 4}) {
    const auto count = std::min(question.rollouts.size(), static_cast<std::size_t>(size));
    if (count == 0) continue;
    const std::vector<std::string> first(question.rollouts.begin(),
                                         question.rollouts.begin() + static_cast<std::ptrdiff_t>(count));
    question.estimates["majority"].emplace(
        size, estimators::FromTexts(estimators::EstimatorKind::kMajority,
                                    {.rule = {answers::Extractor::kWholeText, answers::Comparator::kExact}}, first));
  }
  return question;
}

std::vector<Question> Scored(std::vector<Question> questions, const Scorer& scorer = kWhole) {
  ScoreQuestions(scorer, answers::Comparator::kExact, questions);
  return questions;
}

// Four questions whose metrics can be counted by hand; "r" is right, anything else wrong.
std::vector<Question> HandMade() {
  const base::Failure failed{base::ErrorKind::kBadInput, "no heading"};
  return Scored(
      {// Right from the first on.
       Asked("a", {"r"}, {"r", "w", "r", "w"}, "r", {{1, Synthesis("r")}, {2, Synthesis("r")}, {4, Synthesis("r")}}),
       // All rollouts wrong; the synthesis of four is right.
       Asked("b", {"s", "r"}, {"w", "v", "w", "u"}, "w",
             {{1, Synthesis("w")}, {2, Synthesis("v")}, {4, Synthesis("r")}}),
       // The last two rollouts right; no synthesis of two.
       Asked("c", {"r"}, {"w", "", "r", "r"}, std::nullopt, {{1, Synthesis("w")}, {2, failed}, {4, Synthesis("w")}}),
       // The prompt did not fit.
       Asked("d", {"r"}, {}, std::nullopt)});
}

// Nothing where it was not measured.
std::optional<double> ValueOf(const Table& table, const std::string& key) {
  return std::get<Metric>(table.Find(key)->metrics).value;
}
std::optional<double> ValueOf(const Table& table, const std::string& key, int size) {
  return std::get<MetricsByGroup>(table.Find(key)->metrics).at(size).value;
}

Table Metrics(int resamples = 0) {
  return Tabulate(HandMade(), ByLabels({"majority", "synthesis"}, resamples));
}

TEST(TabulateTest, SingleIsTheMeanOverAllRolloutsWithFailedGroupsAsWrong) {
  const Table table = Metrics();
  EXPECT_EQ(table.counts.at("questions"), 4);
  EXPECT_DOUBLE_EQ(*ValueOf(table, "single"), (0.5 + 0 + 0.5 + 0) / 4);
  EXPECT_DOUBLE_EQ(*ValueOf(table, "greedy"), 0.25);
  EXPECT_DOUBLE_EQ(*ValueOf(table, "no_answer/single"), (0 + 0 + 0.25 + 1) / 4);
  EXPECT_DOUBLE_EQ(*ValueOf(table, "no_answer/greedy"), 0.5);
}

TEST(TabulateTest, EstimatesUseTheFirstRolloutsOnly) {
  const Table table = Metrics();
  for (const char* key : {"majority", "pass", "synthesis"}) {
    EXPECT_DOUBLE_EQ(*ValueOf(table, key, 1), 0.25) << key;
    EXPECT_DOUBLE_EQ(*ValueOf(table, key, 2), 0.25) << key;
    EXPECT_DOUBLE_EQ(*ValueOf(table, key, 4), 0.5) << key;
  }
}

TEST(TabulateTest, RightWhileAllWrongIsAShareOfAllQuestions) {
  const Table table = Metrics();
  EXPECT_DOUBLE_EQ(*ValueOf(table, "right_when_all_wrong", 1), 0);
  EXPECT_DOUBLE_EQ(*ValueOf(table, "right_when_all_wrong", 4), 0.25);
}

TEST(TabulateTest, AgreementCountsQuestionsWhereBothAnswer) {
  const Table table = Metrics();
  EXPECT_DOUBLE_EQ(*ValueOf(table, "agreement", 1), 1);    // three questions, the same answers
  EXPECT_DOUBLE_EQ(*ValueOf(table, "agreement", 2), 0.5);  // a agrees, b does not, c has no synthesis
  EXPECT_DOUBLE_EQ(*ValueOf(table, "agreement", 4), 1.0 / 3);
  EXPECT_DOUBLE_EQ(*ValueOf(table, "disagreement/synthesis", 4), 0.5);
  EXPECT_DOUBLE_EQ(*ValueOf(table, "disagreement/majority", 4), 0.5);
  EXPECT_FALSE(ValueOf(table, "disagreement/majority", 1).has_value());
}

TEST(TabulateTest, SynthesesWithoutAnswerAreCounted) {
  const Table table = Metrics();
  EXPECT_DOUBLE_EQ(*ValueOf(table, "no_answer/synthesis", 2), 0.5);
  EXPECT_DOUBLE_EQ(*ValueOf(table, "no_answer/synthesis", 4), 0.25);
}

TEST(TabulateTest, IntervalsHoldTheValueAndRepeatWithTheSeed) {
  const auto single = std::get<Metric>(Metrics(500).Find("single")->metrics);
  EXPECT_LE(*single.low, *single.value);
  EXPECT_GE(*single.high, *single.value);
  EXPECT_LT(*single.low, *single.high);
  EXPECT_EQ(single.low, std::get<Metric>(Metrics(500).Find("single")->metrics).low);
  EXPECT_FALSE(std::get<Metric>(Metrics(0).Find("single")->metrics).low.has_value());
}

// A share of one half over n questions has a standard error of 1 / sqrt(4 n).
TEST(TabulateTest, IntervalsHaveTheWidthOfTheStandardError) {
  std::vector<Question> questions;
  for (int i = 0; i < 400; ++i) {
    const std::string text = i % 2 == 0 ? "r" : "w";
    questions.push_back(Asked(std::to_string(i), {"r"}, {text, text, text, text}, text));
  }
  const Table table = Tabulate(Scored(questions), ByLabels({"majority"}, 2000));
  const auto greedy = std::get<Metric>(table.Find("greedy")->metrics);
  EXPECT_NEAR((*greedy.high - *greedy.low) / 2, 1.96 * 0.025, 0.005);
}

TEST(TabulateTest, JsonHasTheAgreedShape) {
  const json::Json object = ToJson(Metrics(100));
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

TEST(TabulateTest, RecordsSayWhatWasAnsweredAndWhatFailed) {
  const json::Json record = ToRecord(HandMade()[2], ByLabels());
  EXPECT_EQ(record["id"], "c");
  EXPECT_EQ(record["rollouts"].size(), 4u);
  EXPECT_TRUE(record["answers"][1].is_null());
  EXPECT_EQ(record["right"][2], true);
  EXPECT_EQ(record["groups"]["2"]["synthesis"]["failure"], "no heading");
  EXPECT_EQ(record["groups"]["4"]["majority"]["answer"], "r");
  EXPECT_EQ(record["groups"]["4"]["synthesis"]["generation"], "said: w");
  EXPECT_EQ(record["groups"]["4"]["agree"], false);
}

// What was not asked for, or could not be measured, in each of the outputs.
TEST(UnmeasuredTest, WhatWasNotEstimatedIsInNoOutput) {
  const Compared compared = ByLabels({"majority"});
  const Table table = Tabulate(HandMade(), compared);
  EXPECT_EQ(ToText(table).find("synthesis"), std::string::npos) << ToText(table);
  const json::Json object = ToJson(table);
  for (const char* key : {"synthesis", "agreement", "disagreement", "right_when_all_wrong"}) {
    EXPECT_FALSE(object.contains(key)) << key;
    EXPECT_FALSE(object["intervals"].contains(key)) << key;
  }
  const json::Json group = ToRecord(HandMade()[0], compared)["groups"]["4"];
  EXPECT_FALSE(group.contains("synthesis")) << group.dump();
  EXPECT_FALSE(group.contains("agree")) << group.dump();
  EXPECT_TRUE(ToMetrics(table, {"eval/synthesis"}).empty());
}

TEST(UnmeasuredTest, NoQuestionsGiveNoMetrics) {
  const Table table = Tabulate({}, ByLabels({"majority", "synthesis"}, 100));
  const json::Json object = ToJson(table);
  EXPECT_TRUE(object["single"].is_null());
  EXPECT_TRUE(object["majority"]["1"].is_null());
  EXPECT_TRUE(object["intervals"]["single"].is_null());
  EXPECT_TRUE(ToMetrics(table, {"eval/single", "eval/greedy", "eval/majority"}).empty());
  EXPECT_THAT(ToText(table), HasSubstr("-"));
  EXPECT_EQ(ToText(table).find("nan"), std::string::npos);
}

// A judge that gives no valid verdict at all.
TEST(UnmeasuredTest, WhatAJudgeCannotTellIsNoZero) {
  const JudgeScorer silent([](const std::vector<schema::JudgeRequest>& requests) {
    std::vector<schema::JudgeReply> replies;
    for (const schema::JudgeRequest& request : requests) {
      schema::JudgeReply& reply = replies.emplace_back();
      for (std::uint32_t i = 0; i < request.responses.size(); ++i) {
        reply.verdicts.push_back({i, 0, schema::VerdictKind::kInvalid, "?"});
      }
    }
    return replies;
  });
  Question question = Asked("a", {}, {"x", "y"}, "z", {{2, Synthesis("s")}});
  question.target = schema::WholeText{"s"};
  const auto questions = Scored({question}, silent);
  const Compared compared{.group_sizes = {2}, .estimates = {"synthesis"}, .by_labels = false, .bootstrap_resamples = 9};
  const Table table = Tabulate(questions, compared);
  const json::Json object = ToJson(table);
  for (const json::Json& value : {object["single"], object["greedy"], object["synthesis"]["2"], object["best_of"]["2"],
                                  object["intervals"]["single"]}) {
    EXPECT_TRUE(value.is_null()) << object.dump();
  }
  EXPECT_EQ(object["invalid_verdicts"], 1.0);
  EXPECT_EQ(object["unscored"], 4);
  EXPECT_TRUE(ToMetrics(table, {"eval/single", "eval/greedy"}).empty());
  const json::Json record = ToRecord(questions[0], compared);
  EXPECT_TRUE(record["scores"][0].is_null());
  EXPECT_TRUE(record["greedy_score"].is_null());
  EXPECT_TRUE(record["syntheses"]["2"]["score"].is_null());
  for (const char* title : {"single", "greedy", "synthesis", "best of"}) {
    const std::string text = ToText(table);
    const std::string line = text.substr(text.find(std::string("\n") + title) + 1);
    EXPECT_TRUE(line.substr(0, line.find('\n')).ends_with(" -")) << text;
  }
}

// Questions that are held against nothing have no verdicts: their share of invalid ones is not known.
TEST(UnmeasuredTest, WithoutVerdictsNoneIsInvalid) {
  Question question = Asked("a", {}, {"x"}, "z");
  question.target_source = TargetSource::kNone;
  const Compared compared{.group_sizes = {1}, .estimates = {"synthesis"}, .by_labels = false};
  const Table table = Tabulate({question}, compared);
  EXPECT_TRUE(ToJson(table)["invalid_verdicts"].is_null());
  EXPECT_EQ(ToJson(table)["target_sources"]["none"], 1);
  EXPECT_THAT(ToText(table), HasSubstr("invalid verdicts: -;"));
  EXPECT_TRUE(ToRecord(question, compared)["greedy_score"].is_null());
}

TEST(TableTest, ColumnsAreAligned) {
  const std::string text = ToText(Tabulate(HandMade(), ByLabels({"majority", "synthesis", kPositionVote}, 100)));
  EXPECT_THAT(text, HasSubstr("vote per position"));
  EXPECT_THAT(text, HasSubstr("G = 4"));
  EXPECT_THAT(text, HasSubstr("4 questions"));
}

TEST(TableTest, MetricsOfARunHaveTheirPrefix) {
  EXPECT_EQ(ToMetrics(Metrics(), {"eval/single", "eval/majority", "eval/nothing"}),
            (base::Metrics{{"eval/single", 0.25}, {"eval/majority", 0.5}}));
}

TEST(PositionVoteTest, TakesTheCommonestSymbolPerPosition) {
  EXPECT_EQ(PositionVote({"a b c", "a x c", "y b c"}), "a b c");
  EXPECT_EQ(PositionVote({"a b", "x y", "a b c"}), "a b");
  EXPECT_EQ(PositionVote({"b", "a"}), "b");
  EXPECT_EQ(PositionVote({"", " "}), std::nullopt);
  EXPECT_EQ(PositionVote({}), std::nullopt);
}

TEST(PositionVoteTest, CanBeRightWhileEveryCandidateIsWrong) {
  EXPECT_EQ(PositionVote({"a b x", "a y c", "z b c", "a b w"}), "a b c");
}

}  // namespace
}  // namespace autodidact::evaluation
