// Wakes a thread that sleeps in poll: an eventfd, so that it can stand beside sockets.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/error.h"

namespace autodidact::net {

// Signal may be called from any thread; Clear and fd belong to the thread that sleeps. Owns the descriptor.
class Wakeup {
 public:
  Wakeup() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw base::Error(base::ErrorKind::kRetryLater, "net: no file descriptor left for an eventfd");
  }
  ~Wakeup() { close(fd_); }
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  int fd() const { return fd_; }

  // Never blocks. A full counter means that the sleeper will wake anyway.
  void Signal() const {
    const std::uint64_t one = 1;
    // No fault point: an eventfd always takes one more, or is full.
    [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
  }

  void Clear() const {
    std::uint64_t count = 0;
    // No fault point: nothing to read is no failure.
    [[maybe_unused]] const auto got = read(fd_, &count, sizeof count);
  }

 private:
  int fd_;
};

}  // namespace autodidact::net
