// Faults on demand, to see what a run survives. In every build, and off unless the environment asks for one:
//
//   AUTODIDACT_FAULT=POINT:COUNT:ACTION[:ROLE][,…]      e.g.  model.fsync:2:enospc,net.send:100:exit:actor-0
//   AUTODIDACT_FAULT_LATCH=FILE                         one process alone has the fault: the one that makes FILE
//
// The COUNTth time that the process (with ROLE: its threads of that role) comes to POINT, ACTION happens, once: "throw"
// (the operation fails), "enospc" (it fails as on a full disk), "stall" (the thread stays there for ever) or "exit"
// (the process is gone at once, with code 86). `.ci/fault_points.py --list` prints the points.
#pragma once

#include <thread>
#include <utility>

namespace autodidact::base {

// Before an operation whose failure is an exception. Throws std::system_error.
void FaultPoint(const char* point);

// In the place of a system call: true, with errno set, when it is to fail.
[[nodiscard]] bool FaultFails(const char* point);

// A thread, std::thread or std::jthread, whose start may fail on demand as it may for want of memory or of room for
// threads.
template <class Thread = std::jthread, class Function>
Thread StartThread(const char* point, Function function) {
  FaultPoint(point);
  return Thread(std::move(function));
}

// A text that is not as above is bad input (Error), here and nowhere else: called once, by launch.
void CheckFaults();

}  // namespace autodidact::base
