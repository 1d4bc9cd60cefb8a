#include "net/socket.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <random>

#include "base/check.h"
#include "base/fault.h"
#include "net/interfaces.h"

namespace autodidact::net {
namespace {

constexpr std::string_view kInproc = "inproc://";
constexpr std::string_view kTcp = "tcp://";

// A message passes from thread to thread inside libzmq, which a thread sanitizer cannot see into. This counter says the
// same thing where it can be seen: what was written before a send is visible after the receive.
std::atomic<std::uint64_t> messages_passed{0};

void ReleaseBytes(void* /*data*/, void* hint) {
  delete static_cast<SharedBytes*>(hint);
}

struct HostPort {
  std::string host;
  std::string port;
};

// Splits "tcp://host:port"; empty host when it is something else.
HostPort SplitTcp(const std::string& endpoint) {
  if (!endpoint.starts_with(kTcp)) return {};
  const std::string rest = endpoint.substr(kTcp.size());
  const auto colon = rest.rfind(':');
  // ';' would name a source address, '/' a path, '@' a user: none of them is ours.
  const bool foreign = std::any_of(rest.begin(), rest.end(), [](unsigned char c) {
    return c <= 0x20 || c >= 0x7f || c == ';' || c == '/' || c == '@';
  });
  if (colon == std::string::npos || colon == 0 || foreign) return {};
  return {rest.substr(0, colon), rest.substr(colon + 1)};
}

bool IsPort(const std::string& port, bool may_choose) {
  if (port == "*") return may_choose;
  if (may_choose && port.find('-') != std::string::npos) {
    try {
      ParsePortRange(port);
      return true;
    } catch (const base::Error&) {
      return false;
    }
  }
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos) return false;
  const int number = std::stoi(port);
  return number <= 65535 && (number > 0 || may_choose);
}

// Whether a server may choose its port itself is for it to say.
std::string WhyMalformed(const std::string& endpoint, bool may_choose) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  const bool is_line = std::none_of(endpoint.begin(), endpoint.end(), is_control);
  if (is_line && endpoint.starts_with(kInproc)) {
    return endpoint.size() > kInproc.size() ? "" : "net: endpoint inproc:// has no name";
  }
  const HostPort address = SplitTcp(endpoint);
  if (!address.host.empty() && IsPort(address.port, may_choose)) return "";
  return base::Format("net: endpoint '{}': expected inproc://name or tcp://host:port",
                      is_line ? endpoint.substr(0, 100) : "(with control characters)");
}

bool IsAddress(const std::string& host) {
  in6_addr parsed{};
  if (inet_pton(AF_INET, host.c_str(), &parsed) == 1) return true;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed && inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &parsed) == 1;
}

void RequireTcpKeys(const std::string& endpoint, const Security& security) {
  if (!security.own) base::ThrowBadInput(base::Format("net: {} is on TCP: CURVE keys are required there", endpoint));
  DecodeKey(security.own->public_key, "own public key");
  DecodeKey(security.own->secret_key, "own secret key");
}

}  // namespace

std::string LastError() {
  return zmq_strerror(zmq_errno());
}

std::string WhyNoPeer(const std::string& endpoint) {
  std::string why = WhyMalformed(endpoint, /*may_choose=*/false);
  if (!why.empty() || endpoint.starts_with(kInproc) || IsAddress(SplitTcp(endpoint).host)) return why;
  return base::Format(
      "net: endpoint '{}': expected an address as 10.0.0.1 or [fe80::1]: to look up a name may take long",
      endpoint.substr(0, 100));
}

KeyPair MakeKeyPair() {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  AD_CHECK(zmq_curve_keypair(public_key.data(), secret_key.data()) == 0, "libzmq makes no CURVE keys: {}", LastError());
  return {public_key.data(), secret_key.data()};
}

