// The system calls that a sandboxed program may not make. Private to the room.
#pragma once

#include <string>

namespace autodidact::process {

// A classic BPF program for seccomp, as bubblewrap takes it. Everything is allowed but: sockets other than local ones
// (vsock is not kept apart by network namespaces), memory that no process holds (memfd, System V and POSIX queues),
// new namespaces and mounts, tracing, kernel keys, BPF, io_uring, userfaultfd, performance counters, and what needs
// privileges anyway.
std::string SystemCallFilter();

}  // namespace autodidact::process
