#include "net/monitor.h"

#include <atomic>
#include <cstring>

#include "base/check.h"

namespace autodidact::net {
namespace {

// Names an internal endpoint of this process.
std::string MonitorEndpoint() {
  static std::atomic<std::uint64_t> next{0};
  return "inproc://autodidact-monitor-" + std::to_string(next.fetch_add(1));
}

}  // namespace

Monitor::Monitor(void* context, Socket& watched, int events) : socket_(context, ZMQ_PAIR) {
  const std::string endpoint = MonitorEndpoint();
  AD_CHECK(zmq_socket_monitor(watched.handle(), endpoint.c_str(), events) == 0, "zmq_socket_monitor: {}", LastError());
  socket_.SetInt(ZMQ_RCVHWM, 0);  // else it waits when nobody has read for long
  AD_CHECK(zmq_connect(socket_.handle(), endpoint.c_str()) == 0, "the monitor: {}", LastError());
}

void Monitor::Detach(Socket& watched) {
  zmq_socket_monitor(watched.handle(), nullptr, 0);
}

std::optional<Monitor::Event> Monitor::TryReceive() {
  while (socket_.TryReceive(frames_, 1) > 0) {
    Event event;
    if (frames_[0].size() != sizeof event.kind + sizeof event.value) continue;
    std::memcpy(&event.kind, frames_[0].data(), sizeof event.kind);
    std::memcpy(&event.value, frames_[0].data() + sizeof event.kind, sizeof event.value);
    return event;
  }
  return std::nullopt;
}

}  // namespace autodidact::net