std::string DecodeKey(const std::string& key, std::string_view what) {
  std::array<std::uint8_t, 32> bytes{};
  if (key.size() != 40 || zmq_z85_decode(bytes.data(), key.c_str()) == nullptr) {
    base::ThrowBadInput(
        base::Format("net: {}: got a text of {} characters, expected a key of 40 characters in Z85", what, key.size()));
  }
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void RequireServable(const std::string& endpoint, const Security& security) {
  if (std::string why = WhyMalformed(endpoint, /*may_choose=*/true); !why.empty()) base::ThrowBadInput(std::move(why));
  if (endpoint.starts_with(kInproc)) return;
  RequireTcpKeys(endpoint, security);
  if (security.serving) DecodeKey(security.serving->secret_key, "the secret key to serve with");
  if (security.known.empty()) {
    base::ThrowBadInput(base::Format("net: {} knows nobody's key: nobody could connect", endpoint));
  }
  for (const auto& [name, key] : security.known) DecodeKey(key, "the key of " + name);
}

void RequireAskable(const std::string& endpoint, const Security& security, const std::string& server) {
  if (std::string why = WhyNoPeer(endpoint); !why.empty()) base::ThrowBadInput(std::move(why));
  if (endpoint.starts_with(kInproc)) return;
  RequireTcpKeys(endpoint, security);
  const auto key = security.known.find(server);
  if (key == security.known.end()) {
    base::ThrowBadInput(base::Format("net: {}: no key is known of '{}', who should answer there", endpoint, server));
  }
  DecodeKey(key->second, "the key of " + server);
}

std::vector<std::string> BindCandidates(const std::string& endpoint) {
  const HostPort address = SplitTcp(endpoint);
  if (address.port.find('-') == std::string::npos) return {endpoint};
  const PortRange range = ParsePortRange(address.port);
  std::vector<std::string> candidates;
  for (int port = range.first; port <= range.last; ++port) {
    candidates.push_back(base::Format("{}{}:{}", kTcp, address.host, port));
  }
  // Servers that start together on one host would otherwise all try the same ports first.
  const std::size_t start = std::random_device()() % candidates.size();
  std::rotate(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(start), candidates.end());
  return candidates;
}

Socket::Socket(void* context, int type) : handle_(zmq_socket(context, type)) {
  AD_CHECK(handle_ != nullptr, "zmq_socket: {}", LastError());
  SetInt(ZMQ_LINGER, 0);
}

Socket::~Socket() {
  zmq_close(handle_);
}

void Socket::SetInt(int option, int value) {
  AD_CHECK(zmq_setsockopt(handle_, option, &value, sizeof value) == 0, "socket option {}: {}", option, LastError());
}

void Socket::SetInt64(int option, std::int64_t value) {
  AD_CHECK(zmq_setsockopt(handle_, option, &value, sizeof value) == 0, "socket option {}: {}", option, LastError());
}

void Socket::SetBytes(int option, std::string_view value) {
  AD_CHECK(zmq_setsockopt(handle_, option, value.data(), value.size()) == 0, "socket option {}: {}", option,
           LastError());
}

void Socket::SetCommonOptions(const std::string& endpoint) {
  SetInt(ZMQ_IPV6, endpoint.find('[') != std::string::npos ? 1 : 0);
  SetInt(ZMQ_SNDHWM, 0);
  SetInt(ZMQ_RCVHWM, 0);
  SetInt64(ZMQ_MAXMSGSIZE, kMaxMessageBytes);
  SetInt(ZMQ_HEARTBEAT_IVL, 5'000);
  SetInt(ZMQ_HEARTBEAT_TIMEOUT, 20'000);
  SetInt(ZMQ_HEARTBEAT_TTL, 20'000);
  SetInt(ZMQ_RECONNECT_IVL, 100);
  SetInt(ZMQ_RECONNECT_IVL_MAX, 2'000);
  SetInt(ZMQ_HANDSHAKE_IVL, 10'000);
}

bool Socket::TrySend(const std::vector<std::string_view>& heads, SharedBytes payload) {
  messages_passed.fetch_add(1, std::memory_order_acq_rel);
  if (base::FaultFails("net.send")) return false;
  for (const auto& head : heads) {
    if (zmq_send(handle_, head.data(), head.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) return false;
  }
  zmq_msg_t message;
  auto* data = const_cast<char*>(payload->data());  // libzmq only reads what it sends
  const std::size_t size = payload->size();
  zmq_msg_init_data(&message, data, size, ReleaseBytes, new SharedBytes(std::move(payload)));
  if (zmq_msg_send(&message, handle_, ZMQ_DONTWAIT) >= 0) return true;
  zmq_msg_close(&message);
  return false;
}

int Socket::TryReceive(std::vector<std::string>& frames, int max_frames) {
  frames.clear();
  sender_.clear();
  if (base::FaultFails("net.receive")) return 0;
  int count = 0;
  zmq_msg_t message;
  zmq_msg_init(&message);
  // The frames of one message arrive together, so only the first can be missing.
  while (zmq_msg_recv(&message, handle_, ZMQ_DONTWAIT) >= 0) {
    messages_passed.fetch_add(1, std::memory_order_acq_rel);
    ++count;
    if (count <= max_frames) {
      frames.emplace_back(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
    }
    if (zmq_msg_more(&message)) continue;
    if (const char* name = zmq_msg_gets(&message, "User-Id")) sender_ = name;
    break;
  }
  zmq_msg_close(&message);
  return count;
}

}  // namespace autodidact::net
