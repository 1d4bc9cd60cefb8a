// Logging: one logger per process, plain lines "time level role | message".
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/format.h"

namespace autodidact::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Where the lines go. Called by launch before any thread logs; without it warnings and errors go to standard error.
struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  bool to_stderr = true;       // info and above, unless a progress line owns the terminal
  std::filesystem::path file;  // empty: none
};
void SetUpLog(const LogConfig& config);

// The name of the calling thread's role ("actor-0"), shown in its lines. In one process each role's threads set it.
void SetLogRole(std::string role);
const std::string& LogRole();

// Thread-safe; never throws.
void LogLine(LogLevel level, std::string_view line);

template <class... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  LogLine(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void LogWarning(fmt::format_string<Args...> format, Args&&... args) {
  LogLine(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void LogError(fmt::format_string<Args...> format, Args&&... args) {
  LogLine(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void LogDebug(fmt::format_string<Args...> format, Args&&... args) {
  LogLine(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace autodidact::base
