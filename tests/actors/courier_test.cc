#include "actors/courier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/log_lines.h"
#include "tests/scripted_peer.h"

namespace autodidact::actors {
namespace {

using schema::Message;
using testing::HasSubstr;
using tests::kSoon;

constexpr schema::Ticket kTicket = 7;

schema::RolloutGroup TwoRollouts() {
  schema::RolloutGroup group{.ticket = kTicket, .prompt_ids = {1, 5}, .rollouts = {}};
  for (const char* text : {"four", "five"}) {
    schema::Rollout rollout;
    rollout.ids = {3, 4, 2};
    rollout.logprobs = rollout.sampled_logprobs = {-1, -1, -1};
    rollout.text = text;
    group.rollouts.push_back(rollout);
  }
  return group;
}

// One courier between three scripted peers.
class CourierTest : public testing::Test {
 protected:
  void AnchorAnswers(const std::string& text) {
    anchor_.Says(schema::SynthesisReply{kTicket, schema::Reference{.text = text, .generation = text, .rubric = {}}});
  }
  void AnchorFails(base::ErrorKind kind, const std::string& why) {
    anchor_.Says(schema::SynthesisReply{kTicket, base::Failure{kind, why}});
  }
  void JudgeGives(std::vector<schema::Reward> rewards) { judge_.Says(schema::JudgeReply{kTicket, {}, rewards}); }
  void LearnerAccepts() { learner_.Says(schema::SubmitReply{}); }
  void LearnerSaysStale() { learner_.Says(schema::SubmitReply{.receipt = schema::Receipt::kStale}); }

  // Sends the group on its way and waits until it is at its end.
  void TheGroupIsSent() {
    schema::Lease lease{.ticket = kTicket, .prompt = {.id = "q", .text = "two and two?", .messages = {}}};
    courier_.Send(std::move(lease), TwoRollouts(), 1.5);
    TheGroupIsThrough();
  }
  void TheGroupIsThrough() {
    ASSERT_TRUE(courier_.WaitUntilBelow(1, base::Deadline::In(kSoon))) << "the group is still under way";
  }
  // What the learner got; the test fails unless it is one group.
  schema::ScoredGroup Delivered() {
    const auto groups = learner_.Heard<schema::ScoredGroup>();
    EXPECT_EQ(groups.size(), 1u);
    return groups.empty() ? schema::ScoredGroup() : groups.front();
  }

