#include "membership/role.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "tests/scripted_peer.h"

namespace autodidact::membership {
namespace {

using schema::RunState;
using testing::HasSubstr;
using tests::kSoon;

// Serves as the test lets it.
class ScriptedRole final : public Role {
 public:
  std::string endpoint() const override { return "inproc://judge-3"; }
  Status TakeStatus() override { return status ? status() : Status{"working", 4, {{"judge/refused", 1}}}; }
  void Hear(const schema::Directory& directory) override {
    heard.With([&](auto& all) { all.push_back(directory.weights); });
  }
  void Serve(const std::stop_token& over) override {
    serving.With([](bool& it) { it = true; });
    if (serve) return serve();
    base::Guarded<bool> woken{false};
    const std::stop_callback wake(over, [&] { woken.With([](bool& it) { it = true; }); });
    EXPECT_TRUE(woken.WaitUntil(base::Deadline::In(kSoon), [](bool it) { return it; }));
  }

  std::function<Status()> status;
  std::function<void()> serve;
  base::Guarded<bool> serving{false};
  base::Guarded<std::vector<std::string>> heard;
};

// A role of its own thread, and a scripted learner.
class RunRoleTest : public testing::Test {
 protected:
  void LearnerSays(RunState state, const std::string& weights = "") {
    learner_.Says(schema::Directory{.state = state, .weights = weights});
  }
  void RoleJoins() {
    result_ = std::async(std::launch::async,
                         [this] { RunRole(to_learner_, member_, role_, stop_.get_token(), [this] { ++told_over_; }); });
  }
  void RoleServes() {
    EXPECT_TRUE(role_.serving.WaitUntil(base::Deadline::In(kSoon), [](bool it) { return it; }));
  }
  void RoleHears(const std::vector<std::string>& weights) {
    EXPECT_TRUE(role_.heard.WaitUntil(base::Deadline::In(kSoon), [&](const auto& all) { return all == weights; }));
  }
  void RoleLeaves() {
    ASSERT_EQ(result_.wait_for(kSoon), std::future_status::ready);
    result_.get();
  }
  base::Failure RoleFails() {
    if (result_.wait_for(kSoon) != std::future_status::ready) return {base::ErrorKind::kBug, "it goes on"};
    try {
      result_.get();
    } catch (const base::Error& error) {
      return {error.kind(), error.message()};
    }
    return {base::ErrorKind::kBug, "it has left without an error"};
  }

