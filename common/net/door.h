// Keeps strangers from using up what this process may hold open.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>

#include "net/monitor.h"
#include "net/wakeup.h"

namespace autodidact::net {

// Watches who comes to a server's socket. Of connections that have not shown
// yet that they know the server's key, only so many stay: when one more comes,
// the oldest of them is cut. Whoever knows the key shows it with its second
// message, within milliseconds; those that say nothing are cut by libzmq after
// its own limit. One thread inside, which is never kept waiting by the server's
// work.
class Door {
 public:
  // `refused` is called on that thread for every connection that came and
  // showed no key of the run. The socket has CURVE keys and is not bound yet.
  Door(void *context, Socket &server, std::function<void()> refused);
  // Before the socket closes.
  ~Door();
  Door(const Door &) = delete;
  Door &operator=(const Door &) = delete;

  // The endpoint that the socket is bound to; nobody is cut before it is known.
  void BoundTo(const std::string &endpoint);

 private:
  void Run(const std::stop_token &stop);
  void Note(const Monitor::Event &event);
  void CutOldest();

  Socket &server_;
  const std::function<void()> refused_;
  const std::size_t most_;
  Monitor monitor_;
  Wakeup wakeup_;
  std::atomic<int> port_{0};
  std::deque<int> unknown_;  // descriptors, in the order of their coming; those
                             // that are known since are found out late
  std::jthread thread_;
};

}  // namespace autodidact::net
