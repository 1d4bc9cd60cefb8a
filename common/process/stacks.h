// What every thread of this process is doing right now, for the watchdog's last words.
#pragma once

#include "base/deadline.h"

namespace autodidact::process {

// Writes the call stack of each thread to the descriptor: the thread's number and name, then a frame a line (module and
// offset; function names where the program exports them). Best effort: a thread that does not answer by the deadline is
// named as such. One caller at a time; others wait. It takes SIGRTMAX-1 for itself. Returns how many threads
// answered.
int DumpStacks(int fd, base::Deadline deadline);

// The same into the log, line by line, as errors.
void LogStacks(base::Deadline deadline);

}  // namespace autodidact::process
