#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "echo.h"
#include "tests/loopback.h"

namespace autodidact::net {
namespace {

using base::Deadline;

constexpr int kCrowds = 10, kOfEach = 300;
constexpr int kStrangers = kCrowds * kOfEach;
constexpr rlim_t kFewFiles = 512;
constexpr Milliseconds kMoment{1};

class DoorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    if (before_.rlim_max < kOfEach + 100) GTEST_SKIP() << "too few files are allowed here";
    strangers_.emplace(kCrowds, kOfEach);
    Allow(kFewFiles);
  }
  void TearDown() override { setrlimit(RLIMIT_NOFILE, &before_); }

  void Allow(rlim_t soft) const {
    const rlimit limit{.rlim_cur = soft, .rlim_max = before_.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

  rlimit before_{};
  std::optional<tests::Crowd> strangers_;
};

TEST_F(DoorTest, ManyWhoSayNothingLeaveRoomForThoseWhoBelong) {
  Context context;
  const Server server(context, "tcp://127.0.0.1:*", ServerSide(), Echo);
  const Client::Options options{.name = "tester", .peer = "vault", .retry_after = kSoon, .server = "learner"};
  Client before(context, {server.endpoint()}, ClientSide(), options);
  EXPECT_EQ(before.Call("a", Deadline::In(kSoon), "asking").value(), "echo a");

  ASSERT_EQ(strangers_->ConnectTo(tests::PortOf(server.endpoint())), kStrangers);
  std::uint64_t refused = 0;
  const Deadline deadline = Deadline::In(kSoon);
  while (refused < kStrangers / 2 && !deadline.Passed()) {
    std::this_thread::sleep_for(kMoment);
    refused += context.TakeStrangers();
  }
  EXPECT_GE(refused, kStrangers / 2U) << "more than this process may hold open";

  EXPECT_EQ(before.Call("b", Deadline::In(kSoon), "asking").value(), "echo b");
  Client after(context, {server.endpoint()}, ClientSide(), options);
  EXPECT_EQ(after.Call("c", Deadline::In(kSoon), "asking").value(), "echo c");
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_GE(file, 0) << "the process's own files have no room left";
  close(file);
}

TEST_F(DoorTest, ThoseWhoBelongAreNeverCut) {
  Context context;
  const Server server(context, "tcp://127.0.0.1:*", ServerSide(), Echo);
  const Client::Options options{.name = "tester", .peer = "vault", .retry_after = kSoon, .server = "learner"};
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(std::make_unique<Client>(context, std::vector{server.endpoint()}, ClientSide(), options));
    EXPECT_EQ(clients.back()->Call("a", Deadline::In(kSoon), "asking").value(), "echo a");
  }
  for (const auto &client : clients) {
    EXPECT_EQ(client->Call("b", Deadline::In(kSoon), "asking").value(), "echo b");
  }
  EXPECT_EQ(context.TakeStrangers(), 0U);
}

}  // namespace
}  // namespace autodidact::net
