#include "base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <vector>

namespace autodidact::base {
namespace {

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

}  // namespace

void SetUpLog(const LogConfig& config) {
  std::vector<spdlog::sink_ptr> sinks;
  auto console = std::make_shared<spdlog::sinks::stderr_sink_mt>();
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
  role_of_thread = std::move(role);
}

const std::string& LogRole() {
  return role_of_thread;
}

void LogLine(LogLevel level, std::string_view line) {
  spdlog::default_logger_raw()->log(Level(level), "{} | {}", role_of_thread, line);
}

}  // namespace autodidact::base
