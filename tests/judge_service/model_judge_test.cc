#include "judge_service/model_judge.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/format.h"
#include "tests/judge_service/judge_now.h"

namespace autodidact::judge_service {
namespace {

using schema::VerdictKind;

// A backend whose verdicts are a function of task and item; it keeps what it was asked.
class Scripted : public Backend {
 public:
  using Script = std::function<ItemVerdict(const Task& task, const std::string& item)>;

  Scripted(Script script, std::vector<Task>& seen) : script_(std::move(script)), seen_(seen) {}

  void Start(Task task) override { waiting_.push_back(std::move(task)); }
  std::vector<TaskResult> Step(base::Deadline) override {
    TaskResult result{.id = waiting_.front().id, .verdicts = {}};
    for (const std::string& item : waiting_.front().items) result.verdicts.push_back(script_(waiting_.front(), item));
    seen_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    return {std::move(result)};
  }
  bool idle() const override { return waiting_.empty(); }
  const std::string& identity() const override { return identity_; }

 private:
  const Script script_;
  std::vector<Task>& seen_;
  const std::string identity_ = "scripted";
  std::deque<Task> waiting_;
};

ItemVerdict Contains(const Task& task, const std::string& item) {
  const bool met = task.response.find(item) != std::string::npos;
  return {met ? VerdictKind::kMet : VerdictKind::kNotMet, "looked for " + item};
}

class ModelJudgeTest : public testing::Test {
 protected:
  std::unique_ptr<ModelJudge> Make(ModelJudgeConfig config, Scripted::Script script = Contains) {
    return std::make_unique<ModelJudge>(config, std::make_unique<Scripted>(std::move(script), seen_));
  }
  static schema::JudgeRequest Request(std::vector<schema::Criterion> rubric, std::vector<std::string> responses) {
    schema::JudgeRequest request{
        .ticket = 3, .target = schema::Rubric{std::move(rubric)}, .responses = std::move(responses), .lengths = {}};
    request.lengths.assign(request.responses.size(), 10);
    return request;
  }

