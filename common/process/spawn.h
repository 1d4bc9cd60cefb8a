// The step from a description to a running process.
#pragma once

#include <sys/types.h>

#include <string>

#include "process/child.h"

namespace autodidact::process {

// Our ends of the pipes (-1: none) of a process that runs. The caller closes and reaps.
struct Spawned {
  pid_t pid = -1;
  int pidfd = -1;  // readable once it has ended
  int input = -1;
  int output = -1;
  int errors = -1;
};

// Starts it. The kernel kills it when the calling *thread* ends, so that thread must live as long as the child is meant
// to. Throws Error(kBadInput) when it cannot be started.
Spawned Spawn(const ChildOptions& options);

}  // namespace autodidact::process
