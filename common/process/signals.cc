#include "process/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/check.h"
#include "base/log.h"

namespace autodidact::process {

class SignalWatch::Impl {
 public:
  explicit Impl(std::function<void(int, int)> on_signal) : on_signal_(std::move(on_signal)) {
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &watched, &before_);
    signals_ = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    stop_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    AD_CHECK(signals_ >= 0 && stop_ >= 0, "process: no file descriptor left for signals");
    thread_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(stop_, &one, sizeof one);
    thread_.join();
    close(signals_);
    close(stop_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  void Run() {
    int count = 0;
    while (true) {
      std::array<pollfd, 2> polls{{{signals_, POLLIN, 0}, {stop_, POLLIN, 0}}};
      poll(polls.data(), polls.size(), -1);  // ended by the destructor
      if (polls[1].revents != 0) return;
      signalfd_siginfo info{};
      while (read(signals_, &info, sizeof info) == sizeof info) {
        try {
          on_signal_(static_cast<int>(info.ssi_signo), ++count);
        } catch (const std::exception& error) {
          base::LogError("process: signal {}: {}", info.ssi_signo, error.what());
        }
      }
    }
  }

  std::function<void(int, int)> on_signal_;
  sigset_t before_{};
  int signals_ = -1;
  int stop_ = -1;
  std::thread thread_;
};

SignalWatch::SignalWatch(std::function<void(int signal, int count)> on_signal)
    : impl_(std::make_unique<Impl>(std::move(on_signal))) {}
SignalWatch::~SignalWatch() = default;

}  // namespace autodidact::process
