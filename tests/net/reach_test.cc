#include "net/reach.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/loopback.h"
#include "tests/waits.h"

namespace autodidact::net {
namespace {

using base::Deadline;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::kSoon;

constexpr const char* kHere = "127.0.0.1";
constexpr base::Milliseconds kTrial{150};

// Listens and never accepts; with a full queue the kernel lets nobody in.
using DeafListener = tests::Listener;

int ClosedPort() {
  return DeafListener(1).port();
}

TEST(ReachTest, DeskIsReachedWithItsToken) {
  const std::string token = MakeReachToken();
  const ReachDesk desk(kHere, {}, token);
  EXPECT_THAT(TryToReach({{kHere, desk.port(), token}}, Deadline::In(kSoon)), ElementsAre(""));
}

TEST(ReachTest, ManyVisitorsAreServedAtOnce) {
  const std::string token = MakeReachToken();
  const ReachDesk desk(kHere, {}, token);
  const std::vector<ReachTarget> targets(100, {kHere, desk.port(), token});
  EXPECT_THAT(TryToReach(targets, Deadline::In(kSoon)), testing::Each(""));
}

TEST(ReachTest, VisitorWithoutTheTokenGetsNothing) {
  const ReachDesk desk(kHere, {}, MakeReachToken());
  const auto failures = TryToReach({{kHere, desk.port(), MakeReachToken()}}, Deadline::In(kSoon));
  EXPECT_NE(failures[0], "");
}

TEST(ReachTest, DeskTakesAPortOfTheRange) {
  const int port = ClosedPort();
  const ReachDesk desk(kHere, {port, port}, MakeReachToken());
  EXPECT_EQ(desk.port(), port);
  try {
    const ReachDesk second(kHere, {port, port}, MakeReachToken());
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    EXPECT_THAT(error.message(), HasSubstr("all ports of the range are in use"));
  }
}

TEST(ReachTest, AddressThatIsNotOursCannotBeListenedAt) {
  EXPECT_THROW(ReachDesk("192.0.2.1", {}, MakeReachToken()), base::Error);
  EXPECT_THROW(ReachDesk("node1", {}, MakeReachToken()), base::Error);
}

TEST(ReachTest, RefusedPortIsToldFromSilence) {
  const std::string token = MakeReachToken();
  const DeafListener deaf(8);
  const ReachDesk desk(kHere, {}, token);
  const auto failures = TryToReach(
      {{kHere, ClosedPort(), token}, {kHere, deaf.port(), token}, {kHere, desk.port(), token}}, Deadline::In(kTrial));
  EXPECT_THAT(failures[0], HasSubstr("refused"));
  EXPECT_THAT(failures[1], HasSubstr("connected, but 64 KiB did not come through"));
}

TEST(ReachTest, DroppedConnectionIsSilence) {
  const DeafListener deaf(0);
  // The first fills its queue.
  const std::vector<ReachTarget> targets(4, {kHere, deaf.port(), MakeReachToken()});
  EXPECT_THAT(TryToReach(targets, Deadline::In(kTrial)).back(), HasSubstr("silence for"));
}

TEST(ReachTest, NobodyToReachIsNoFailure) {
  EXPECT_THAT(TryToReach({}, Deadline::In(kSoon)), ElementsAre());
}

TEST(ReachTest, TokensDiffer) {
  EXPECT_NE(MakeReachToken(), MakeReachToken());
}

}  // namespace
}  // namespace autodidact::net
