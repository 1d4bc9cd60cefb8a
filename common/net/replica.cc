#include "net/replica.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>

#include "base/check.h"
#include "base/log.h"

namespace autodidact::net {
namespace {

constexpr base::Milliseconds kReopenAfter{250};
constexpr std::size_t kLongestName = 200;

// Names an internal endpoint of this process.
std::string MonitorEndpoint() {
  static std::atomic<std::uint64_t> next{0};
  return "inproc://autodidact-monitor-" + std::to_string(next.fetch_add(1));
}

// Unique among all processes, since a server tells its callers apart by it; the name in front is for its messages.
std::string MakeIdentity(const std::string& name) {
  std::random_device random;
  return base::Format("{}#{:08x}{:08x}", name.substr(0, kLongestName), random(), random());
}

}  // namespace

Replica::Replica(void* context, std::string endpoint, const Security& security, std::string name)
    : context_(context), endpoint_(std::move(endpoint)), security_(security), name_(std::move(name)) {
  Reopen();
}

Replica::~Replica() {
  Close();
}

void Replica::Close() {
  // libzmq's thread waits for a reader when it has news and the monitor's other end is gone, and with it every socket
  // of the process: the news must end first.
  if (monitor_) zmq_socket_monitor(socket_->handle(), nullptr, 0);
  monitor_.reset();
  socket_.reset();
}

void Replica::Reopen() {
  Close();
  socket_ = std::make_unique<Socket>(context_, ZMQ_DEALER);
  socket_->SetCommonOptions(endpoint_);
  socket_->SetBytes(ZMQ_ROUTING_ID, MakeIdentity(name_));
  state_ = State::kOpen;
  if (!endpoint_.starts_with("inproc://")) {
    if (security_.own) {
      socket_->SetBytes(ZMQ_CURVE_SERVERKEY, DecodeKey(security_.server_public_key, "the server's public key"));
      socket_->SetBytes(ZMQ_CURVE_PUBLICKEY, DecodeKey(security_.own->public_key, "own public key"));
      socket_->SetBytes(ZMQ_CURVE_SECRETKEY, DecodeKey(security_.own->secret_key, "own secret key"));
    }
    const std::string endpoint = MonitorEndpoint();
    AD_CHECK(zmq_socket_monitor(socket_->handle(), endpoint.c_str(),
                                ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED |
                                    ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                                    ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) == 0,
             "zmq_socket_monitor: {}", LastError());
    monitor_ = std::make_unique<Socket>(context_, ZMQ_PAIR);
    monitor_->SetInt(ZMQ_RCVHWM, 0);  // else it waits when nobody has read for long
    AD_CHECK(zmq_connect(monitor_->handle(), endpoint.c_str()) == 0, "the monitor: {}", LastError());
  }
  if (zmq_connect(socket_->handle(), endpoint_.c_str()) != 0) Break("cannot connect: " + LastError());
}

void Replica::Break(std::string problem) {
  state_ = State::kBroken;
  problem_ = std::move(problem);
  reopen_at_ = base::Clock::now() + kReopenAfter;
  Close();
}

bool Replica::Send(std::uint64_t call, const SharedBytes& bytes) {
  char head[sizeof call];
  std::memcpy(head, &call, sizeof call);
  if (usable() && socket_->TrySend({{head, sizeof head}}, bytes)) return true;
  if (usable()) Break("the server has closed the connection");
  return false;
}

std::optional<Replica::Reply> Replica::TryReceive() {
  if (!socket_) return std::nullopt;
  while (const int count = socket_->TryReceive(frames_, 2)) {
    if (count != 2 || frames_[0].size() != sizeof(std::uint64_t)) {
      base::LogWarning("net: {}: dropped a message of {} frames that is no reply", endpoint_, count);
      continue;
    }
    Reply reply;
    std::memcpy(&reply.call, frames_[0].data(), sizeof reply.call);
    reply.bytes = std::move(frames_[1]);
    return reply;
  }
  return std::nullopt;
}

Replica::News Replica::ReadNews() {
  News worst = News::kNone;
  while (monitor_ && monitor_->TryReceive(frames_, 1) > 0) {
    std::uint16_t event = 0;
    std::uint32_t value = 0;
    if (frames_[0].size() != sizeof event + sizeof value) continue;
    std::memcpy(&event, frames_[0].data(), sizeof event);
    std::memcpy(&value, frames_[0].data() + sizeof event, sizeof value);
    worst = std::max(worst, Note(event, value));
  }
  return worst;
}

Replica::News Replica::Note(std::uint16_t event, std::uint32_t value) {
  switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      problem_.clear();
      return News::kNone;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      if (problem_.empty()) base::LogWarning("net: {} refused our key ({})", endpoint_, value);
      Break("it refused our key");
      return News::kLost;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      Break("the handshake failed (one side with keys and one without, or another server's key?)");
      return News::kLost;
    case ZMQ_EVENT_DISCONNECTED:
      problem_ = "the connection was lost";
      return News::kLost;
    case ZMQ_EVENT_CONNECT_RETRIED:
      if (problem_.empty()) problem_ = "nobody answers there";
      return News::kAbsent;
    default:
      return News::kNone;
  }
}

}  // namespace autodidact::net
