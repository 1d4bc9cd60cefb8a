#include <array>
#include <atomic>
#include <bit>
#include <optional>
#include <thread>

#include "base/check.h"
#include "base/fault.h"
#include "base/log.h"
#include "net/context.h"
#include "net/door.h"
#include "net/socket.h"
#include "net/wakeup.h"

namespace autodidact::net {
namespace {

// The identity that libzmq puts before a message, and the caller's number of the call.
struct Return {
  std::string identity;
  std::string call;
};

// Where replies wait for the socket's thread. Shared with every ReplyHandle, so it may outlive the server.
struct Outbox {
  struct Reply {
    Return to;
    SharedBytes bytes;
  };
  struct State {
    std::vector<Reply> replies;
    bool closed = false;
  };
  base::Guarded<State> state;
  Wakeup wakeup;
};

constexpr std::size_t kCallBytes = 8;
// Replies are not kept waiting behind a flood of requests.
constexpr int kRequestsPerTurn = 256;

}  // namespace

struct ReplyHandle::Address {
  std::shared_ptr<Outbox> outbox;
  Return to;
};

void ReplyHandle::Send(std::string bytes) {
  if (!address_) return;
  const auto address = std::move(address_);
  auto shared = std::make_shared<const std::string>(std::move(bytes));
  address->outbox->state.With([&](Outbox::State& state) {
    if (!state.closed) state.replies.push_back({std::move(address->to), std::move(shared)});
  });
  address->outbox->wakeup.Signal();
}

class Server::Impl {
 public:
  Impl(Context::Impl& context, const std::string& endpoint, const Security& security,
       std::function<void(Incoming)> handler)
      : context_(context), handler_(std::move(handler)), socket_(context.handle(), ZMQ_ROUTER) {
    RequireServable(endpoint, security);
    socket_.SetCommonOptions(endpoint);
    socket_.SetInt(ZMQ_ROUTER_HANDOVER, 1);  // a client that reconnects takes its old place
    if (!endpoint.starts_with("inproc://")) LetInTheKnown(security);
    try {
      Bind(endpoint);
    } catch (...) {
      context_.Dismiss(domain_);
      throw;
    }
    thread_ = base::StartThread<std::thread>("net.server.thread", [this, role = base::LogRole()] {
      base::SetLogRole(role);
      Run();
    });
  }

  ~Impl() {
    stopping_ = true;
    outbox_->wakeup.Signal();
    thread_.join();
    door_.reset();
    context_.Dismiss(domain_);
    outbox_->state.With([](Outbox::State& state) {
      state.closed = true;
      state.replies.clear();
    });
  }

  const std::string& endpoint() const { return endpoint_; }

 private:
  void LetInTheKnown(const Security& security) {
    socket_.SetInt(ZMQ_CURVE_SERVER, 1);
    const KeyPair& keys = security.serving ? *security.serving : *security.own;
    socket_.SetBytes(ZMQ_CURVE_SECRETKEY, DecodeKey(keys.secret_key, "own secret key"));
    Context::Impl::NamesOfKeys names;
    for (const auto& [name, key] : security.known) names[DecodeKey(key, name)] = name;
    domain_ = context_.Admit(std::move(names));
    socket_.SetBytes(ZMQ_ZAP_DOMAIN, domain_);
    door_.emplace(context_.handle(), socket_, [this] { CountStranger(); });
  }

  void Bind(const std::string& endpoint) {
    const std::vector<std::string> candidates = BindCandidates(endpoint);
    for (const std::string& candidate : candidates) {
      if (zmq_bind(socket_.handle(), candidate.c_str()) == 0) break;
      if (zmq_errno() != EADDRINUSE || candidates.size() == 1) {
        base::ThrowBadInput(base::Format("net: cannot bind {}: {}", candidate, LastError()));
      }
      if (&candidate == &candidates.back()) {
        base::ThrowBadInput(base::Format("net: cannot bind {}: all {} ports of the range are in use; widen it",
                                         endpoint, candidates.size()));
      }
    }
    std::array<char, 512> bound{};
    std::size_t size = bound.size();
    AD_CHECK(zmq_getsockopt(socket_.handle(), ZMQ_LAST_ENDPOINT, bound.data(), &size) == 0, "the endpoint of {}: {}",
             endpoint, LastError());
    endpoint_ = bound.data();
    bound_ = true;
    if (door_) door_->BoundTo(endpoint_);
  }

  void Run() {
    while (!stopping_) {
      std::array<zmq_pollitem_t, 2> items{
          {{socket_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, outbox_->wakeup.fd(), ZMQ_POLLIN, 0}}};
      zmq_poll(items.data(), static_cast<int>(items.size()), -1);  // ended by the destructor's signal
      outbox_->wakeup.Clear();
      SendReplies();
      for (int i = 0; i < kRequestsPerTurn && !stopping_ && TakeRequest(); ++i) continue;
    }
  }

  void SendReplies() {
    auto replies = outbox_->state.With([](Outbox::State& state) { return std::exchange(state.replies, {}); });
    for (auto& reply : replies) {
      // A caller that is gone is no failure of ours: libzmq drops the message.
      socket_.TrySend({reply.to.identity, reply.to.call}, std::move(reply.bytes));
    }
  }

  // On the door's thread.
  void CountStranger() {
    ++context_.strangers();
    // There may be many of them.
    if (std::has_single_bit(++refused_)) {
      base::LogWarning("net: {} refused a connection that showed no key of this run ({} refused so far)",
                       bound_ ? endpoint_ : "a server", refused_);
    }
  }

  bool TakeRequest() {
    const int count = socket_.TryReceive(frames_, 3);
    if (count == 0) return false;
    if (count != 3 || frames_[1].size() != kCallBytes) {
      base::LogWarning("net: {}: dropped a message of {} frames that is no request", endpoint_, count);
      return true;
    }
    Incoming incoming;
    incoming.bytes = std::move(frames_[2]);
    incoming.sender = socket_.sender();
    incoming.peer = incoming.sender.empty() ? frames_[0] : incoming.sender;
    incoming.reply.address_ = std::make_shared<ReplyHandle::Address>();
    incoming.reply.address_->outbox = outbox_;
    incoming.reply.address_->to = {std::move(frames_[0]), std::move(frames_[1])};
    const std::string peer = incoming.peer;
    try {
      handler_(std::move(incoming));
    } catch (const std::exception& error) {
      base::LogError("net: {}: a request of {} stays unanswered: {}", endpoint_, peer, error.what());
    }
    return true;
  }

  Context::Impl& context_;
  std::function<void(Incoming)> handler_;
  Socket socket_;
  std::uint64_t refused_ = 0;       // of the door's thread
  std::atomic<bool> bound_{false};  // from then on the endpoint stays as it is
  std::optional<Door> door_;
  std::string endpoint_;
  std::string domain_;
  std::shared_ptr<Outbox> outbox_ = std::make_shared<Outbox>();
  std::atomic<bool> stopping_{false};
  std::vector<std::string> frames_;
  std::thread thread_;
};

Server::Server(Context& context, const std::string& endpoint, const Security& security,
               std::function<void(Incoming)> handler)
    : impl_(std::make_unique<Impl>(*context.impl_, endpoint, security, std::move(handler))) {}
Server::~Server() = default;

const std::string& Server::endpoint() const {
  return impl_->endpoint();
}

}  // namespace autodidact::net
