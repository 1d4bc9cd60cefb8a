// Strangers at an endpoint, below the level of messages.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/loopback.h"

namespace autodidact::e2e {

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
  const int fd = tests::ConnectTo(port);
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
  explicit Eavesdropper(int port) : thread_([this, port] { PassOn(port); }) {}
  ~Eavesdropper() { Finish(); }
  Eavesdropper(const Eavesdropper&) = delete;
  Eavesdropper& operator=(const Eavesdropper&) = delete;

  std::string endpoint() const { return "tcp://127.0.0.1:" + std::to_string(door_.port()); }
  // Blocks until the client has closed its connection.
  void Finish() {
    if (thread_.joinable()) thread_.join();
  }
  // After Finish.
  const std::vector<Turn>& turns() const { return turns_; }

 private:
  static constexpr int kPatience = 60'000;  // milliseconds without a byte

  void PassOn(int port) {
    pollfd waiting{door_.fd(), POLLIN, 0};
    if (poll(&waiting, 1, kPatience) <= 0) return;
    std::array<pollfd, 2> ends{
        {{accept(door_.fd(), nullptr, nullptr), POLLIN, 0}, {tests::ConnectTo(port), POLLIN, 0}}};
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

  const tests::Listener door_{1};
  std::vector<Turn> turns_;
  std::thread thread_;
};

}  // namespace autodidact::e2e
