#include "judge_service/program_judge.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "request.h"

namespace autodidact::judge_service {
namespace {

TEST(ProgramJudgeTest, RewardsTheAnswerOfTheReference) {
  const auto reply = JudgeByProgram({.extractor = answers::Extractor::kBoxed},
                                    Request("so \\boxed{4}", {"it is \\boxed{4}", "\\boxed{5}", "I do not know"}));
  EXPECT_EQ(reply.ticket, 7u);
  EXPECT_EQ(reply.rewards, (std::vector<schema::Reward>{1.0, 0.0, 0.0}));
}

TEST(ProgramJudgeTest, GivesNoRewardAtAllWhenTheReferenceHasNoAnswer) {
  const auto reply = JudgeByProgram({.extractor = answers::Extractor::kBoxed}, Request("four", {"\\boxed{4}", "x"}));
  ASSERT_EQ(reply.rewards.size(), 2u);
  for (const auto& reward : reply.rewards) EXPECT_FALSE(reward.ok());
}

TEST(ProgramJudgeTest, GivesNoRewardWhereNothingCanBeSaidAboutTheAnswer) {
  const ProgramJudgeConfig config = {.extractor = answers::Extractor::kBoxed,
                                     .comparator = answers::Comparator::kMathematics};
  const auto reply = JudgeByProgram(
      config, Request("\\boxed{42}", {"\\boxed{84/2}", "\\boxed{\\tan 90^\\circ}", "\\boxed{43}", "\\boxed{0/0}"}));
  ASSERT_EQ(reply.rewards.size(), 4u);
  EXPECT_EQ(reply.rewards[0], schema::Reward(1.0));
  EXPECT_FALSE(reply.rewards[1].ok());
  EXPECT_EQ(reply.rewards[2], schema::Reward(0.0));
  EXPECT_FALSE(reply.rewards[3].ok());
}

TEST(ProgramJudgeTest, TakesThePenaltyOffResponsesThatAreTooLong) {
  auto request = Request("a b", {"a b", "a b", "c"});
  request.lengths = {750, 751, 900};
  const auto reply = JudgeByProgram(
      {.extractor = answers::Extractor::kWholeText, .length_penalty_above = 750, .length_penalty = 1.0}, request);
  EXPECT_EQ(reply.rewards, (std::vector<schema::Reward>{1.0, 0.0, -1.0}));
}

TEST(ProgramJudgeTest, RefusesARequestWhoseLengthsDoNotMatch) {
  auto request = Request("a", {"a", "b"});
  request.lengths.pop_back();
  EXPECT_THROW(JudgeByProgram({}, request), base::Error);
}

}  // namespace
}  // namespace autodidact::judge_service
