// SIGINT and SIGTERM as an ordinary function call on an ordinary thread.
#pragma once

#include <functional>
#include <memory>

namespace autodidact::process {

// Blocks SIGINT and SIGTERM in the calling thread, hence in every thread that it starts later, and waits for them on a
// thread of its own. Make it first in main, before any other thread; one per process. `on_signal` runs on that thread
// and gets the signal's number and how many came so far: the usual answer is to ask for a clean end at the first and to
// exit at the third.
class SignalWatch {
 public:
  explicit SignalWatch(std::function<void(int signal, int count)> on_signal);
  ~SignalWatch();  // unblocks them again in the calling thread
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace autodidact::process
