#include "learner/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "schema/codec.h"
#include "tests/waits.h"

namespace autodidact::learner {
namespace {

using schema::Message;
using schema::Refusal;
using testing::ElementsAre;
using testing::IsEmpty;
using tests::kSoon;

constexpr std::uint64_t kConfig = 99;

std::vector<schema::Prompt> SomePrompts() {
  std::vector<schema::Prompt> prompts;
  for (const char* id : {"a", "b", "c"}) prompts.push_back({.id = id, .text = id, .messages = {}});
  return prompts;
}

schema::Rollout SomeRollout() {
  schema::Rollout rollout;
  rollout.ids = {3, 4, 2};
  rollout.logprobs = {-1, -2, -0.5F};
  rollout.sampled_logprobs = {-1, -2, -0.5F};
  rollout.text = "four";
  return rollout;
}

// A group as the run's are, for a ticket.
schema::ScoredGroup GoodGroup(schema::Ticket ticket) {
  schema::ScoredGroup scored;
  scored.actor = "actor-0";
  scored.group = {.ticket = ticket, .prompt_ids = {1, 5}, .rollouts = {SomeRollout(), SomeRollout()}};
  scored.reference = schema::Reference{.text = "four", .generation = "four", .rubric = {}};
  scored.rewards = {1.0, 0.0};
  return scored;
}

schema::Heartbeat HeartbeatOf(const std::string& role, schema::RoleKind kind, const std::string& endpoint = {}) {
  return {.role = role, .kind = kind, .config = kConfig, .endpoint = endpoint, .host = "here", .doing = "work"};
}

// A learner's door, and whoever knocks at it.
class CoordinatorTest : public testing::Test {
 protected:
  Message Say(const Message& message) { return SayBytes(schema::Encode(message)); }
  Message SayBytes(std::string bytes) {
    const auto reply = client_.Call(std::move(bytes), base::Deadline::In(kSoon), "asking");
    EXPECT_TRUE(reply.ok()) << reply.failure().reason;
    return reply.ok() ? schema::Decode(*reply) : Message();
  }
  std::vector<schema::Lease> ActorAsksFor(std::uint32_t groups, const std::string& actor = "actor-0") {
    const auto reply = Say(schema::LeaseRequest{.actor = actor, .max_groups = groups, .config = kConfig});
    EXPECT_TRUE(std::holds_alternative<schema::LeaseReply>(reply)) << schema::Describe(reply);
    return std::holds_alternative<schema::LeaseReply>(reply) ? std::get<schema::LeaseReply>(reply).leases
                                                             : std::vector<schema::Lease>();
  }
  schema::Receipt ReceiptFor(const schema::ScoredGroup& group) {
    const auto reply = Say(group);
    EXPECT_TRUE(std::holds_alternative<schema::SubmitReply>(reply)) << schema::Describe(reply);
    return std::holds_alternative<schema::SubmitReply>(reply) ? std::get<schema::SubmitReply>(reply).receipt
                                                              : schema::Receipt::kUnknown;
  }
  void IsRefused(const Message& message, Refusal why) {
    const auto reply = Say(message);
    ++refused_;
    const auto* refused = std::get_if<schema::Refused>(&reply);
    ASSERT_NE(refused, nullptr) << schema::Describe(message) << " gave " << schema::Describe(reply);
    EXPECT_STREQ(schema::Name(refused->why), schema::Name(why)) << refused->text;
    EXPECT_FALSE(refused->text.empty());
  }
  schema::Directory DirectoryFor(const schema::Heartbeat& heartbeat) {
    const auto reply = Say(heartbeat);
    EXPECT_TRUE(std::holds_alternative<schema::Directory>(reply)) << schema::Describe(reply);
    return std::holds_alternative<schema::Directory>(reply) ? std::get<schema::Directory>(reply) : schema::Directory();
  }
  void AllRefusalsAreCounted() { EXPECT_EQ(coordinator_.TakeReports().at("intake/refused"), refused_); }

