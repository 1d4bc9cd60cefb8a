#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "echo.h"

namespace autodidact::net {
namespace {

using base::Deadline;

constexpr int kStrangers = 3000;
constexpr rlim_t kFewFiles = 512;
constexpr Milliseconds kMoment{1};

// A process that opens connections and says nothing. Forked before this process
// has threads.
class Strangers {
 public:
  Strangers() {
    EXPECT_EQ(pipe2(orders_.data(), O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(answers_.data(), O_CLOEXEC), 0);
    child_ = fork();
    if (child_ == 0) Work();
  }
  ~Strangers() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    for (const int fd : {orders_[0], orders_[1], answers_[0], answers_[1]}) close(fd);
  }
  Strangers(const Strangers &) = delete;
  Strangers &operator=(const Strangers &) = delete;

  // How many connections it has made.
  int ConnectTo(int port) const {
    int count = 0;
    EXPECT_EQ(write(orders_[1], &port, sizeof port), static_cast<ssize_t>(sizeof port));
    EXPECT_EQ(read(answers_[0], &count, sizeof count), static_cast<ssize_t>(sizeof count));
    return count;
  }

 private:
  [[noreturn]] void Work() const {
    int port = 0;
    while (read(orders_[0], &port, sizeof port) == static_cast<ssize_t>(sizeof port)) {
      int count = 0;
      for (; count < kStrangers; ++count) {
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0) break;
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(port));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        // Waits where the server's backlog is full, so that each of them is there.
        if (connect(fd, reinterpret_cast<const sockaddr *>(&to), sizeof to) != 0) break;
      }
      if (write(answers_[1], &count, sizeof count) < 0) break;
    }
    _exit(0);
  }

  std::array<int, 2> orders_{};
  std::array<int, 2> answers_{};
  pid_t child_ = -1;
};

class DoorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    if (before_.rlim_max < kStrangers + 100) GTEST_SKIP() << "too few files are allowed here";
    Allow(before_.rlim_max);
    strangers_.emplace();
    Allow(kFewFiles);
  }
  void TearDown() override { setrlimit(RLIMIT_NOFILE, &before_); }

  void Allow(rlim_t soft) const {
    const rlimit limit{.rlim_cur = soft, .rlim_max = before_.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

  rlimit before_{};
  std::optional<Strangers> strangers_;
};

TEST_F(DoorTest, ManyWhoSayNothingLeaveRoomForThoseWhoBelong) {
  Context context;
  const Server server(context, "tcp://127.0.0.1:*", ServerSide(), Echo);
  const Client::Options options{.name = "tester", .peer = "vault", .retry_after = kSoon, .server = "learner"};
  Client before(context, {server.endpoint()}, ClientSide(), options);
  EXPECT_EQ(before.Call("a", Deadline::In(kSoon), "asking").value(), "echo a");

  const int port = std::stoi(server.endpoint().substr(server.endpoint().rfind(':') + 1));
  ASSERT_EQ(strangers_->ConnectTo(port), kStrangers);
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
