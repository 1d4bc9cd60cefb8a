// What libzmq tells of a socket's connections.
#pragma once

#include <cstdint>
#include <optional>

#include "net/socket.h"

namespace autodidact::net {

// The news of one socket. Belongs to the thread of the socket.
class Monitor {
 public:
  // `events`: ZMQ_EVENT_* that are told, of those that happen from here on.
  Monitor(void* context, Socket& watched, int events);

  // Before the socket closes: libzmq's thread waits for a reader when it has news and this end is gone, and with it
  // every socket of the process.
  static void Detach(Socket& watched);

  struct Event {
    std::uint16_t kind = 0;
    std::uint32_t value = 0;
  };
  // Never blocks.
  std::optional<Event> TryReceive();

  void* handle() const { return socket_.handle(); }

 private:
  Socket socket_;
  std::vector<std::string> frames_;
};

}  // namespace autodidact::net
