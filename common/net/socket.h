// ZeroMQ sockets with an owner, and the options that every socket of this program has.
#pragma once

#include <zmq.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/net.h"

namespace autodidact::net {

// The largest frame that is taken from outside.
inline constexpr std::int64_t kMaxMessageBytes = std::int64_t{1} << 30;

using SharedBytes = std::shared_ptr<const std::string>;

// One ZeroMQ socket. Belongs to one thread at a time. Closing discards what was not sent yet.
class Socket {
 public:
  // Throws Error(kBug) when the context has no socket left.
  Socket(void* context, int type);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void* handle() const { return handle_; }

  void SetInt(int option, int value);
  void SetInt64(int option, std::int64_t value);
  void SetBytes(int option, std::string_view value);

  // No limit of queued messages, a limit on their size, heartbeats on tcp, quick reconnection.
  void SetCommonOptions(const std::string& endpoint);

  // Sends the short frames and then the payload, without copying the payload. Never blocks; false when there is no
  // connection that could take it.
  bool TrySend(const std::vector<std::string_view>& heads, SharedBytes payload);

  // Takes one whole message, if there is one. Never blocks. Frames beyond max_frames are dropped, but still counted in
  // the number that is returned; 0: none there.
  int TryReceive(std::vector<std::string>& frames, int max_frames);

  // The name of whoever sent the message that was taken last; empty where nobody had to say it.
  const std::string& sender() const { return sender_; }

 private:
  void* handle_;
  std::string sender_;
};

// Throws Error(kBadInput) unless the endpoint is inproc://name or tcp://host:port and, on tcp, the keys for it are
// there.
void RequireServable(const std::string& endpoint, const Security& security);
void RequireAskable(const std::string& endpoint, const Security& security, const std::string& server);

// The endpoints that a server tries, one after the other: the given one, or one for each port of its range, beginning
// anywhere in it.
std::vector<std::string> BindCandidates(const std::string& endpoint);

// 40 characters of Z85 to 32 bytes; throws Error(kBadInput) naming `what`.
std::string DecodeKey(const std::string& key, std::string_view what);

// The text of the last ZeroMQ error of this thread.
std::string LastError();

}  // namespace autodidact::net
