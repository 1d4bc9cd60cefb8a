// A program that is not trusted, run where it can do no harm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "process/child.h"

namespace autodidact::process {

struct SandboxLimits {
  base::Milliseconds wall{30'000};            // of the whole run
  std::uint32_t cpu_seconds = 10;             // of each process
  std::size_t memory = std::size_t{1} << 29;  // bytes: the address space of each process, and what all of them hold
  std::uint32_t processes = 16;               // processes and threads at a time
  std::size_t files = std::size_t{1} << 24;   // bytes: of each file, and of all of them
  std::size_t output = std::size_t{1} << 16;  // bytes: of stdout, and of stderr; what is beyond is dropped
};

struct SandboxRun {
  std::string what;               // "rollout 3", for messages
  std::vector<std::string> argv;  // a program of the system's, found in /usr/bin when it has no slash
  std::string input;              // its stdin
  SandboxLimits limits;
};

enum class SandboxEnd {
  kExited,         // by itself: see status
  kTimedOut,       // it used up its wall time or its processor time
  kResourceLimit,  // memory or files: it was killed for it
  kUnavailable,    // it was never started: this machine has no sandbox, or no room for one; nothing is known about it
};

struct SandboxResult {
  SandboxEnd end = SandboxEnd::kUnavailable;
  ExitStatus status;   // of kExited
  std::string reason;  // one line, unless it exited
  std::string output;
  std::string errors;
};

// Runs it by bubblewrap, in namespaces of its own: no network, no other processes, a read-only /usr, an empty /tmp of
// its own and nothing else; an unprivileged user without capabilities, a filter over system calls (no sockets but local
// ones, no memory outside of the limits' sight, no tracing, no namespaces) and no way to gain privileges. Blocks until
// it and everything that it started are gone, which the wall limit bounds. Any thread, several at a time; never throws
// for anything that the program does.
//
// Memory is watched, not reserved: between two looks (10 ms) the processes together may hold more than the limit.
SandboxResult RunInSandbox(const SandboxRun& run);

// Starts it in the same sandbox and leaves it running: what it is told and says goes through the child, whose
// destructor kills it and all that it started. The kernel's limits hold; nobody watches its wall time and what its
// processes hold together, so the caller keeps deadlines of its own. Error(kBadInput) when bubblewrap cannot be
// started; where it cannot make a sandbox, the child ends at once and errors() says why.
std::unique_ptr<Child> StartInSandbox(const SandboxRun& run);

// Empty when programs can be run in it here, else what is wrong and what to do about it. Starts a small program.
std::string WhyNoSandbox();

}  // namespace autodidact::process
