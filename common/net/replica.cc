#include "net/replica.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "base/check.h"
#include "base/log.h"

namespace autodidact::net {
namespace {

constexpr base::Milliseconds kReopenAfter{250};
constexpr std::size_t kLongestName = 200;

// Unique among all processes, since a server tells its callers apart by it; the name in front is for its messages.
std::string MakeIdentity(const std::string& name) {
  std::random_device random;
  return base::Format("{}#{:08x}{:08x}", name.substr(0, kLongestName), random(), random());
}

}  // namespace

Replica::Replica(void* context, std::string endpoint, const Security& security, const Client::Options& options)
    : context_(context),
      endpoint_(std::move(endpoint)),
      security_(security),
      name_(options.name),
      server_(options.server) {
  RequireAskable(endpoint_, security_, server_);
  Reopen();
}

Replica::~Replica() {
  Close();
}

void Replica::Close() {
  if (monitor_) Monitor::Detach(*socket_);
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
    socket_->SetBytes(ZMQ_CURVE_SERVERKEY, DecodeKey(security_.known.at(server_), "the key of " + server_));
    socket_->SetBytes(ZMQ_CURVE_PUBLICKEY, DecodeKey(security_.own->public_key, "own public key"));
    socket_->SetBytes(ZMQ_CURVE_SECRETKEY, DecodeKey(security_.own->secret_key, "own secret key"));
    monitor_.emplace(context_, *socket_,
                     ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED |
                         ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                         ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
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
  while (monitor_) {
    const auto event = monitor_->TryReceive();
    if (!event) break;
    worst = std::max(worst, Note(event->kind, event->value));
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
      Break("the handshake failed (the server has another key than expected, or is none of this program?)");
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
