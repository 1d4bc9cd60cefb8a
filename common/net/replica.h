// A client's connection to one of its replicas.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "net/monitor.h"
#include "net/socket.h"

namespace autodidact::net {

// A DEALER and the monitor that says what becomes of its connection. Belongs to the client's thread.
//
// Lifecycle: open (libzmq connects, and connects again, by itself) -> broken (it has given up; no socket) -> open.
class Replica {
 public:
  enum class State { kOpen, kBroken };

  // Throws Error(kBadInput) when nobody can be asked there.
  Replica(void* context, std::string endpoint, const Security& security, const Client::Options& options);
  ~Replica();

  const std::string& endpoint() const { return endpoint_; }
  bool usable() const { return state_ == State::kOpen; }
  // What went wrong since it was last connected, for messages; empty when nothing did.
  const std::string& problem() const { return problem_; }
  bool suspect() const { return !problem_.empty(); }

  // A new socket: what waited in the old one is discarded.
  void Reopen();
  // Closes the socket until reopen_at.
  void Break(std::string problem);
  base::Clock::time_point reopen_at() const { return reopen_at_; }

  // False when there is no connection that could take it; the replica is then broken.
  bool Send(std::uint64_t call, const SharedBytes& bytes);

  struct Reply {
    std::uint64_t call = 0;
    std::string bytes;
  };
  // Never blocks. Messages that are no replies are dropped.
  std::optional<Reply> TryReceive();

  enum class News {
    kNone,
    kAbsent,  // it could not be connected; what was sent still waits in the socket
    kLost,    // a connection broke, or was refused for good: what was sent may be lost
  };
  // Reads what the monitor says since the last time; the worst of it.
  News ReadNews();

  void* socket() const { return socket_ ? socket_->handle() : nullptr; }
  void* monitor() const { return monitor_ ? monitor_->handle() : nullptr; }

  int in_flight = 0;

 private:
  void Close();
  News Note(std::uint16_t event, std::uint32_t value);

  void* context_;
  std::string endpoint_;
  Security security_;
  std::string name_;
  std::string server_;
  State state_ = State::kOpen;
  std::string problem_;
  base::Clock::time_point reopen_at_{};
  std::unique_ptr<Socket> socket_;
  std::optional<Monitor> monitor_;
  std::vector<std::string> frames_;
};

}  // namespace autodidact::net
