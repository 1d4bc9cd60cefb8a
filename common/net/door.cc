#include "net/door.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/fault.h"

namespace autodidact::net {
namespace {

constexpr int kEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
constexpr std::size_t kMostUnknown = 256;
// The greeting (64 bytes) and the first command of CURVE (about 200) need the
// server's key; what comes behind them comes from someone who has it.
constexpr std::uint64_t kKnownBytes = 300;

std::size_t MostUnknown() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return kMostUnknown;
  return std::clamp<std::size_t>(files.rlim_cur / 16, 8, kMostUnknown);
}

// Whether the descriptor is a connection to this port whose other end has not
// shown that it knows the key. A descriptor that was closed meanwhile may have
// become anything.
bool IsUnknown(int fd, int port) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (getsockname(fd, reinterpret_cast<sockaddr *>(&own), &size) != 0) return false;
  const in_port_t its_port = own.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6 &>(own).sin6_port
                                                       : reinterpret_cast<const sockaddr_in &>(own).sin_port;
  if ((own.ss_family != AF_INET && own.ss_family != AF_INET6) || ntohs(its_port) != port) return false;
  tcp_info info{};
  size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  return info.tcpi_state == 1 && info.tcpi_bytes_received < kKnownBytes;
}

}  // namespace

Door::Door(void *context, Socket &server, std::function<void()> refused)
    : server_(server),
      refused_(std::move(refused)),
      most_(MostUnknown()),
      monitor_(context, server, kEvents),
      thread_(base::StartThread("net.door.thread", [this](const std::stop_token &stop) { Run(stop); })) {}

Door::~Door() {
  thread_.request_stop();
  wakeup_.Signal();
  thread_.join();
  Monitor::Detach(server_);
}

void Door::BoundTo(const std::string &endpoint) {
  port_ = std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
}

void Door::Run(const std::stop_token &stop) {
  while (!stop.stop_requested()) {
    std::array<zmq_pollitem_t, 2> items{
        {{monitor_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wakeup_.fd(), ZMQ_POLLIN, 0}}};
    zmq_poll(items.data(), static_cast<int>(items.size()),
             -1);  // ended by the destructor's signal
    while (const auto event = monitor_.TryReceive()) Note(*event);
  }
}

void Door::Note(const Monitor::Event &event) {
  const int fd = static_cast<int>(event.value);
  switch (event.kind) {
    case ZMQ_EVENT_ACCEPTED:
      unknown_.push_back(fd);
      if (unknown_.size() > most_) CutOldest();
      break;
    case ZMQ_EVENT_DISCONNECTED:
    case ZMQ_EVENT_CLOSED:
      std::erase(unknown_, fd);
      break;
    default:
      refused_();
  }
}

void Door::CutOldest() {
  const int fd = unknown_.front();
  unknown_.pop_front();
  // Only libzmq closes it: it notices the end of the connection.
  if (IsUnknown(fd, port_)) shutdown(fd, SHUT_RDWR);
}

}  // namespace autodidact::net
