#include "net/context.h"

#include <array>
#include <vector>

#include "base/check.h"
#include "base/log.h"

namespace autodidact::net {

Context::Context() : impl_(std::make_unique<Impl>()) {}
Context::~Context() = default;

Context::Impl::Impl() : handle_(zmq_ctx_new()) {
  AD_CHECK(handle_ != nullptr, "zmq_ctx_new: {}", LastError());
  zmq_ctx_set(handle_, ZMQ_MAX_SOCKETS, 16'384);
  zmq_ctx_set(handle_, ZMQ_BLOCKY, 0);
}

Context::Impl::~Impl() {
  stop_.Signal();
  if (doorkeeper_.joinable()) doorkeeper_.join();
  zmq_ctx_term(handle_);
}

std::string Context::Impl::Admit(std::set<std::string> keys) {
  std::lock_guard lock(starting_);
  if (!doorkeeper_.joinable()) {
    auto socket = std::make_unique<Socket>(handle_, ZMQ_REP);
    AD_CHECK(zmq_bind(socket->handle(), "inproc://zeromq.zap.01") == 0, "the key handler: {}", LastError());
    doorkeeper_ = std::thread([this, socket = std::move(socket)] { AnswerKeyQuestions(*socket); });
  }
  return doors_.With([&](Doors& doors) {
    std::string domain = "autodidact-" + std::to_string(doors.next++);
    doors.keys_of_domain[domain] = std::move(keys);
    return domain;
  });
}

void Context::Impl::Dismiss(const std::string& domain) {
  doors_.With([&](Doors& doors) { doors.keys_of_domain.erase(domain); });
}

void Context::Impl::AnswerKeyQuestions(Socket& socket) {
  base::SetLogRole("net");
  std::vector<std::string> frames;
  while (true) {
    std::array<zmq_pollitem_t, 2> items{{{socket.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, stop_.fd(), ZMQ_POLLIN, 0}}};
    zmq_poll(items.data(), static_cast<int>(items.size()), -1);  // ended by stop_
    if (items[1].revents != 0) return;
    // version, request id, domain, address, identity, mechanism, key
    if (socket.TryReceive(frames, 7) == 0) continue;
    const bool complete = frames.size() == 7 && frames[5] == "CURVE";
    const bool known = complete && std::as_const(doors_).With([&](const Doors& doors) {
      const auto door = doors.keys_of_domain.find(frames[2]);
      return door != doors.keys_of_domain.end() && door->second.contains(frames[6]);
    });
    if (!known) base::LogWarning("net: refused a client at {}: its key is unknown", complete ? frames[3] : "?");
    frames.resize(2);
    socket.TrySend({frames[0], frames[1], known ? "200" : "400", known ? "OK" : "unknown key", ""},
                   std::make_shared<const std::string>());
  }
}

}  // namespace autodidact::net