  std::vector<Task> seen_;
};

TEST_F(ModelJudgeTest, TheRewardIsTheFractionMet) {
  const auto judge = Make({});
  const auto reply = JudgeNow(*judge, Request({{"a"}, {"b"}, {"c"}, {"d"}}, {"a b c", "d", "x"}));
  EXPECT_EQ(reply.ticket, 3u);
  EXPECT_EQ(reply.rewards, (std::vector<schema::Reward>{0.75, 0.25, 0.0}));
  ASSERT_EQ(reply.verdicts.size(), 12u);
  EXPECT_EQ(reply.verdicts[7], (schema::Verdict{1, 3, VerdictKind::kMet, "looked for d"}));
}

TEST_F(ModelJudgeTest, PointsMayBeNegativeAndTheScoreIsClipped) {
  const auto judge = Make({});
  const std::vector<schema::Criterion> rubric = {{"a", 6}, {"b", 4}, {"x", -3}, {"y", -20}};
  const auto reply = JudgeNow(*judge, Request(rubric, {"a b", "a x", "a b x y", "none"}));
  EXPECT_DOUBLE_EQ(*reply.rewards[0], 1.0);
  EXPECT_DOUBLE_EQ(*reply.rewards[1], 0.3);
  EXPECT_DOUBLE_EQ(*reply.rewards[2], 0.0);
  EXPECT_DOUBLE_EQ(*reply.rewards[3], 0.0);
}

TEST_F(ModelJudgeTest, ARubricOfNegativePointsAloneGivesNoReward) {
  const auto judge = Make({});
  EXPECT_FALSE(JudgeNow(*judge, Request({{"a", -2}, {"b", -1}}, {"c"})).rewards.at(0).ok());
}

TEST_F(ModelJudgeTest, AnInvalidVerdictIsAskedAgainThenLeftOut) {
  const auto judge = Make({.attempts = 3}, [](const Task& task, const std::string& item) {
    if (item == "never") return ItemVerdict{VerdictKind::kInvalid, "unreadable"};
    if (item == "late" && task.attempt < 3) return ItemVerdict{VerdictKind::kInvalid, "unreadable"};
    return Contains(task, item);
  });
  const auto reply = JudgeNow(*judge, Request({{"a"}, {"late"}, {"never"}}, {"a"}));
  EXPECT_DOUBLE_EQ(*reply.rewards.at(0), 0.5);  // a is met, late is not, never does not count
  EXPECT_EQ(reply.verdicts.at(2).kind, VerdictKind::kInvalid);
  EXPECT_EQ(reply.verdicts.at(2).reason, "unreadable");
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_EQ(seen_[1].items, (std::vector<std::string>{"late", "never"}));
}

TEST_F(ModelJudgeTest, AVerdictThatCannotEndDifferentlyIsNotAskedAgain) {
  const auto judge = Make({}, [](const Task&, const std::string&) {
    return ItemVerdict{VerdictKind::kInvalid, "long", false};
  });
  const auto reply = JudgeNow(*judge, Request({{"a"}}, {"a"}));
  EXPECT_EQ(seen_.size(), 1u);
  ASSERT_FALSE(reply.rewards.at(0).ok());
  EXPECT_NE(reply.rewards.at(0).failure().reason.find("long"), std::string::npos);
}

TEST_F(ModelJudgeTest, AQuestionIsAskedOnceWhateverAsksIt) {
  const auto judge = Make({});
  const auto first = JudgeNow(*judge, Request({{"a"}, {"b"}}, {"a", "a", "b", "a"}));
  EXPECT_EQ(seen_.size(), 2u) << "equal rollouts of one group are judged once";
  EXPECT_EQ(first.rewards, (std::vector<schema::Reward>{0.5, 0.5, 0.5, 0.5}));
  EXPECT_EQ(JudgeNow(*judge, Request({{"b"}, {"c"}}, {"a"})).rewards.size(), 1u);
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_EQ(seen_.back().items, std::vector<std::string>{"c"}) << "b was known from before";
  EXPECT_DOUBLE_EQ(judge->TakeMetrics().at("judge/cache_hit"), 1.0 / 6);
  EXPECT_TRUE(judge->TakeMetrics().empty());
}

TEST_F(ModelJudgeTest, TheCacheIsBoundedAndForgetsTheOldestFirst) {
  const auto judge = Make({.cache = 2});
  for (const char* item : {"a", "b", "c", "a"}) JudgeNow(*judge, Request({{item}}, {"x"}));
  EXPECT_EQ(seen_.size(), 4u) << "a had been dropped for c";
  JudgeNow(*judge, Request({{"c"}}, {"x"}));
  EXPECT_EQ(seen_.size(), 4u);
}

TEST_F(ModelJudgeTest, InvalidVerdictsAreNotKept) {
  const auto judge = Make({.attempts = 1}, [](const Task&, const std::string&) { return ItemVerdict{}; });
  JudgeNow(*judge, Request({{"a"}}, {"x"}));
  JudgeNow(*judge, Request({{"a"}}, {"x"}));
  EXPECT_EQ(seen_.size(), 2u);
}

TEST_F(ModelJudgeTest, TheLengthPenaltyAppliesHereToo) {
  const auto judge = Make({.length_penalty_above = 10, .length_penalty = 0.5});
  auto request = Request({{"a"}}, {"a", "a"});
  request.lengths = {10, 11};
  EXPECT_EQ(JudgeNow(*judge, request).rewards, (std::vector<schema::Reward>{1.0, 0.5}));
}

TEST_F(ModelJudgeTest, AModelAsJudgeHoldsTheResponseAgainstTheReference) {
  const auto judge = Make({.kind = JudgeKind::kModelAsJudge});
  auto request = Request({}, {"it is 4", "it is 5"});
  request.target = schema::WholeText{"4"};
  EXPECT_EQ(JudgeNow(*judge, request).rewards, (std::vector<schema::Reward>{1.0, 0.0}));
  EXPECT_EQ(seen_.at(0).items, std::vector<std::string>{"4"});
}

TEST_F(ModelJudgeTest, RefusesRequestsThatItCannotJudge) {
  const auto rubric = Make({});
  EXPECT_THROW(JudgeNow(*rubric, Request({}, {"a"})), base::Error);
  auto uneven = Request({{"a"}}, {"a"});
  uneven.lengths.clear();
  EXPECT_THROW(JudgeNow(*rubric, uneven), base::Error);
  const auto reference = Make({.kind = JudgeKind::kModelAsJudge});
  EXPECT_THROW(JudgeNow(*reference, Request({{"a"}}, {"a"})), base::Error);
  EXPECT_TRUE(rubric->idle());
}

}  // namespace
}  // namespace autodidact::judge_service
