#include "net/context.h"

#include <array>
#include <vector>

#include "base/check.h"
#include "base/fault.h"
#include "base/log.h"

namespace autodidact::net {

Context::Context() : impl_(std::make_unique<Impl>()) {}
Context::~Context() = default;

std::uint64_t Context::TakeStrangers() {
  return impl_->strangers().exchange(0);
}

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

std::string Context::Impl::Admit(NamesOfKeys names) {
  std::lock_guard lock(starting_);
  if (!doorkeeper_.joinable()) {
    auto socket = std::make_unique<Socket>(handle_, ZMQ_REP);
    AD_CHECK(zmq_bind(socket->handle(), "inproc://zeromq.zap.01") == 0, "the key handler: {}", LastError());
    doorkeeper_ = base::StartThread<std::thread>("net.doorkeeper.thread",
                                                 [this, socket = std::move(socket)] { AnswerKeyQuestions(*socket); });
  }
  return doors_.With([&](Doors& doors) {
    std::string domain = "autodidact-" + std::to_string(doors.next++);
    doors.names_of_domain[domain] = std::move(names);
    return domain;
  });
}

void Context::Impl::Dismiss(const std::string& domain) {
  doors_.With([&](Doors& doors) { doors.names_of_domain.erase(domain); });
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
    const std::string name = !complete ? "" : std::as_const(doors_).With([&](const Doors& doors) -> std::string {
      const auto door = doors.names_of_domain.find(frames[2]);
      if (door == doors.names_of_domain.end()) return "";
      const auto key = door->second.find(frames[6]);
      return key == door->second.end() ? "" : key->second;
    });
    frames.resize(2);
    const bool known = !name.empty();
    // The name becomes the user id of every message of the connection.
    socket.TrySend({frames[0], frames[1], known ? "200" : "400", known ? "OK" : "unknown key", name},
                   std::make_shared<const std::string>());
  }
}

}  // namespace autodidact::net
