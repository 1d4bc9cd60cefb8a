#include "process/ending.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <thread>
#include <utility>

#include "base/fault.h"
#include "base/guarded.h"
#include "base/log.h"
#include "process/child.h"
#include "process/signals.h"
#include "process/stacks.h"

namespace autodidact::process {
namespace {

// One request may arrive twice: `timeout` signals its child and then their common group.
constexpr base::Milliseconds kSameRequest{250};
constexpr base::Milliseconds kStacks{2'000};

std::string Describe(int signal) {
  if (signal == SIGPIPE) return "nobody reads standard output any more";
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : base::Format("signal {}", signal);
}

void OpenStandardDescriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is given, which is this one. Standard error alone may be lost without an error.
    open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
  }
}

}  // namespace

int ExitCodeAfter(int signal) {
  return signal == SIGPIPE ? kExitFailed : 128 + signal;
}

class Ending::Impl {
 public:
  Impl() : watch_([this](int signal) { OnSignal(signal); }, STDOUT_FILENO) {}

  std::stop_token stop() const { return stop_.get_token(); }

  void StartSaving(std::string promise) {
    state_.With([&](State& state) {
      state.saving = true;
      state.promise = std::move(promise);
    });
  }

  void StopSaving() {
    state_.With([](State& state) { state.saving = false; });
  }

  std::optional<int> requested() const {
    return state_.With([](const State& state) { return state.signal ? state.signal : state.closed; });
  }

  void Request(int signal) {
    const bool first = state_.With([&](State& state) {
      const bool none = !state.signal;
      if (none) state.signal = signal;
      return none;
    });
    if (!first) return;
    base::LogWarning("another rank was sent {}", Describe(signal));
    stop_.request_stop();
  }

  void EndBy(base::Deadline deadline, int exit_code, std::string so_far) {
    end_ = base::StartThread("process.ending.thread", [deadline, exit_code,
                                                       so_far = std::move(so_far)](const std::stop_token& stop) {
      std::mutex mutex;
      std::condition_variable_any over;
      std::unique_lock lock(mutex);
      if (over.wait_until(lock, stop, deadline.at(), [] { return false; }) || stop.stop_requested()) return;
      if (!so_far.empty()) {
        base::LogError("{}; and not every thread has come to its end in time: ended with code {}", so_far, exit_code);
        LogStacks(base::Deadline::In(kStacks));
      }
      process::EndNow(exit_code);
    });
  }

 private:
  struct State {
    bool saving = false;
    std::string promise;
    std::optional<int> signal;  // the first, of whatever rank
    std::optional<int> closed;
    std::optional<base::Clock::time_point> since;  // of the first signal to this process
  };

  void OnSignal(int signal) {
    const auto now = base::Clock::now();
    State before;
    state_.With([&](State& state) {
      before = state;
      if (signal == SIGPIPE) {
        state.closed = signal;
        return;
      }
      if (!state.signal) state.signal = signal;
      if (!state.since) state.since = now;
    });
    if (signal == SIGPIPE && before.signal) return;  // whoever read our output was sent it too
    if (before.since && now - *before.since < kSameRequest) return;
    if (!before.saving) {
      base::LogWarning("{}: ended", Describe(signal));
      process::EndNow(ExitCodeAfter(signal));
    }
    if (before.since) {
      base::LogWarning("{} again: ended at once, nothing more is saved", Describe(signal));
      process::EndNow(ExitCodeAfter(*before.signal));
    }
    base::LogWarning("{}: {}; a second signal ends at once, without it", Describe(signal), before.promise);
    stop_.request_stop();
  }

  std::stop_source stop_;
  base::Guarded<State> state_;
  std::jthread end_;
  process::SignalWatch watch_;  // last: its thread uses the rest
};

Ending::Ending() {
  OpenStandardDescriptors();
  impl_ = std::make_unique<Impl>();
}
Ending::~Ending() = default;

Ending::Saving::Saving(Ending& ending, std::string promise) : ending_(ending) {
  ending_.impl_->StartSaving(std::move(promise));
}
Ending::Saving::~Saving() {
  ending_.impl_->StopSaving();
}

std::stop_token Ending::stop() const {
  return impl_->stop();
}
std::optional<int> Ending::requested() const {
  return impl_->requested();
}
void Ending::Request(int signal) {
  impl_->Request(signal);
}
void Ending::EndBy(base::Deadline deadline, int exit_code, std::string so_far) {
  impl_->EndBy(deadline, exit_code, std::move(so_far));
}

}  // namespace autodidact::process
