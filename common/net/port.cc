#include "net/port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/format.h"

namespace autodidact::net {
namespace {

// The port that was bound, or -1.
int BindPort(int socket, const in_addr& address, int port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr = address;
  name.sin_port = htons(static_cast<std::uint16_t>(port));
  if (bind(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return -1;
  socklen_t size = sizeof name;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0) return -1;
  return ntohs(name.sin_port);
}

}  // namespace

ReservedPort::ReservedPort(const std::string& address, const PortRange& range) {
  in_addr parsed{};
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1) {
    base::ThrowBadInput(base::Format("net: got the address \"{}\", expected one as 10.0.0.1", address));
  }
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) base::ThrowBadInput(base::Format("net: no socket is left: {}", strerror(errno)));
  int port = -1;
  if (range.any()) port = BindPort(socket_, parsed, 0);
  for (int next = range.first; !range.any() && port < 0 && next <= range.last; ++next) {
    // Whoever listens there has it; two that only hold it would share it, so this bind is made without SO_REUSEADDR.
    port = BindPort(socket_, parsed, next);
  }
  if (port < 0) {
    const int error = errno;
    close(socket_);
    base::ThrowBadInput(
        base::Format("net: {} has no free port of {} (network.ports): {}", address, Name(range), strerror(error)));
  }
  const int on = 1;  // from here on others of this option may bind it too
  setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  endpoint_ = base::Format("tcp://{}:{}", address, port);
}

ReservedPort::~ReservedPort() {
  close(socket_);
}

}  // namespace autodidact::net
