// Long waits are told: what for while they last, and how long they took when they end.
#pragma once

#include <chrono>
#include <string>

#include "base/deadline.h"
#include "base/log.h"

namespace autodidact::base {

// A wait that takes longer is told.
inline constexpr std::chrono::seconds kLongWait{5};

// wait(Deadline) blocks until what it waits for is there (true) or the deadline passes (false); it is called again
// where that takes long. what() says what for. Returns what the wait returned.
template <class What, class Wait>
bool WaitTold(Deadline deadline, const What& what, const Wait& wait) {
  const auto start = Clock::now();
  if (wait(deadline.Min(Deadline::In(kLongWait)))) return true;
  if (deadline.Passed()) return false;
  const std::string text = what();
  LogInfo("waits for {}", text);
  const bool there = wait(deadline);
  LogInfo("{} {:.1f} s for {}", there ? "waited" : "waited in vain", SecondsSince(start), text);
  return there;
}

}  // namespace autodidact::base
