#include "membership/role_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace autodidact::membership {
namespace {

using schema::Refusal;
using schema::RoleKind;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t kConfig = 99;

// A learner that notes who it hears of; the clock goes as the test says.
class RoleDirectoryTest : public testing::Test {
 protected:
  static RoleDirectoryConfig OnTheNetwork() {
    return {.in_process = false, .config = kConfig, .silence = seconds(10), .max_roles = 3};
  }
  static schema::Heartbeat From(RoleKind kind, int index) {
    const std::string number = std::to_string(index);
    return {.role = std::string(Name(kind)) + "-" + number,
            .kind = kind,
            .config = kConfig,
            .endpoint = kind == RoleKind::kActor ? "" : "tcp://127.0.0.1:500" + number,
            .host = "here",
            .pid = 7,
            .doing = "working"};
  }
  void IsHeard(const schema::Heartbeat& heartbeat) {
    const auto refused = directory_.Take(heartbeat, now_);
    EXPECT_FALSE(refused) << refused->text;
  }
  void IsRefused(const schema::Heartbeat& heartbeat, Refusal why) {
    const auto refused = directory_.Take(heartbeat, now_);
    ASSERT_TRUE(refused) << heartbeat.role << " at " << heartbeat.endpoint;
    EXPECT_STREQ(schema::Name(refused->why), schema::Name(why)) << refused->text;
    EXPECT_FALSE(refused->text.empty());
  }
  void TimePasses(seconds passed) { now_ += passed; }
  std::vector<std::string> Anchors() const { return directory_.EndpointsOf(RoleKind::kAnchor, now_); }
  std::vector<std::string> Judges() const { return directory_.EndpointsOf(RoleKind::kJudge, now_); }
  std::string Diagnosis() const { return directory_.Describe(now_); }

