#include "process/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/fault.h"
#include "base/log.h"

namespace autodidact::process {

class SignalWatch::Impl {
 public:
  Impl(std::function<void(int)> on_signal, int output) : on_signal_(std::move(on_signal)), output_(output) {
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGTERM);
    struct sigaction hangup {};
    sigaction(SIGHUP, nullptr, &hangup);
    if (hangup.sa_handler != SIG_IGN) sigaddset(&watched, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &watched, &before_);
    signals_ = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    stop_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    AD_CHECK(signals_ >= 0 && stop_ >= 0, "process: no file descriptor left for signals");
    thread_ = base::StartThread<std::thread>("process.signals.thread", [this] { Run(); });
  }

  ~Impl() {
    const std::uint64_t one = 1;
    // No fault point: an eventfd always takes one more, or is full.
    [[maybe_unused]] const auto written = write(stop_, &one, sizeof one);
    thread_.join();
    close(signals_);
    close(stop_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  void Run() {
    while (true) {
      // Without events to wait for, poll reports that the other end is gone, and nothing else.
      std::array<pollfd, 3> polls{{{signals_, POLLIN, 0}, {stop_, POLLIN, 0}, {output_, 0, 0}}};
      poll(polls.data(), polls.size(), -1);  // ended by the destructor
      if (polls[1].revents != 0) return;
      signalfd_siginfo info{};
      while (read(signals_, &info, sizeof info) == sizeof info) Tell(static_cast<int>(info.ssi_signo));
      if ((polls[2].revents & (POLLERR | POLLHUP)) != 0) Tell(SIGPIPE);
      if (polls[2].revents != 0) output_ = -1;
    }
  }

  void Tell(int signal) {
    try {
      on_signal_(signal);
    } catch (const std::exception& error) {
      base::LogError("process: signal {}: {}", signal, error.what());
    }
  }

  std::function<void(int)> on_signal_;
  int output_;
  sigset_t before_{};
  int signals_ = -1;
  int stop_ = -1;
  std::thread thread_;
};

SignalWatch::SignalWatch(std::function<void(int signal)> on_signal, int output)
    : impl_(std::make_unique<Impl>(std::move(on_signal), output)) {}
SignalWatch::~SignalWatch() = default;

}  // namespace autodidact::process
