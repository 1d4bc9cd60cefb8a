#include "base/log.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <memory>
#include <mutex>
#include <vector>

namespace autodidact::base {
namespace {

constexpr std::size_t kMaxThreadName = 15;  // the kernel's

thread_local std::string role_of_thread = "main";

spdlog::level::level_enum Level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Standard error, which may be a pipe that its reader has stopped to read, as mpirun does when it ends its ranks, or a
// terminal that is held: a line that cannot be written for a while is dropped, so that the program goes on and ends.
class StandardError final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (dropped_ > 0 && Put(Format("({} lines are missing: standard error was not read)\n", dropped_))) dropped_ = 0;
    if (!Put({line.data(), line.size()})) ++dropped_;
  }
  void flush_() override {}

 private:
  static constexpr std::chrono::milliseconds kPatience{2'000};

  bool Put(std::string_view text) {
    while (!text.empty()) {
      pollfd room{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
      const auto patience = dropped_ > 0 ? 0 : static_cast<int>(kPatience.count());
      const int ready = poll(&room, 1, patience);
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) return false;
      // So much a pipe takes at once where it says that it takes anything.
      // No fault point: it would be logged.
      const ssize_t written = write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
      if (written < 0 && errno != EINTR && errno != EAGAIN) return true;  // nobody is there to miss it
      text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return true;
  }

  std::int64_t dropped_ = 0;  // lines, since the last one that was written
};

}  // namespace

void SetUpLog(const LogConfig& config) {
  std::vector<spdlog::sink_ptr> sinks;
  auto console = std::make_shared<StandardError>();
  console->set_level(config.to_stderr ? Level(config.level) : spdlog::level::warn);
  sinks.push_back(console);
  if (!config.file.empty()) {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(config.file.string());
    file->set_level(Level(config.level));
    sinks.push_back(file);
  }
  auto logger = std::make_shared<spdlog::logger>("autodidact", sinks.begin(), sinks.end());
  logger->set_level(Level(config.level));
  logger->flush_on(spdlog::level::info);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %-7l %v");
  spdlog::set_default_logger(logger);
}

void SetLogRole(std::string role) {
  // The main thread's name is the program's.
  if (gettid() != getpid()) pthread_setname_np(pthread_self(), role.substr(0, kMaxThreadName).c_str());
  role_of_thread = std::move(role);
}

const std::string& LogRole() {
  return role_of_thread;
}

void LogLine(LogLevel level, std::string_view line) {
  spdlog::default_logger_raw()->log(Level(level), "{} | {}", role_of_thread, line);
}

}  // namespace autodidact::base