  net::Context context_;
  Coordinator coordinator_{
      context_,
      {},
      {.endpoint = "inproc://learner",
       .hold = base::Milliseconds(0),
       .groups = {.num_rollouts = 2, .vocab_size = 20, .max_completion = 4, .context = 8, .rewards = {0, 1}},
       .config = kConfig},
      PromptQueue({.groups_per_step = 2, .max_staleness = 1, .max_steps = 9}, SomePrompts())};
  net::Client client_{context_, {"inproc://learner"}, {}, {.name = "test", .peer = "learner"}};
  int refused_ = 0;
};

TEST_F(CoordinatorTest, LendsATicketOnceAndTakesItsGroupOnce) {
  EXPECT_THAT(ActorAsksFor(9), IsEmpty());  // there are no weights yet
  coordinator_.Announce(0);
  const auto leases = ActorAsksFor(9);
  ASSERT_EQ(leases.size(), 4u);  // this step and, as staleness allows, the next one
  EXPECT_THAT(ActorAsksFor(9, "actor-1"), IsEmpty());
  EXPECT_EQ(ReceiptFor(GoodGroup(0)), schema::Receipt::kAccepted);
  EXPECT_EQ(ReceiptFor(GoodGroup(0)), schema::Receipt::kDuplicate);
  EXPECT_EQ(ReceiptFor(GoodGroup(1)), schema::Receipt::kAccepted);
  const auto step = coordinator_.WaitForStep(base::Deadline::In(kSoon), {});
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->groups, (std::vector<schema::ScoredGroup>{GoodGroup(0), GoodGroup(1)}));
  EXPECT_EQ(step->duplicates, 1);
  AllRefusalsAreCounted();
}

TEST_F(CoordinatorTest, ATicketThatWasNotLentToItsSenderIsRefused) {
  coordinator_.Announce(0);
  IsRefused(GoodGroup(0), Refusal::kLease);
  ActorAsksFor(1);
  auto others = GoodGroup(0);
  others.actor = "actor-1";
  IsRefused(others, Refusal::kLease);
  IsRefused(GoodGroup(3), Refusal::kLease);
  IsRefused(GoodGroup(std::uint64_t{1} << 63), Refusal::kLease);
  EXPECT_EQ(ReceiptFor(GoodGroup(0)), schema::Receipt::kAccepted);
  AllRefusalsAreCounted();
}

TEST_F(CoordinatorTest, AGroupUnlikeTheRunsIsRefusedAndChangesNothing) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float nan = std::nanf("");
  coordinator_.Announce(0);
  ActorAsksFor(9);
  const auto refuse = [&](Refusal why, auto&& spoil) {
    auto group = GoodGroup(0);
    spoil(group);
    IsRefused(group, why);
  };
  using Group = schema::ScoredGroup;
  refuse(Refusal::kSizes, [](Group& g) { g.rewards.push_back(1.0); });
  refuse(Refusal::kSizes, [](Group& g) { g.rewards.pop_back(); });
  refuse(Refusal::kSizes, [](Group& g) { g.rewards.clear(); });
  refuse(Refusal::kSizes, [](Group& g) { g.group.rollouts.clear(); });  // rewards for no rollouts
  refuse(Refusal::kSizes, [](Group& g) { g.group.rollouts.pop_back(); });
  refuse(Refusal::kSizes, [](Group& g) { g.group.rollouts.push_back(SomeRollout()); });
  refuse(Refusal::kSizes, [](Group& g) { g.group.prompt_ids.clear(); });
  refuse(Refusal::kSizes, [](Group& g) { g.group.prompt_ids.assign(6, 1); });  // beyond the context
  refuse(Refusal::kSizes, [](Group& g) { g.group.rollouts[1].logprobs.pop_back(); });
  refuse(Refusal::kSizes, [](Group& g) { g.group.rollouts[1].sampled_logprobs.clear(); });
  refuse(Refusal::kSizes, [](Group& g) { g.reference = base::Failure{}; });  // rewards without a reference
  refuse(Refusal::kSizes, [](Group& g) { g.verdicts = {{.rollout = 2}}; });
  refuse(Refusal::kSizes, [](Group& g) { g.verdicts = {{.rollout = 0, .criterion = 1}}; });
  refuse(Refusal::kSizes, [](Group& g) { g.verdicts = {{}, {}}; });
  refuse(Refusal::kSizes, [](Group& g) {
    auto& rollout = g.group.rollouts[0];
    rollout.ids.assign(5, 3);
    rollout.logprobs = rollout.sampled_logprobs = std::vector<float>(5, -1);
  });
  refuse(Refusal::kTokens, [](Group& g) { g.group.prompt_ids[1] = 20; });
  refuse(Refusal::kTokens, [](Group& g) { g.group.prompt_ids[0] = -1; });
  refuse(Refusal::kTokens, [](Group& g) { g.group.rollouts[1].ids[2] = 1'000'000; });
  refuse(Refusal::kNumbers, [&](Group& g) { g.group.rollouts[1].logprobs[0] = nan; });
  refuse(Refusal::kNumbers, [&](Group& g) { g.group.rollouts[1].logprobs[0] = -kInfinity; });
  refuse(Refusal::kNumbers, [&](Group& g) { g.group.rollouts[0].sampled_logprobs[1] = kInfinity; });
  refuse(Refusal::kNumbers, [](Group& g) { g.group.rollouts[0].logprobs[1] = 5; });
  refuse(Refusal::kNumbers, [&](Group& g) { g.rewards[0] = static_cast<double>(nan); });
  refuse(Refusal::kNumbers, [&](Group& g) { g.rewards[0] = static_cast<double>(kInfinity); });
  refuse(Refusal::kNumbers, [](Group& g) { g.rewards[0] = 1.5; });
  refuse(Refusal::kNumbers, [](Group& g) { g.rewards[1] = -1e300; });
  refuse(Refusal::kNumbers, [&](Group& g) { g.judge_seconds = nan; });
  refuse(Refusal::kNumbers, [](Group& g) { g.rollout_seconds = -1; });
  refuse(Refusal::kNumbers, [](Group& g) { g.reference->rubric = {{"c", std::nan("")}}; });
  refuse(Refusal::kVersion, [](Group& g) { g.group.rollouts[0].last_version = 1; });  // not there yet
  refuse(Refusal::kVersion, [](Group& g) { g.group.rollouts[0].first_version = 1; });
  refuse(Refusal::kSender, [](Group& g) { g.actor = ""; });
  refuse(Refusal::kSender, [](Group& g) { g.actor = "judge-0"; });
  EXPECT_EQ(ReceiptFor(GoodGroup(0)), schema::Receipt::kAccepted);
  AllRefusalsAreCounted();
}