  net::Context context_;
  tests::ScriptedPeer anchor_{context_, "inproc://anchor"};
  tests::ScriptedPeer judge_{context_, "inproc://judge"};
  tests::ScriptedPeer learner_{context_, "inproc://learner"};
  RefusedReplies refused_{0};
  net::Client to_anchor_{context_, {"inproc://anchor"}, {}, {.name = "actor-0", .peer = "anchor"}};
  net::Client to_judge_{context_, {"inproc://judge"}, {}, {.name = "actor-0", .peer = "judge"}};
  net::Client to_learner_{context_, {"inproc://learner"}, {}, {.name = "actor-0", .peer = "learner"}};
  Courier courier_{{.actor = "actor-0",
                    .attempts = 3,
                    .anchor_timeout = base::Milliseconds(500),
                    .judge_timeout = base::Milliseconds(500),
                    .learner_timeout = base::Milliseconds(500)},
                   RemoteAnchor(to_anchor_, refused_),
                   to_judge_,
                   to_learner_,
                   refused_};
};

TEST_F(CourierTest, WalksAGroupThroughAnchorAndJudgeToTheLearner) {
  AnchorAnswers("it is four");
  JudgeGives({1.0, 0.0});
  LearnerAccepts();
  TheGroupIsSent();
  ASSERT_EQ(anchor_.Heard<schema::SynthesisRequest>().size(), 1u);
  EXPECT_EQ(anchor_.Heard<schema::SynthesisRequest>()[0].candidates, (std::vector<std::string>{"four", "five"}));
  ASSERT_EQ(judge_.Heard<schema::JudgeRequest>().size(), 1u);
  EXPECT_EQ(judge_.Heard<schema::JudgeRequest>()[0].responses, (std::vector<std::string>{"four", "five"}));
  EXPECT_EQ(judge_.Heard<schema::JudgeRequest>()[0].lengths, (std::vector<std::uint32_t>{3, 3}));
  const auto delivered = Delivered();
  EXPECT_EQ(delivered.actor, "actor-0");
  EXPECT_EQ(delivered.group, TwoRollouts());
  EXPECT_EQ(delivered.reference->text, "it is four");
  EXPECT_EQ(delivered.rewards, (std::vector<schema::Reward>{1.0, 0.0}));
  EXPECT_EQ(refused_, 0u);
}

TEST_F(CourierTest, AsksASilentAnchorAgain) {
  anchor_.IsSilent();
  AnchorAnswers("four");
  JudgeGives({1.0, 0.0});
  LearnerAccepts();
  TheGroupIsSent();
  EXPECT_EQ(anchor_.asked().size(), 2u);
  EXPECT_TRUE(Delivered().reference.ok());
}

TEST_F(CourierTest, AnAnchorThatStaysSilentLeavesAGroupWithoutAReference) {
  anchor_.IsSilent();
  LearnerAccepts();
  TheGroupIsSent();
  EXPECT_EQ(anchor_.asked().size(), 3u);
  EXPECT_TRUE(judge_.asked().empty());
  const auto delivered = Delivered();
  ASSERT_FALSE(delivered.reference.ok());
  EXPECT_THAT(delivered.reference.failure().reason, HasSubstr("anchor"));
  EXPECT_TRUE(delivered.rewards.empty());
}

TEST_F(CourierTest, AnAnchorThatFailsForGoodIsNotAskedAgain) {
  AnchorFails(base::ErrorKind::kBadInput, "no heading");
  LearnerAccepts();
  TheGroupIsSent();
  EXPECT_EQ(anchor_.asked().size(), 1u);
  EXPECT_EQ(Delivered().reference.failure().reason, "no heading");
}

TEST_F(CourierTest, AReplyOfTheAnchorThatIsOfNoUseIsCountedAndAskedForAgain) {
  anchor_.SaysBytes("what");
  anchor_.Says(schema::SubmitReply{});
  AnchorAnswers("four");
  JudgeGives({1.0, 0.0});
  LearnerAccepts();
  TheGroupIsSent();
  EXPECT_EQ(anchor_.asked().size(), 3u);
  EXPECT_TRUE(Delivered().reference.ok());
  EXPECT_EQ(refused_, 2u);
}

TEST_F(CourierTest, ASynthesisOfAnotherGroupIsOfNoUse) {
  anchor_.Says(schema::SynthesisReply{kTicket + 1, schema::Reference{.text = "x", .generation = "x", .rubric = {}}});
  LearnerAccepts();
  TheGroupIsSent();
  EXPECT_FALSE(Delivered().reference.ok());
  EXPECT_EQ(refused_, 3u);
}

TEST_F(CourierTest, ASilentJudgeGivesFailuresAndNoZeros) {
  AnchorAnswers("four");
  judge_.IsSilent();
  LearnerAccepts();
  TheGroupIsSent();
  EXPECT_EQ(judge_.asked().size(), 3u);
  const auto delivered = Delivered();
  EXPECT_TRUE(delivered.reference.ok());
  ASSERT_EQ(delivered.rewards.size(), 2u);
  for (const auto& reward : delivered.rewards) EXPECT_FALSE(reward.ok());
}

TEST_F(CourierTest, RewardsThatNoJudgeCanGiveAreOfNoUse) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::vector<schema::Reward>& rewards :
       {std::vector<schema::Reward>{1.0}, std::vector<schema::Reward>{1.0, 0.0, 1.0},
        std::vector<schema::Reward>{1.0, nan}, std::vector<schema::Reward>{1.0, 1e9},
        std::vector<schema::Reward>{-1.0, 0.0}}) {
    judge_.Says(schema::JudgeReply{kTicket, {}, rewards});
  }
  AnchorAnswers("four");
  LearnerAccepts();
  TheGroupIsSent();  // three of them
  courier_.Send({}, TwoRollouts(), 0);
  TheGroupIsThrough();  // the rest, the last one again
  EXPECT_EQ(judge_.asked().size(), 6u);
  EXPECT_EQ(refused_, 6u);
  for (const auto& delivered : learner_.Heard<schema::ScoredGroup>()) {
    ASSERT_EQ(delivered.rewards.size(), 2u);
    for (const auto& reward : delivered.rewards) EXPECT_FALSE(reward.ok());
  }
}

