// How a child that outlives its parent notices that the parent is gone.
#pragma once

#include <functional>
#include <thread>

namespace autodidact::process {

// Watches standard input, whose other end the parent holds open: `on_gone` is called once, on the watch's thread, when
// it ends. What comes by it is read and dropped.
class Lifeline {
 public:
  explicit Lifeline(std::function<void()> on_gone);
  ~Lifeline();
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

 private:
  std::jthread thread_;
};

// Lets this process, and those that it starts, run on every core that the system allows: a launcher may have bound it
// to one.
void UseAllowedCores();

}  // namespace autodidact::process
