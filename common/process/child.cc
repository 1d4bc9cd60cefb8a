#include "process/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>

#include "base/check.h"
#include "base/fault.h"
#include "base/format.h"
#include "base/guarded.h"
#include "base/log.h"
#include "process/spawn.h"

extern char** environ;

namespace autodidact::process {
namespace {

// After the child has ended, a grandchild may hold its pipes open: what is there is read, but not for longer than this.
constexpr base::Milliseconds kDrain{200};

// Between SIGTERM and SIGKILL when the whole program ends. mpirun leaves a rank one second.
constexpr base::Milliseconds kLastGrace{300};

// The groups of all children that are not reaped yet.
base::Guarded<std::set<pid_t>>& Groups() {
  static auto* groups = new base::Guarded<std::set<pid_t>>;  // outlives every thread
  return *groups;
}

void CloseIfOpen(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

}  // namespace

bool IsMpiVariable(const std::string& name) {
  for (const char* prefix : {"OMPI_", "PMIX_", "PMI_", "PRTE_", "MPI_", "HYDRA_", "I_MPI_", "SLURM_PMI", "SLURM_MPI"}) {
    if (name.starts_with(prefix)) return true;
  }
  return name == "PMI2_FD" || name == "SLURM_PROCID" || name == "SLURM_LOCALID" || name == "SLURM_STEP_ID" ||
         name == "SLURM_STEPID";
}

std::vector<std::string> EnvironmentWithoutMpi() {
  std::vector<std::string> kept;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!IsMpiVariable(text.substr(0, text.find('=')))) kept.push_back(text);
  }
  return kept;
}

std::string ExitStatus::Describe() const {
  if (!by_signal) return base::Format("exit code {}", code);
  const char* name = sigdescr_np(code);
  return base::Format("killed by signal {} ({})", code, name != nullptr ? name : "unknown");
}