TEST_F(CourierTest, VerdictsOnWhatWasNotAskedAreOfNoUse) {
  judge_.Says(schema::JudgeReply{kTicket, {{.rollout = 2}}, {1.0, 0.0}});
  judge_.Says(schema::JudgeReply{kTicket, {{.rollout = 0, .criterion = 1}}, {1.0, 0.0}});
  JudgeGives({1.0, 0.0});
  AnchorAnswers("four");
  LearnerAccepts();
  TheGroupIsSent();
  EXPECT_EQ(refused_, 2u);
  EXPECT_EQ(Delivered().rewards, (std::vector<schema::Reward>{1.0, 0.0}));
}

TEST_F(CourierTest, AStaleGroupIsNotSentAgain) {
  AnchorAnswers("four");
  JudgeGives({1.0, 0.0});
  LearnerSaysStale();
  TheGroupIsSent();
  EXPECT_EQ(learner_.asked().size(), 1u);
  EXPECT_FALSE(courier_.finished());
}

TEST_F(CourierTest, ARefusedGroupIsNotSentAgain) {
  AnchorAnswers("four");
  JudgeGives({1.0, 0.0});
  learner_.Says(schema::Refused{schema::Refusal::kLease, "not lent"});
  TheGroupIsSent();
  EXPECT_EQ(learner_.asked().size(), 1u);
}

TEST_F(CourierTest, ASilentLearnerIsSentTheGroupAgain) {
  AnchorAnswers("four");
  JudgeGives({1.0, 0.0});
  learner_.IsSilent();
  LearnerAccepts();
  TheGroupIsSent();
  EXPECT_EQ(learner_.asked().size(), 2u);
}

TEST_F(CourierTest, HearsThatTheRunIsOver) {
  AnchorAnswers("four");
  JudgeGives({1.0, 0.0});
  learner_.Says(schema::SubmitReply{.state = schema::RunState::kFinished});
  TheGroupIsSent();
  EXPECT_TRUE(courier_.finished());
}

TEST_F(CourierTest, AGroupThatCouldNotBeSampledComesAsItsFailure) {
  LearnerAccepts();
  courier_.SendFailure(kTicket, {base::ErrorKind::kBadInput, "the prompt is too long"});
  TheGroupIsThrough();
  EXPECT_TRUE(anchor_.asked().empty());
  const auto delivered = Delivered();
  EXPECT_EQ(delivered.group.ticket, kTicket);
  EXPECT_TRUE(delivered.group.rollouts.empty());
  EXPECT_EQ(delivered.reference.failure().reason, "the prompt is too long");
}

TEST_F(CourierTest, TheFinalFailureOfAGroupIsLogged) {
  const tests::LogLines log;
  AnchorFails(base::ErrorKind::kBadInput, "no heading");
  AnchorAnswers("four");
  judge_.Says(schema::FailureReply{{base::ErrorKind::kBadInput, "no such form"}});
  learner_.Says(schema::Refused{schema::Refusal::kLease, "not lent"});
  TheGroupIsSent();
  EXPECT_THAT(log.text(), HasSubstr("group 7 has no reference: no heading"));
  EXPECT_THAT(log.text(), HasSubstr("group 7 is lost: "));
  TheGroupIsSent();
  EXPECT_THAT(log.text(), HasSubstr("group 7 has no rewards: no such form"));
}

}  // namespace
}  // namespace autodidact::actors