  net::Context context_;
  tests::ScriptedPeer learner_{context_, "inproc://learner"};
  net::Client to_learner_{context_, {"inproc://learner"}, {}, {.name = "judge-3", .peer = "learner"}};
  MemberConfig member_{.kind = schema::RoleKind::kJudge,
                       .index = 3,
                       .config = 5,
                       .interval = base::Milliseconds(1),
                       .reply_timeout = base::Milliseconds(50)};
  ScriptedRole role_;
  std::stop_source stop_;
  std::atomic<int> told_over_{0};
  std::future<void> result_;
};

TEST_F(RunRoleTest, JoinsServesAndLeavesWhenTheRunIsOver) {
  LearnerSays(RunState::kRunning, "inproc://weights-1");
  LearnerSays(RunState::kRunning, "inproc://weights-2");
  LearnerSays(RunState::kFinished, "inproc://weights-2");
  RoleJoins();
  RoleLeaves();
  RoleHears({"inproc://weights-1", "inproc://weights-2", "inproc://weights-2"});
  EXPECT_EQ(told_over_, 1);
}

TEST_F(RunRoleTest, SaysWhoItIsWhereItIsAndWhatItDoes) {
  LearnerSays(RunState::kFinished);
  RoleJoins();
  RoleLeaves();
  const auto heartbeat = learner_.Heard<schema::Heartbeat>().front();
  EXPECT_EQ(heartbeat.role, "judge-3");
  EXPECT_EQ(heartbeat.kind, schema::RoleKind::kJudge);
  EXPECT_EQ(heartbeat.endpoint, "inproc://judge-3");
  EXPECT_EQ(heartbeat.config, 5u);
  EXPECT_EQ(heartbeat.doing, "working");
  EXPECT_EQ(heartbeat.progress, 4u);
  EXPECT_EQ(heartbeat.report, (base::Metrics{{"judge/refused", 1}}));
}

TEST_F(RunRoleTest, LeavesWhenItIsStopped) {
  LearnerSays(RunState::kRunning);
  RoleJoins();
  RoleServes();
  stop_.request_stop();
  RoleLeaves();
  EXPECT_EQ(told_over_, 0);
}

TEST_F(RunRoleTest, StoppedBeforeItBeganLeavesAtOnce) {
  stop_.request_stop();
  RoleJoins();
  RoleLeaves();
}

TEST_F(RunRoleTest, ALearnerThatIsSilentTooLongIsAnError) {
  member_.silence = base::Milliseconds(20);
  learner_.IsSilent();
  RoleJoins();
  const auto failure = RoleFails();
  EXPECT_EQ(failure.kind, base::ErrorKind::kDisconnected);
  EXPECT_THAT(failure.reason, HasSubstr("the learner fell silent"));
  EXPECT_EQ(told_over_, 1);
}

TEST_F(RunRoleTest, ALearnerThatIsSilentForATimeIsWaitedFor) {
  learner_.IsSilent();
  LearnerSays(RunState::kRunning, "inproc://weights-3");
  LearnerSays(RunState::kFinished, "inproc://weights-3");
  RoleJoins();
  RoleLeaves();
  RoleHears({"inproc://weights-3", "inproc://weights-3"});
}

TEST_F(RunRoleTest, ALearnerThatRefusesItsConfigIsAnError) {
  learner_.Says(schema::Refused{schema::Refusal::kConfig, "its config is not that of the run"});
  RoleJoins();
  const auto failure = RoleFails();
  EXPECT_EQ(failure.kind, base::ErrorKind::kBadInput);
  EXPECT_THAT(failure.reason, HasSubstr("judge-3"));
  EXPECT_THAT(failure.reason, HasSubstr("not that of the run"));
  EXPECT_EQ(told_over_, 1);
}

TEST_F(RunRoleTest, WhatKeepsItFromServingIsItsError) {
  LearnerSays(RunState::kRunning);
  role_.serve = [] { base::ThrowBadInput("the model is not there"); };
  RoleJoins();
  EXPECT_THAT(RoleFails().reason, HasSubstr("the model is not there"));
}

TEST_F(RunRoleTest, HasNoNeedToServeToTheEnd) {
  LearnerSays(RunState::kRunning);
  role_.serve = [] {};
  RoleJoins();
  RoleLeaves();
  EXPECT_EQ(told_over_, 0);
}

TEST_F(RunRoleTest, AStatusThatCannotBeHadEndsNothing) {
  LearnerSays(RunState::kFinished);
  std::atomic<int> asked{0};
  role_.status = [&] {
    if (asked++ == 0) throw std::runtime_error("no figures");
    return Status{};
  };
  RoleJoins();
  RoleLeaves();
  EXPECT_GE(asked, 2);
}

TEST(RoleKindNamedTest, KnowsTheNamesOfItsKinds) {
  EXPECT_EQ(RoleKindNamed("actor"), schema::RoleKind::kActor);
  EXPECT_EQ(RoleKindNamed("anchor"), schema::RoleKind::kAnchor);
  EXPECT_EQ(RoleKindNamed("judge"), schema::RoleKind::kJudge);
  for (const char* name : {"learner", "Actor", "actors", "", "actor-0"}) {
    EXPECT_THROW(RoleKindNamed(name), base::Error) << name;
  }
}

}  // namespace
}  // namespace autodidact::membership
