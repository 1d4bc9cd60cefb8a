#include "learner/prompt_queue.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"

namespace autodidact::learner {
namespace {

using std::chrono::seconds;

std::vector<schema::Prompt> Prompts(int count) {
  std::vector<schema::Prompt> prompts;
  for (int i = 0; i < count; ++i) prompts.push_back({.id = std::to_string(i), .text = "t", .messages = {}});
  return prompts;
}

schema::ScoredGroup GroupOf(const schema::Lease& lease, schema::WeightVersion version, const std::string& actor = "a") {
  schema::ScoredGroup scored;
  scored.actor = actor;
  scored.group.ticket = lease.ticket;
  scored.group.rollouts.resize(2);
  for (auto& rollout : scored.group.rollouts) rollout.first_version = rollout.last_version = version;
  return scored;
}

const base::Clock::time_point kStart{};

TEST(PromptQueueTest, HandsOutNothingBeforeTheWeightsOfTheStepExist) {
  PromptQueue queue({.groups_per_step = 2, .max_steps = 3}, Prompts(5));
  EXPECT_TRUE(queue.Take("a", 9, kStart).empty());
  queue.Announce(0);
  EXPECT_EQ(queue.Take("a", 9, kStart).size(), 2u);
  EXPECT_TRUE(queue.Take("a", 9, kStart).empty());
}

TEST(PromptQueueTest, EveryPassGivesEveryPromptOnceInANewOrder) {
  PromptQueue queue({.groups_per_step = 2, .max_steps = 99, .seed = 3}, Prompts(50));
  std::vector<std::vector<std::string>> passes(2);
  for (schema::Ticket t = 0; t < 100; ++t) passes[t / 50].push_back(queue.PromptOf(t).id);
  for (const auto& pass : passes) EXPECT_EQ(std::set<std::string>(pass.begin(), pass.end()).size(), 50u);
  EXPECT_NE(passes[0], passes[1]);
}

TEST(PromptQueueTest, LeasesOfAnActorThatIsGoneAreGivenOutAtOnceAndItsLateGroupStillCountsOnce) {
  PromptQueue queue({.groups_per_step = 2, .max_steps = 1, .lease = seconds(100)}, Prompts(3));
  queue.Announce(0);
  const auto first = queue.Take("gone", 1, kStart);
  const auto other = queue.Take("other", 1, kStart);
  queue.ReturnAll("gone", "died with it");
  const auto again = queue.Take("other", 9, kStart);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].ticket, first[0].ticket);
  EXPECT_EQ(queue.Submit(GroupOf(first[0], 0, "gone")), schema::Receipt::kAccepted);
  EXPECT_EQ(queue.Submit(GroupOf(again[0], 0, "other")), schema::Receipt::kDuplicate);
  EXPECT_EQ(queue.Submit(GroupOf(other[0], 0, "other")), schema::Receipt::kAccepted);
  EXPECT_EQ(queue.TakeStep().expired_leases, 1);
}

TEST(PromptQueueTest, AnExpiredLeaseIsGivenOutAgainAndALateGroupCountsOnce) {
  PromptQueue queue({.groups_per_step = 1, .max_steps = 1, .lease = seconds(10)}, Prompts(3));
  queue.Announce(0);
  const auto first = queue.Take("slow", 1, kStart);
  queue.Expire(kStart + seconds(9));
  EXPECT_TRUE(queue.Take("other", 1, kStart).empty());
  queue.Expire(kStart + seconds(10));
  const auto second = queue.Take("other", 1, kStart + seconds(10));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].ticket, first[0].ticket);
  EXPECT_EQ(second[0].attempt, 2u);
  EXPECT_EQ(queue.Submit(GroupOf(first[0], 0, "stranger")), schema::Receipt::kUnknown);
  EXPECT_EQ(queue.Submit(GroupOf(first[0], 0, "slow")), schema::Receipt::kAccepted);
  EXPECT_EQ(queue.Submit(GroupOf(second[0], 0, "other")), schema::Receipt::kDuplicate);
  EXPECT_TRUE(queue.StepReady());
  const auto batch = queue.TakeStep();
  EXPECT_EQ(batch.groups.size(), 1u);
  EXPECT_EQ(batch.duplicates, 1);
  EXPECT_EQ(batch.expired_leases, 1);
}

TEST(PromptQueueTest, APlaceWithoutAGroupAfterAllAttemptsIsACountedHole) {
  PromptQueue queue({.groups_per_step = 2, .max_steps = 1, .lease = seconds(1), .max_attempts = 2}, Prompts(3));
  queue.Announce(0);
  const auto leases = queue.Take("a", 2, kStart);
  EXPECT_EQ(queue.Submit(GroupOf(leases[1], 0)), schema::Receipt::kAccepted);
  queue.Expire(kStart + seconds(1));
  ASSERT_EQ(queue.Take("a", 2, kStart + seconds(1)).size(), 1u);
  queue.Expire(kStart + seconds(2));
  ASSERT_TRUE(queue.StepReady());
  const auto batch = queue.TakeStep();
  EXPECT_EQ(batch.groups.size(), 1u);
  ASSERT_EQ(batch.dropped.size(), 1u);
  EXPECT_NE(batch.dropped[0].find("ticket 0"), std::string::npos) << batch.dropped[0];
}

TEST(PromptQueueTest, RefusesGroupsOfWeightsThatAreTooOldAndGivesTheTicketOutAgain) {
  PromptQueue queue({.groups_per_step = 1, .max_staleness = 1, .max_steps = 9}, Prompts(9));
  queue.Announce(0);
  const auto early = queue.Take("a", 9, kStart);  // steps 0 and 1 may use version 0
  ASSERT_EQ(early.size(), 2u);
  EXPECT_EQ(queue.Submit(GroupOf(early[0], 0)), schema::Receipt::kAccepted);
  queue.TakeStep();
  queue.Announce(1);
  const auto third = queue.Take("a", 9, kStart);  // step 2 needs version 1
  ASSERT_EQ(third.size(), 1u);
  EXPECT_EQ(third[0].min_version, 1u);
  EXPECT_EQ(queue.Submit(GroupOf(third[0], 0)), schema::Receipt::kStale);
  EXPECT_EQ(queue.Take("a", 9, kStart).size(), 1u);
}

TEST(PromptQueueTest, DoesNotKnowTicketsThatWereNeverHandedOut) {
  PromptQueue queue({.groups_per_step = 1, .max_steps = 9}, Prompts(9));
  queue.Announce(0);
  EXPECT_EQ(queue.Submit(GroupOf({.ticket = 0, .prompt = {}}, 0)), schema::Receipt::kUnknown);
  EXPECT_EQ(queue.Submit(GroupOf({.ticket = 77, .prompt = {}}, 0)), schema::Receipt::kUnknown);
}

TEST(PromptQueueTest, AResumedRunGoesOnWithTheSameTicketsAndPrompts) {
  const QueueConfig config{.groups_per_step = 2, .max_steps = 9, .seed = 5};
  PromptQueue whole(config, Prompts(7));
  QueueConfig later = config;
  later.first_step = 3;
  PromptQueue resumed(later, Prompts(7));
  resumed.Announce(3);
  for (const auto& lease : resumed.Take("a", 9, kStart)) EXPECT_EQ(lease.prompt.id, whole.PromptOf(lease.ticket).id);
  EXPECT_EQ(resumed.PromptOf(6).id, whole.PromptOf(6).id);
}

TEST(PromptQueueTest, ARunWithoutPromptsIsRefused) {
  EXPECT_THROW(PromptQueue({}, {}), base::Error);
}

}  // namespace
}  // namespace autodidact::learner