TEST_F(CoordinatorTest, AGroupThatFailedIsTaken) {
  coordinator_.Announce(0);
  ActorAsksFor(9);
  schema::ScoredGroup not_sampled;
  not_sampled.actor = "actor-0";
  not_sampled.reference = base::Failure{base::ErrorKind::kBadInput, "too long"};
  EXPECT_EQ(ReceiptFor(not_sampled), schema::Receipt::kAccepted);
  auto not_judged = GoodGroup(1);
  not_judged.rewards = {base::Failure{}, base::Failure{}};
  EXPECT_EQ(ReceiptFor(not_judged), schema::Receipt::kAccepted);
  auto without_reference = GoodGroup(2);
  without_reference.reference = base::Failure{};
  without_reference.rewards.clear();
  EXPECT_EQ(ReceiptFor(without_reference), schema::Receipt::kAccepted);
  AllRefusalsAreCounted();
}

TEST_F(CoordinatorTest, SaysStaleAndLendsTheTicketAgain) {
  coordinator_.Announce(0);
  ActorAsksFor(9);
  for (const schema::Ticket ticket : {0, 1}) EXPECT_EQ(ReceiptFor(GoodGroup(ticket)), schema::Receipt::kAccepted);
  ASSERT_TRUE(coordinator_.WaitForStep(base::Deadline::In(kSoon), {}).ok());
  coordinator_.Announce(1);
  ASSERT_EQ(ActorAsksFor(9).size(), 2u);  // step 2 with tickets 4 and 5 needs version 1
  EXPECT_EQ(ReceiptFor(GoodGroup(4)), schema::Receipt::kStale);
  const auto again = ActorAsksFor(9);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].ticket, 4u);
  EXPECT_EQ(again[0].attempt, 2u);
}

TEST_F(CoordinatorTest, ARequestUnlikeAnActorsIsRefused) {
  coordinator_.Announce(0);
  IsRefused(schema::LeaseRequest{.actor = "anchor-0", .max_groups = 1, .config = kConfig}, Refusal::kSender);
  IsRefused(schema::LeaseRequest{.actor = "actor-x", .max_groups = 1, .config = kConfig}, Refusal::kSender);
  IsRefused(schema::LeaseRequest{.actor = "actor-0", .max_groups = 0, .config = kConfig}, Refusal::kSizes);
  IsRefused(schema::LeaseRequest{.actor = "actor-0", .max_groups = ~0u, .config = kConfig}, Refusal::kSizes);
  IsRefused(schema::LeaseRequest{.actor = "actor-0", .max_groups = 1, .version = 3, .config = kConfig},
            Refusal::kVersion);
  IsRefused(schema::LeaseRequest{.actor = "actor-0", .max_groups = 1, .config = kConfig + 1}, Refusal::kConfig);
  AllRefusalsAreCounted();
}

TEST_F(CoordinatorTest, TellsEveryRoleWhereTheServicesAre) {
  DirectoryFor(HeartbeatOf("anchor-0", schema::RoleKind::kAnchor, "inproc://anchor-0"));
  DirectoryFor(HeartbeatOf("judge-3", schema::RoleKind::kJudge, "inproc://judge-3"));
  const auto directory = DirectoryFor(HeartbeatOf("actor-0", schema::RoleKind::kActor));
  EXPECT_THAT(directory.anchors, ElementsAre("inproc://anchor-0"));
  EXPECT_THAT(directory.judges, ElementsAre("inproc://judge-3"));
  EXPECT_EQ(directory.state, schema::RunState::kRunning);
  coordinator_.Finish();
  EXPECT_EQ(DirectoryFor(HeartbeatOf("actor-0", schema::RoleKind::kActor)).state, schema::RunState::kFinished);
}