  RoleDirectory directory_{OnTheNetwork()};
  base::Clock::time_point now_{};
};

TEST_F(RoleDirectoryTest, KnowsWhereTheServicesAre) {
  EXPECT_THAT(Anchors(), IsEmpty());
  IsHeard(From(RoleKind::kAnchor, 1));
  IsHeard(From(RoleKind::kJudge, 2));
  IsHeard(From(RoleKind::kActor, 0));
  EXPECT_THAT(Anchors(), ElementsAre("tcp://127.0.0.1:5001"));
  EXPECT_THAT(Judges(), ElementsAre("tcp://127.0.0.1:5002"));
  EXPECT_THAT(directory_.EndpointsOf(RoleKind::kActor, now_), ElementsAre(""));
}

TEST_F(RoleDirectoryTest, AServiceThatIsSilentIsNotNamedUntilItIsHeardAgain) {
  IsHeard(From(RoleKind::kAnchor, 0));
  TimePasses(seconds(6));
  IsHeard(From(RoleKind::kAnchor, 1));
  TimePasses(seconds(6));
  EXPECT_THAT(Anchors(), ElementsAre("tcp://127.0.0.1:5001"));
  IsHeard(From(RoleKind::kAnchor, 0));
  EXPECT_THAT(Anchors(), ElementsAre("tcp://127.0.0.1:5000", "tcp://127.0.0.1:5001"));
}

TEST_F(RoleDirectoryTest, ARoleThatStartsAgainIsWhereItSaysNow) {
  auto judge = From(RoleKind::kJudge, 0);
  IsHeard(judge);
  judge.endpoint = "tcp://127.0.0.1:6000";
  IsHeard(judge);
  EXPECT_THAT(Judges(), ElementsAre("tcp://127.0.0.1:6000"));
}

TEST_F(RoleDirectoryTest, ARoleOfAnotherRunIsRefused) {
  auto stranger = From(RoleKind::kJudge, 0);
  stranger.config = kConfig + 1;
  IsRefused(stranger, Refusal::kConfig);
  stranger.config = 0;
  IsRefused(stranger, Refusal::kConfig);
  EXPECT_THAT(Judges(), IsEmpty());
  EXPECT_FALSE(RoleDirectory({}).CheckConfig(5));  // nothing to compare with
}

TEST_F(RoleDirectoryTest, OnTheNetworkAServiceIsOnTheNetwork) {
  auto judge = From(RoleKind::kJudge, 0);
  for (const char* endpoint : {"inproc://judge-0", "tcp://example.org:80", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0",
                               "tcp://127.0.0.1:99999", "ipc:///tmp/x", "nowhere", ""}) {
    judge.endpoint = endpoint;
    IsRefused(judge, Refusal::kSender);
  }
  auto actor = From(RoleKind::kActor, 0);
  actor.endpoint = "tcp://127.0.0.1:5000";
  IsRefused(actor, Refusal::kSender);
  EXPECT_THAT(Judges(), IsEmpty());
}

TEST_F(RoleDirectoryTest, InOneProcessAServiceIsInTheProcess) {
  RoleDirectory in_process({.config = kConfig});
  auto judge = From(RoleKind::kJudge, 0);
  EXPECT_TRUE(in_process.Take(judge, now_));
  judge.endpoint = "inproc://judge-0";
  EXPECT_FALSE(in_process.Take(judge, now_));
}

TEST_F(RoleDirectoryTest, AnotherProcessInARolesPlaceIsNoticed) {
  auto heartbeat = From(RoleKind::kActor, 0);
  EXPECT_FALSE(directory_.IsReplaced(heartbeat));
  IsHeard(heartbeat);
  EXPECT_FALSE(directory_.IsReplaced(heartbeat));
  heartbeat.pid = 8;
  EXPECT_TRUE(directory_.IsReplaced(heartbeat));
  IsHeard(heartbeat);
  EXPECT_FALSE(directory_.IsReplaced(heartbeat));
}

TEST_F(RoleDirectoryTest, RolesThatHaveFallenSilentAreNamed) {
  IsHeard(From(RoleKind::kActor, 0));
  TimePasses(seconds(11));
  IsHeard(From(RoleKind::kActor, 1));
  EXPECT_THAT(directory_.Silent(RoleKind::kActor, now_), ElementsAre("actor-0"));
  EXPECT_THAT(directory_.Silent(RoleKind::kJudge, now_), IsEmpty());
}

TEST_F(RoleDirectoryTest, AServiceMayBeOnAnotherMachine) {
  auto judge = From(RoleKind::kJudge, 0);
  judge.endpoint = "tcp://10.9.9.9:5555";
  IsHeard(judge);
  EXPECT_THAT(Judges(), ElementsAre("tcp://10.9.9.9:5555"));
}

TEST_F(RoleDirectoryTest, WhoeverComesBeyondTheMostThatMayWorkIsRefusedUnlessOneIsSilent) {
  for (const int index : {0, 1, 2}) IsHeard(From(RoleKind::kActor, index));
  IsRefused(From(RoleKind::kActor, 3), Refusal::kSender);
  IsHeard(From(RoleKind::kActor, 2));  // who is there may go on
  TimePasses(seconds(6));
  IsHeard(From(RoleKind::kActor, 1));
  TimePasses(seconds(6));
  IsHeard(From(RoleKind::kActor, 3));
  EXPECT_THAT(Diagnosis(), Not(HasSubstr("actor-0")));
  EXPECT_THAT(Diagnosis(), HasSubstr("actor-1"));
}

TEST_F(RoleDirectoryTest, CountsAreAddedUpAndOtherFiguresAreMeans) {
  auto judge = From(RoleKind::kJudge, 0);
  judge.report = {{"judge/refused", 2}, {"judge/call_seconds", 1}};
  IsHeard(judge);
  judge.report = {{"judge/refused", 3}, {"judge/call_seconds", 2}};
  IsHeard(judge);
  EXPECT_EQ(directory_.TakeReports(), (base::Metrics{{"judge/refused", 5}, {"judge/call_seconds", 1.5}}));
  EXPECT_THAT(directory_.TakeReports(), IsEmpty());
}

TEST_F(RoleDirectoryTest, WhatIsRefusedChangesNothing) {
  auto judge = From(RoleKind::kJudge, 0);
  judge.report = {{"judge/refused", 2}, {"accuracy/reference", 1}};
  IsRefused(judge, Refusal::kSender);
  judge.report = {{"judge/refused", std::nan("")}};
  IsRefused(judge, Refusal::kNumbers);
  judge.report = {{"judge/refused", 2}};
  judge.config = 0;
  IsRefused(judge, Refusal::kConfig);
  EXPECT_THAT(directory_.TakeReports(), IsEmpty());
  EXPECT_THAT(Judges(), IsEmpty());
  EXPECT_EQ(Diagnosis(), "no role was ever heard of");
}

TEST_F(RoleDirectoryTest, ADiagnosisTellsARoleThatWorksFromOneThatHangs) {
  auto works = From(RoleKind::kActor, 0);
  auto hangs = From(RoleKind::kActor, 1);
  hangs.doing = "decoding 2 groups";
  for (int i = 0; i < 4; ++i) {
    ++works.progress;
    IsHeard(works);
    IsHeard(hangs);
    TimePasses(seconds(5));
  }
  EXPECT_EQ(Diagnosis(),
            "actor-0 on here last heard 5 s ago, working, nothing done for 5 s; "
            "actor-1 on here last heard 5 s ago, decoding 2 groups, nothing done for 20 s");
}

TEST_F(RoleDirectoryTest, ARoleThatStartsAgainHasDoneSomething) {
  auto actor = From(RoleKind::kActor, 0);
  actor.progress = 40;
  IsHeard(actor);
  TimePasses(seconds(9));
  actor.progress = 0;
  IsHeard(actor);
  EXPECT_THAT(Diagnosis(), HasSubstr("nothing done for 0 s"));
}

}  // namespace
}  // namespace autodidact::membership
