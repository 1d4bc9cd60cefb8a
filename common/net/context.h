// What a Context holds: the ZeroMQ context and the doorkeeper for CURVE keys.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/guarded.h"
#include "net/net.h"
#include "net/socket.h"
#include "net/wakeup.h"

namespace autodidact::net {

// Thread-safe. A thread of its own answers libzmq's question (ZeroMQ RFC 27, "ZAP") whether a key may come in; it is
// started with the first server that has keys.
class Context::Impl {
 public:
  Impl();
  ~Impl();

  void* handle() const { return handle_; }

  // Lets the keys in at the servers whose socket has this domain; returns the domain. Keys are 32 raw bytes, with the
  // name that each belongs to.
  using NamesOfKeys = std::map<std::string, std::string>;
  std::string Admit(NamesOfKeys names);
  void Dismiss(const std::string& domain);

  std::atomic<std::uint64_t>& strangers() { return strangers_; }

 private:
  struct Doors {
    std::uint64_t next = 0;
    std::map<std::string, NamesOfKeys> names_of_domain;
  };

  void AnswerKeyQuestions(Socket& socket);

  void* handle_;
  std::atomic<std::uint64_t> strangers_{0};
  base::Guarded<Doors> doors_;
  Wakeup stop_;
  std::mutex starting_;
  std::thread doorkeeper_;  // under starting_
};

}  // namespace autodidact::net