TEST_F(CoordinatorTest, AnEndpointThatTheRunsNetworkDoesNotAllowIsRefusedAndNotPassedOn) {
  for (const char* endpoint : {"tcp://10.9.9.9:5555", "tcp://example.org:80", "tcp://127.0.0.1:99999", "ipc:///tmp/x",
                               "inproc://", "nowhere", "tcp://127.0.0.1:*", "", "tcp://127.0.0.1:5555"}) {
    IsRefused(HeartbeatOf("anchor-9", schema::RoleKind::kAnchor, endpoint), Refusal::kSender);
  }
  IsRefused(HeartbeatOf("actor-0", schema::RoleKind::kActor, "inproc://actor-0"), Refusal::kSender);
  EXPECT_THAT(DirectoryFor(HeartbeatOf("actor-0", schema::RoleKind::kActor)).anchors, IsEmpty());
  AllRefusalsAreCounted();
}

TEST_F(CoordinatorTest, AHeartbeatOfAnotherRunIsRefused) {
  auto stranger = HeartbeatOf("judge-0", schema::RoleKind::kJudge, "inproc://judge-0");
  stranger.config = 1;
  IsRefused(stranger, Refusal::kConfig);
  IsRefused(HeartbeatOf("judge-0", schema::RoleKind::kAnchor, "inproc://judge-0"), Refusal::kSender);
  IsRefused(HeartbeatOf("judge-0\n", schema::RoleKind::kJudge, "inproc://judge-0"), Refusal::kSender);
  AllRefusalsAreCounted();
}

TEST_F(CoordinatorTest, OnlyFiguresOfItsKindCanBeReported) {
  const auto report = [](const std::string& name, double value) {
    auto heartbeat = HeartbeatOf("judge-0", schema::RoleKind::kJudge, "inproc://judge-0");
    heartbeat.report = {{name, value}};
    return heartbeat;
  };
  IsRefused(report("accuracy/reference", 1.0), Refusal::kSender);
  IsRefused(report("reward/mean", 1.0), Refusal::kSender);  // a folder of another metric would end the run
  IsRefused(report("step_time/x", 1.0), Refusal::kSender);
  IsRefused(report("actor/refused", 1.0), Refusal::kSender);
  IsRefused(report("judge/cache_hit", std::nan("")), Refusal::kNumbers);
  IsRefused(report("judge/call_seconds", -1), Refusal::kNumbers);
  DirectoryFor(report("judge/cache_hit", 1.0));
  DirectoryFor(report("judge/cache_hit", 0.0));
  DirectoryFor(report("judge/refused", 2.0));
  DirectoryFor(report("judge/refused", 3.0));
  const auto reports = coordinator_.TakeReports();
  EXPECT_EQ(reports, (base::Metrics{{"intake/refused", refused_}, {"judge/cache_hit", 0.5}, {"judge/refused", 5}}));
  EXPECT_EQ(coordinator_.TakeReports(), (base::Metrics{{"intake/refused", 0}}));
}

TEST_F(CoordinatorTest, WhatIsNoMessageForALearnerIsRefused) {
  IsRefused(schema::Directory{}, Refusal::kKind);
  IsRefused(schema::FailureReply{}, Refusal::kKind);
  IsRefused(schema::Refused{}, Refusal::kKind);
  for (const std::string& bytes : {std::string(), std::string("hello"), std::string(80, '\xff')}) {
    const auto reply = SayBytes(bytes);
    ASSERT_TRUE(std::holds_alternative<schema::Refused>(reply));
    EXPECT_EQ(std::get<schema::Refused>(reply).why, Refusal::kMalformed);
    ++refused_;
  }
  AllRefusalsAreCounted();
}

TEST_F(CoordinatorTest, ManyStrangeRolesDoNotFillIt) {
  for (int i = 0; i < 1024; ++i) {
    DirectoryFor(HeartbeatOf("actor-" + std::to_string(i), schema::RoleKind::kActor));
  }
  IsRefused(HeartbeatOf("actor-1024", schema::RoleKind::kActor), Refusal::kSender);
  DirectoryFor(HeartbeatOf("actor-7", schema::RoleKind::kActor));
}

TEST_F(CoordinatorTest, AStepThatDoesNotComeNamesWhatIsMissingAndWhoWasHeard) {
  coordinator_.Announce(0);
  ActorAsksFor(1);
  DirectoryFor(HeartbeatOf("actor-0", schema::RoleKind::kActor));
  const auto step = coordinator_.WaitForStep(base::Deadline::In(base::Milliseconds(1)), {});
  ASSERT_FALSE(step.ok());
  EXPECT_THAT(step.failure().reason, testing::HasSubstr("1 with actor-0"));
  EXPECT_THAT(step.failure().reason, testing::HasSubstr("actor-0 on here"));
}

}  // namespace
}  // namespace autodidact::learner
