// Ports of the loopback, below the level of messages: for tests of who comes to them.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace autodidact::tests {

// Of "tcp://127.0.0.1:40000".
inline int PortOf(const std::string& endpoint) {
  return std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
}

// A connection to a port of the loopback; -1 when there is none.
inline int ConnectTo(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

// Listens on a free port, with a queue of so many.
class Listener {
 public:
  explicit Listener(int queue) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    EXPECT_EQ(listen(fd_, queue), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size), 0);
    port_ = ntohs(own.sin_port);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return fd_; }
  int port() const { return port_; }

 private:
  int fd_;
  int port_ = 0;
};

// Processes that open connections and say nothing. To be made before this process has threads.
class Crowd {
 public:
  Crowd(int processes, int connections_of_each) : connections_(connections_of_each) {
    EXPECT_EQ(pipe(answers_.data()), 0);
    for (int i = 0; i < processes; ++i) {
      Member& member = members_.emplace_back();
      EXPECT_EQ(pipe(member.orders.data()), 0);
      member.child = fork();
      if (member.child == 0) Work(member.orders[0]);
    }
  }
  ~Crowd() {
    for (const Member& member : members_) {
      kill(member.child, SIGKILL);
      waitpid(member.child, nullptr, 0);
      for (const int fd : member.orders) close(fd);
    }
    for (const int fd : answers_) close(fd);
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // How many connections they have made, all of which they keep.
  int ConnectTo(int port) const {
    int sum = 0;
    for (const Member& member : members_) {
      EXPECT_EQ(write(member.orders[1], &port, sizeof port), static_cast<ssize_t>(sizeof port));
    }
    for (std::size_t i = 0; i < members_.size(); ++i) {
      int count = 0;
      EXPECT_EQ(read(answers_[0], &count, sizeof count), static_cast<ssize_t>(sizeof count));
      sum += count;
    }
    return sum;
  }

 private:
  // A backlog that overflows costs its connections a second each.
  static constexpr std::chrono::milliseconds kBreath{5};

  struct Member {
    std::array<int, 2> orders{};
    pid_t child = -1;
  };

  [[noreturn]] void Work(int orders) const {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int port = 0, count = 0;
    // Waits where the server's backlog is full, so that each of them is there.
    if (read(orders, &port, sizeof port) == static_cast<ssize_t>(sizeof port)) {
      while (count < connections_ && tests::ConnectTo(port) >= 0) {
        ++count;
        std::this_thread::sleep_for(kBreath);
      }
    }
    if (write(answers_[1], &count, sizeof count) > 0) pause();
    _exit(0);
  }

  const int connections_;
  std::array<int, 2> answers_{};
  std::vector<Member> members_;
};

}  // namespace autodidact::tests
