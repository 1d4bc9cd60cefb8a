#include "process/lifeline.h"

#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/fault.h"

namespace autodidact::process {
namespace {

constexpr int kLookAtStopMilliseconds = 100;

void Watch(const std::stop_token& stop, const std::function<void()>& on_gone) {
  while (!stop.stop_requested()) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, kLookAtStopMilliseconds) <= 0) continue;
    std::array<char, 4096> dropped;
    const ssize_t got =
        base::FaultFails("process.lifeline.read") ? -1 : read(STDIN_FILENO, dropped.data(), dropped.size());
    if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN))) continue;
    on_gone();
    return;
  }
}

}  // namespace

Lifeline::Lifeline(std::function<void()> on_gone)
    : thread_(base::StartThread("process.lifeline.thread", [on_gone = std::move(on_gone)](const std::stop_token& stop) {
        Watch(stop, on_gone);
      })) {}

Lifeline::~Lifeline() = default;

void UseAllowedCores() {
  cpu_set_t all;
  std::memset(&all, 0xff, sizeof all);  // the system takes those that the process may have
  sched_setaffinity(0, sizeof all, &all);
}

}  // namespace autodidact::process
