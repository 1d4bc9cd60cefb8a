// Strangers at an endpoint, below the level of messages.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
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

#include "base/deadline.h"

namespace autodidact::e2e {

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

// What one side of a conversation says before the other one speaks.
struct Turn {
  bool asks = false;  // of the client
  std::string bytes;
};

// Says the client's turns of a conversation once more, each after as many bytes as it came after. Blocks until the
// other side closes, or is silent for `patience`.
struct Heard {
  std::string bytes;
  bool closed = false;
};
inline Heard Replay(int port, const std::vector<Turn>& turns, std::chrono::milliseconds patience) {
  Heard heard;
  const int fd = ConnectTo(port);
  std::size_t expected = 0;
  const auto listen_until = [&](std::size_t size) {
    std::array<char, 4096> buffer{};
    pollfd one{fd, POLLIN, 0};
    while (!heard.closed && heard.bytes.size() < size && poll(&one, 1, static_cast<int>(patience.count())) > 0) {
      const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
      heard.closed = got <= 0;
      if (got > 0) heard.bytes.append(buffer.data(), static_cast<std::size_t>(got));
    }
  };
  for (const Turn& turn : turns) {
    if (turn.asks) {
      send(fd, turn.bytes.data(), turn.bytes.size(), MSG_NOSIGNAL);
    } else {
      listen_until(expected += turn.bytes.size());
    }
  }
  listen_until(std::string::npos);
  close(fd);
  return heard;
}

// Stands between one client and a port, passes all bytes on and keeps them.
class Eavesdropper {
 public:
  explicit Eavesdropper(int port) : door_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    EXPECT_EQ(bind(door_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    EXPECT_EQ(listen(door_, 1), 0);
    EXPECT_EQ(getsockname(door_, reinterpret_cast<sockaddr*>(&own), &size), 0);
    endpoint_ = "tcp://127.0.0.1:" + std::to_string(ntohs(own.sin_port));
    thread_ = std::thread([this, port] { PassOn(port); });
  }
  ~Eavesdropper() {
    Finish();
    close(door_);
  }
  Eavesdropper(const Eavesdropper&) = delete;
  Eavesdropper& operator=(const Eavesdropper&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  // Blocks until the client has closed its connection.
  void Finish() {
    if (thread_.joinable()) thread_.join();
  }
  // After Finish.
  const std::vector<Turn>& turns() const { return turns_; }

 private:
  static constexpr int kPatience = 60'000;  // milliseconds without a byte

  void PassOn(int port) {
    pollfd waiting{door_, POLLIN, 0};
    if (poll(&waiting, 1, kPatience) <= 0) return;
    std::array<pollfd, 2> ends{{{accept(door_, nullptr, nullptr), POLLIN, 0}, {ConnectTo(port), POLLIN, 0}}};
    bool open = true;
    while (open && poll(ends.data(), ends.size(), kPatience) > 0) {
      for (std::size_t from = 0; from < ends.size(); ++from) {
        if (ends[from].revents != 0) open = open && Pass(ends[from].fd, ends[1 - from].fd, from == 0);
      }
    }
    for (const pollfd& end : ends) close(end.fd);
  }
  bool Pass(int from, int to, bool asks) {
    std::array<char, 4096> buffer{};
    const ssize_t got = recv(from, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    if (turns_.empty() || turns_.back().asks != asks) turns_.push_back({asks, {}});
    turns_.back().bytes.append(buffer.data(), static_cast<std::size_t>(got));
    return send(to, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
  }

  int door_;
  std::string endpoint_;
  std::vector<Turn> turns_;
  std::thread thread_;
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
      while (count < connections_ && e2e::ConnectTo(port) >= 0) {
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

}  // namespace autodidact::e2e
