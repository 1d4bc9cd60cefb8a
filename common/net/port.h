// A port that stays ours while whoever listens on it comes and goes.
#pragma once

#include <string>

#include "net/interfaces.h"

namespace autodidact::net {

// Keeps a TCP port of an address from others, without listening on it: a Server of this user binds it meanwhile, again
// and again, and so do servers of other processes of this host.
class ReservedPort {
 public:
  // Error(kBadInput) when no port of the range is free.
  ReservedPort(const std::string& address, const PortRange& range);
  ~ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  // "tcp://10.0.0.1:40013"
  const std::string& endpoint() const { return endpoint_; }

 private:
  int socket_ = -1;
  std::string endpoint_;
};

}  // namespace autodidact::net