class Child::Impl {
 public:
  explicit Impl(ChildOptions options) : options_(std::move(options)), wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wakeup_ < 0) base::ThrowBadInput("process: " + options_.what + ": no file descriptor left");
    thread_ = base::StartThread<std::thread>("process.child.thread", [this] { Run(); });
    // Ended by Spawn, which blocks no longer than exec takes.
    const auto far = base::Deadline::In(std::chrono::hours(1));
    state_.WaitUntil(far, [](const State& state) { return state.spawned.pid > 0 || state.error; });
    if (const auto error = std::as_const(state_).With([](const State& state) { return state.error; })) {
      thread_.join();
      close(wakeup_);
      throw *error;
    }
  }

  ~Impl() {
    Terminate(options_.grace);
    thread_.join();
    close(wakeup_);
  }

  const ChildOptions& options() const { return options_; }
  pid_t pid() const {
    return state_.With([](const State& state) { return state.spawned.pid; });
  }

  std::optional<ExitStatus> Wait(base::Deadline deadline) const {
    state_.WaitUntil(deadline, [](const State& state) { return state.status.has_value(); });
    return state_.With([](const State& state) { return state.status; });
  }

  void Signal(int signal) {
    // Under the lock: it is reaped under it too, so the number cannot have become another process's.
    std::as_const(state_).With([&](const State& state) {
      if (!state.status) kill(-state.spawned.pid, signal);
    });
  }

  ExitStatus Terminate(base::Milliseconds grace) {
    Signal(SIGTERM);
    if (const auto status = Wait(base::Deadline::In(grace))) return *status;
    Signal(SIGKILL);
    while (true) {
      if (const auto status = Wait(base::Deadline::In(std::chrono::seconds(60)))) return *status;
      base::LogError("process: {} (pid {}) was killed but is held in the kernel", options_.what, pid());
    }
  }

  bool Write(std::string bytes) {
    AD_CHECK(options_.feed, "process: {}: its stdin is not fed", options_.what);
    const bool taken = state_.With([&](State& state) {
      if (state.status || state.input_closed || state.close_input) return false;
      state.to_write += bytes;
      return true;
    });
    Wake();
    return taken;
  }

  void CloseInput() {
    state_.With([](State& state) { state.close_input = true; });
    Wake();
  }

  template <class Fn>
  auto Read(Fn fn) const {
    return state_.With([&](const State& state) { return fn(state); });
  }

  std::optional<std::string> ReadLine(base::Deadline deadline) {
    const auto ready = [](const State& state) {
      return state.status || state.output.find('\n') != std::string::npos || state.truncated;
    };
    if (!state_.WaitUntil(deadline, ready)) return std::nullopt;
    return state_.With([](State& state) -> std::optional<std::string> {
      const std::size_t end = state.output.find('\n');
      if (end == std::string::npos && state.output.empty()) return std::nullopt;
      std::string line = state.output.substr(0, end);
      state.output.erase(0, end == std::string::npos ? end : end + 1);
      return line;
    });
  }

  struct State {
    Spawned spawned;
    std::optional<base::Error> error;
    std::optional<ExitStatus> status;
    std::string to_write;
    bool close_input = false;
    bool input_closed = false;
    std::string output;
    std::string errors;
    bool truncated = false;
  };

 private:
  void Wake() const {
    const std::uint64_t one = 1;
    // No fault point: an eventfd always takes one more, or is full.
    [[maybe_unused]] const auto written = write(wakeup_, &one, sizeof one);
  }

  void Run() {
    Spawned spawned;
    try {
      spawned = Spawn(options_);
    } catch (const base::Error& error) {
      state_.With([&](State& state) { state.error = error; });
      return;
    }
    Groups().With([&](std::set<pid_t>& groups) { groups.insert(spawned.pid); });
    state_.With([&](State& state) { state.spawned = spawned; });
    // A write to a closed pipe is an error to read, not a signal to die of.
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
    MoveBytes(spawned);
    Reap(spawned);
  }

  // Until it has ended and its pipes are empty.
  void MoveBytes(Spawned& spawned) {
    std::optional<base::Deadline> drain;
    while (true) {
      const bool writing = FeedInput(spawned.input);
      std::array<pollfd, 5> polls{{{drain ? -1 : spawned.pidfd, POLLIN, 0},
                                   {wakeup_, POLLIN, 0},
                                   {writing ? spawned.input : -1, POLLOUT, 0},
                                   {spawned.output, POLLIN, 0},
                                   {spawned.errors, POLLIN, 0}}};
      // Ended by the child's end, which Terminate brings about.
      poll(polls.data(), polls.size(), drain ? static_cast<int>(drain->Left().count()) : -1);
      std::uint64_t count = 0;
      if (polls[1].revents != 0) [[maybe_unused]]
        const auto got = read(wakeup_, &count, sizeof count);
      if (polls[3].revents != 0) TakeOutput(spawned.output, &State::output);
      if (polls[4].revents != 0) TakeOutput(spawned.errors, &State::errors);
      if (!drain && polls[0].revents != 0) drain = base::Deadline::In(kDrain);
      if (drain && ((spawned.output < 0 && spawned.errors < 0) || drain->Passed())) return;
    }
  }

  // Writes what fits; true while something waits to be written.
  bool FeedInput(int& fd) {
    return state_.With([&](State& state) {
      while (fd >= 0 && !state.to_write.empty()) {
        const ssize_t written =
            base::FaultFails("process.child.write") ? -1 : write(fd, state.to_write.data(), state.to_write.size());
        if (written > 0) {
          state.to_write.erase(0, static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
          return true;
        } else if (errno != EINTR) {
          CloseIfOpen(fd);
        }
      }
      if (state.close_input) CloseIfOpen(fd);
      if (fd < 0) state.input_closed = true;
      return false;
    });
  }

  void TakeOutput(int& fd, std::string State::*kept) {
    std::array<char, 65536> buffer;
    while (true) {
      const ssize_t got = base::FaultFails("process.child.read") ? -1 : read(fd, buffer.data(), buffer.size());
      if (got > 0) {
        state_.With([&](State& state) {
          const std::size_t room = options_.capture_limit - std::min(options_.capture_limit, (state.*kept).size());
          (state.*kept).append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
          if (kept == &State::output && room < static_cast<std::size_t>(got)) state.truncated = true;
        });
        return;  // one piece at a time: a flood must not keep the thread from seeing that the child has ended
      }
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      CloseIfOpen(fd);
      return;
    }
  }

  void Reap(Spawned& spawned) {
    for (int* fd : {&spawned.input, &spawned.output, &spawned.errors, &spawned.pidfd}) CloseIfOpen(*fd);
    state_.With([&](State& state) {
      // What it may have left behind in its group; it is still our zombie, so the group is.
      kill(-spawned.pid, SIGKILL);
      Groups().With([&](std::set<pid_t>& groups) { groups.erase(spawned.pid); });
      int status = 0;
      while (waitpid(spawned.pid, &status, 0) < 0 && errno == EINTR) continue;
      const bool by_signal = WIFSIGNALED(status);
      state.status = ExitStatus{by_signal, by_signal ? WTERMSIG(status) : WEXITSTATUS(status)};
    });
  }

  const ChildOptions options_;
  int wakeup_;
  base::Guarded<State> state_;
  std::thread thread_;
};

Child::Child(ChildOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Child::~Child() = default;

pid_t Child::pid() const {
  return impl_->pid();
}
const std::string& Child::what() const {
  return impl_->options().what;
}
std::optional<ExitStatus> Child::Wait(base::Deadline deadline) const {
  return impl_->Wait(deadline);
}
void Child::Signal(int signal) {
  impl_->Signal(signal);
}
ExitStatus Child::Terminate(base::Milliseconds grace) {
  return impl_->Terminate(grace);
}
bool Child::Write(std::string bytes) {
  return impl_->Write(std::move(bytes));
}
void Child::CloseInput() {
  impl_->CloseInput();
}
std::string Child::output() const {
  return impl_->Read([](const Impl::State& state) { return state.output; });
}
std::string Child::errors() const {
  return impl_->Read([](const Impl::State& state) { return state.errors; });
}
bool Child::truncated() const {
  return impl_->Read([](const Impl::State& state) { return state.truncated; });
}
std::optional<std::string> Child::ReadLine(base::Deadline deadline) {
  return impl_->ReadLine(deadline);
}

void EndNow(int exit_code) {
  const auto signal_all = [](int signal) {
    Groups().With([&](const std::set<pid_t>& groups) {
      for (const pid_t group : groups) kill(-group, signal);
    });
  };
  signal_all(SIGTERM);
  Groups().WaitUntil(base::Deadline::In(kLastGrace), [](const std::set<pid_t>& groups) { return groups.empty(); });
  signal_all(SIGKILL);
  _exit(exit_code);
}

}  // namespace autodidact::process
