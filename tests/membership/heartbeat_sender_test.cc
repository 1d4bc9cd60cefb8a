#include "membership/heartbeat_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scripted_peer.h"

namespace autodidact::membership {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tests::kSoon;

// A role that sends heartbeats in quick succession to a scripted learner.
class HeartbeatSenderTest : public testing::Test {
 protected:
  void RoleJoins(const MemberConfig& config) {
    sender_.emplace(
        to_learner_, config,
        [] {
          return Status{"working", 1, {{"judge/refused", 2}}};
        },
        [this](const schema::Directory& directory) { heard_.With([&](auto& all) { all.push_back(directory); }); },
        [this] { over_.With([](int& times) { ++times; }); });
  }
  static MemberConfig InQuickSuccession() {
    return {.kind = schema::RoleKind::kJudge,
            .endpoint = "inproc://judge-0",
            .config = 5,
            .interval = base::Milliseconds(1),
            .reply_timeout = base::Milliseconds(50)};
  }
  std::vector<schema::Directory> HearsOfDirectories(std::size_t count) {
    EXPECT_TRUE(heard_.WaitUntil(base::Deadline::In(kSoon), [&](const auto& all) { return all.size() >= count; }));
    return heard_.With([](const auto& all) { return all; });
  }
  void IsOver() {
    EXPECT_TRUE(over_.WaitUntil(base::Deadline::In(kSoon), [](int times) { return times == 1; }));
  }

  net::Context context_;
  tests::ScriptedPeer learner_{context_, "inproc://learner"};
  net::Client to_learner_{context_, {"inproc://learner"}, {}, {.name = "judge-0", .peer = "learner"}};
  base::Guarded<std::vector<schema::Directory>> heard_;
  base::Guarded<int> over_{0};
  std::optional<HeartbeatSender> sender_;
};

TEST_F(HeartbeatSenderTest, SaysWhoItIsAndHearsWhoIsThere) {
  learner_.Says(schema::Directory{.anchors = {"inproc://anchor-0"}});
  RoleJoins(InQuickSuccession());
  EXPECT_THAT(HearsOfDirectories(1)[0].anchors, ElementsAre("inproc://anchor-0"));
  const auto heartbeat = learner_.Heard<schema::Heartbeat>().front();
  EXPECT_EQ(heartbeat.role, "judge-0");
  EXPECT_EQ(heartbeat.kind, schema::RoleKind::kJudge);
  EXPECT_EQ(heartbeat.config, 5u);
  EXPECT_EQ(heartbeat.endpoint, "inproc://judge-0");
  EXPECT_EQ(heartbeat.report, (base::Metrics{{"judge/refused", 2}}));
}

TEST_F(HeartbeatSenderTest, HearsOfADirectoryOnlyWhenItHasChanged) {
  learner_.Says(schema::Directory{});  // nothing that is not known
  learner_.Says(schema::Directory{.anchors = {"inproc://anchor-1"}});
  learner_.Says(schema::Directory{.anchors = {"inproc://anchor-1"}});
  learner_.Says(schema::Directory{.anchors = {"inproc://anchor-2"}});
  RoleJoins(InQuickSuccession());
  EXPECT_THAT(HearsOfDirectories(2)[1].anchors, ElementsAre("inproc://anchor-2"));
}

TEST_F(HeartbeatSenderTest, RepliesThatAreOfNoUseEndNothing) {
  learner_.SaysBytes("");
  learner_.SaysBytes("what");
  learner_.SaysBytes(std::string(80, '\x7f'));
  learner_.Says(schema::SubmitReply{});
  learner_.Says(schema::FailureReply{{base::ErrorKind::kBug, "broken"}});
  learner_.Says(schema::Refused{schema::Refusal::kSender, "who?"});
  learner_.Says(schema::Directory{.anchors = std::vector<std::string>(2000, "inproc://a")});
  learner_.IsSilent();
  learner_.Says(schema::Directory{.anchors = {"inproc://anchor-7"}});
  RoleJoins(InQuickSuccession());
  EXPECT_THAT(HearsOfDirectories(1)[0].anchors, ElementsAre("inproc://anchor-7"));
  EXPECT_FALSE(sender_->Lost());
}

TEST_F(HeartbeatSenderTest, EndpointsThatNobodyCanBeAskedAtAreLeftOut) {
  learner_.Says(schema::Directory{.weights = "tcp://example.org:80",
                                  .anchors = {"tcp://10.9.9.9:x", "tcp://10.9.9.9:5555", "nowhere", ""},
                                  .judges = {"inproc://", "inproc://judge-0", "tcp://127.0.0.1:0"}});
  RoleJoins(InQuickSuccession());
  const auto directory = HearsOfDirectories(1)[0];
  EXPECT_THAT(directory.anchors, ElementsAre("tcp://10.9.9.9:5555"));
  EXPECT_THAT(directory.judges, ElementsAre("inproc://judge-0"));
  EXPECT_EQ(directory.weights, "");
}

TEST_F(HeartbeatSenderTest, IsOverWhenTheRunIs) {
  learner_.Says(schema::Directory{.state = schema::RunState::kFinished});
  learner_.Says(schema::Directory{.state = schema::RunState::kFinished, .judges = {"inproc://judge-0"}});
  RoleJoins(InQuickSuccession());
  IsOver();
  HearsOfDirectories(2);
  IsOver();
  EXPECT_FALSE(sender_->Lost());
}

TEST_F(HeartbeatSenderTest, IsLostWhenTheLearnerRefusesItsConfig) {
  learner_.Says(schema::Refused{schema::Refusal::kConfig, "its config is not that of the run"});
  RoleJoins(InQuickSuccession());
  IsOver();
  ASSERT_TRUE(sender_->Lost());
  EXPECT_EQ(sender_->Lost()->kind, base::ErrorKind::kBadInput);
  EXPECT_THAT(sender_->Lost()->reason, HasSubstr("not that of the run"));
}

TEST_F(HeartbeatSenderTest, IsLostWhenNothingOfUseComesForTooLong) {
  learner_.SaysBytes("what");
  auto config = InQuickSuccession();
  config.silence = base::Milliseconds(20);
  RoleJoins(config);
  IsOver();
  ASSERT_TRUE(sender_->Lost());
  EXPECT_EQ(sender_->Lost()->kind, base::ErrorKind::kDisconnected);
}

}  // namespace
}  // namespace autodidact::membership
