// Requests to end the program as an ordinary function call on an ordinary thread.
#pragma once

#include <functional>
#include <memory>

namespace autodidact::process {

// Blocks SIGINT, SIGTERM and SIGHUP in the calling thread, hence in every thread that it starts later, and waits for
// them on a thread of its own. A SIGHUP that is ignored already (nohup) stays so. SIGPIPE is ignored from then on in
// the whole process: a write to a pipe that nobody reads is an error to its caller. Make it first in main, before any
// other thread; one per process. `on_signal` runs on that thread and gets the signal's number.
//
// `output`: a descriptor whose reader is watched too. Where it is a pipe, a socket or a terminal, `on_signal` gets
// SIGPIPE once when nobody is left at its other end, though nothing has been written. Negative: none.
class SignalWatch {
 public:
  explicit SignalWatch(std::function<void(int signal)> on_signal, int output = -1);
  ~SignalWatch();  // unblocks them again in the calling thread
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace autodidact::process
