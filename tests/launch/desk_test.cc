#include "launch/job/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "net/port.h"
#include "schema/validate.h"
#include "tests/waits.h"

namespace autodidact::launch {
namespace {

using base::Deadline;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::kSoon;

constexpr const char* kHere = "127.0.0.1";

// A supervisor's desk, and agents of two hosts and a learner that report to it.
class DeskTest : public testing::Test {
 protected:
  Orders Says(const std::string& who, const Report& report) {
    net::Client client(context_, {plan_.supervisor}, plan_.SecurityOf(who),
                       {.name = who, .peer = kSupervisor, .server = kSupervisor});
    const auto reply = client.Call(Encode(report), Deadline::In(kSoon), "report");
    EXPECT_TRUE(reply.ok()) << who << ": " << (reply.ok() ? "" : reply.failure().reason);
    return reply.ok() ? ParseOrders(*reply) : Orders{};
  }
  Orders LearnerSays(Report report, const std::string& attempt = "first") {
    report.attempt = attempt;
    return Says(schema::kLearnerName, report);
  }
  void IsOpen() {
    desk_.ExpectLearner("first");
    LearnerSays({.open = true, .config = "runs/x/config.yaml"});
  }

  net::ReservedPort port_{kHere, {}};
  JobPlan plan_{.binary = "autodidact",
                .config_file = "train.yaml",
                .arguments = {},
                .hosts = {{"lo", kHere, 8}, {"lo", "127.0.0.2", 8}},
                .roles = {{"learner", 0, 0, "cpu"}, {"actor", 0, 1, "cpu"}},
                .supervisor = port_.endpoint(),
                .learner = {},
                .weights = {},
                .keys = MakeKeys({{"learner", 0, 0, "cpu"}, {"actor", 0, 1, "cpu"}}, 2)};
  net::Context context_;
  Desk desk_{context_, plan_};
};

TEST_F(DeskTest, TheCodeOfRanksThatWereReplacedIsNotTheRuns) {
  IsOpen();
  LearnerSays({.open = true, .code = 2});
  EXPECT_EQ(desk_.code(), 2);
  desk_.ExpectLearner("second");
  EXPECT_EQ(desk_.code(), std::nullopt);
  LearnerSays({.code = 1});
  EXPECT_EQ(desk_.code(), std::nullopt);
  LearnerSays({.code = 0}, "second");
  EXPECT_EQ(desk_.code(), 0);
}

TEST_F(DeskTest, RolesMayStartOnceTheLearnerHasOpenedItsFolder) {
  desk_.ExpectLearner("first");
  EXPECT_EQ(Says("agent-0", {}).phase, RunPhase::kStarting);
  LearnerSays({.open = true, .config = "runs/x/config.yaml"});
  const Orders orders = Says("agent-1", {});
  EXPECT_EQ(orders.phase, RunPhase::kOpen);
  EXPECT_EQ(orders.config, "runs/x/config.yaml");
}

TEST_F(DeskTest, ASignalToOneHostIsToldToAll) {
  IsOpen();
  Says("agent-1", {.signal = SIGTERM});
  EXPECT_EQ(desk_.signal(), SIGTERM);
  EXPECT_EQ(LearnerSays({.open = true}).signal, SIGTERM);
  EXPECT_EQ(Says("agent-0", {}).signal, SIGTERM);
}

TEST_F(DeskTest, TheLearnerIsReleasedWhenNoRoleIsLeftAndAgentsWhenItIsGone) {
  IsOpen();
  EXPECT_EQ(LearnerSays({.open = true, .over = true, .code = 0}).phase, RunPhase::kOpen);
  EXPECT_EQ(Says("agent-0", {.done = true}).phase, RunPhase::kOver);
  EXPECT_EQ(Says("agent-1", {.done = true}).phase, RunPhase::kOver);
  EXPECT_EQ(LearnerSays({.open = true, .over = true, .code = 0}).phase, RunPhase::kOver);
  EXPECT_EQ(desk_.code(), 0);
  desk_.TellGone();
  EXPECT_EQ(Says("agent-0", {.done = true}).phase, RunPhase::kGone);
  EXPECT_THAT(desk_.WaitForAgents(Deadline::In(base::Milliseconds(0))), ElementsAre("agent-1"));
  Says("agent-1", {.done = true});
  EXPECT_THAT(desk_.WaitForAgents(Deadline::In(kSoon)), IsEmpty());
}

TEST_F(DeskTest, RanksInWhosePlaceOthersWereStartedAreToldToEndAndNotBelieved) {
  IsOpen();
  desk_.ExpectLearner("second");
  EXPECT_EQ(LearnerSays({.open = true, .code = 1}).phase, RunPhase::kGone);
  EXPECT_EQ(desk_.code(), std::nullopt);
  EXPECT_EQ(LearnerSays({.open = true}, "second").phase, RunPhase::kOpen);
}

TEST_F(DeskTest, ACommandForAHostGoesToItsAgentAndItsStarterHearsWhetherItRuns) {
  IsOpen();
  net::Client starter(context_, {plan_.supervisor}, plan_.SecurityOf(kStarter),
                      {.name = kStarter, .peer = kSupervisor, .server = kSupervisor});
  base::Guarded<std::optional<std::string>> answer;
  starter.CallAsync(Encode(StartRequest{"127.0.0.2", "orted"}), Deadline::In(kSoon), "start",
                    [&](const base::Outcome<std::string>& reply) {
                      answer.With([&](auto& it) { it = reply.ok() ? *reply : reply.failure().reason; });
                    });
  std::vector<Launch> launches;
  const Deadline deadline = Deadline::In(kSoon);
  while (launches.empty() && !deadline.Passed()) {
    EXPECT_THAT(Says("agent-0", {}).launches, IsEmpty());
    launches = Says("agent-1", {}).launches;
  }
  ASSERT_EQ(launches.size(), 1u);
  EXPECT_EQ(launches[0].command, "orted");
  Says("agent-1", {.launched = {{launches[0].id, "no such file"}}});
  ASSERT_TRUE(answer.WaitUntil(Deadline::In(kSoon), [](const auto& it) { return it.has_value(); }));
  answer.With([](const auto& it) { EXPECT_EQ(*it, "no such file"); });
  const auto nowhere = starter.Call(Encode(StartRequest{"10.9.9.9", "orted"}), Deadline::In(kSoon), "start");
  EXPECT_THAT(nowhere.value(), HasSubstr("no host of this run"));
}

TEST_F(DeskTest, ARoleHasNothingToSayHere) {
  net::Client actor(context_, {plan_.supervisor}, plan_.SecurityOf("actor-0"),
                    {.name = "actor-0", .peer = kSupervisor, .server = kSupervisor});
  EXPECT_FALSE(actor.Call(Encode(Report{}), Deadline::In(base::Milliseconds(800)), "report").ok());
}

}  // namespace
}  // namespace autodidact::launch
