#include "base/fault.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"

namespace autodidact::base {
namespace {

constexpr int kExitCode = 86;

enum class Action { kThrow, kStall, kExit, kNoSpace };

struct Fault {
  std::string point;
  std::uint64_t count = 0;
  Action action = Action::kThrow;
  std::string role;
  std::atomic<std::uint64_t> passed{0};
};

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<Action> ActionNamed(std::string_view name) {
  if (name == "throw") return Action::kThrow;
  if (name == "stall") return Action::kStall;
  if (name == "exit") return Action::kExit;
  if (name == "enospc") return Action::kNoSpace;
  return std::nullopt;
}

[[noreturn]] void Misunderstood(const std::string& text) {
  ThrowBadInput(
      Format("AUTODIDACT_FAULT: '{}' is not POINT:COUNT:ACTION[:ROLE] with ACTION throw, stall, exit or enospc", text));
}

std::list<Fault> Read(const char* variable) {
  std::list<Fault> faults;
  if (variable == nullptr || *variable == '\0') return faults;
  for (const std::string& text : Split(variable, ',')) {
    const std::vector<std::string> parts = Split(text, ':');
    if (parts.size() < 3 || parts.size() > 4) Misunderstood(text);
    const auto action = ActionNamed(parts[2]);
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), count);
    if (!action || count == 0 || error != std::errc() || end != parts[1].data() + parts[1].size()) Misunderstood(text);
    Fault& fault = faults.emplace_back();
    fault.point = parts[0];
    fault.count = count;
    fault.action = *action;
    if (parts.size() == 4) fault.role = parts[3];
  }
  return faults;
}

// What cannot be understood has no faults; CheckFaults says so.
std::list<Fault>& Faults() {
  static std::list<Fault> faults = [] {
    try {
      return Read(std::getenv("AUTODIDACT_FAULT"));
    } catch (const Error&) {
      return std::list<Fault>();
    }
  }();
  return faults;
}

bool IsOurs() {
  const char* latch = std::getenv("AUTODIDACT_FAULT_LATCH");
  if (latch == nullptr) return true;
  const int descriptor = open(latch, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor >= 0) close(descriptor);
  return descriptor >= 0;
}

std::optional<Action> Due(std::string_view point) {
  for (Fault& fault : Faults()) {
    if (fault.point != point || (!fault.role.empty() && fault.role != LogRole())) continue;
    if (fault.passed.fetch_add(1) + 1 == fault.count && IsOurs()) return fault.action;
  }
  return std::nullopt;
}

// The number of the error with which the operation fails; 0: it does not.
int Happen(const char* point) {
  static const bool kOff = Faults().empty();
  if (kOff) return 0;
  const auto action = Due(point);
  if (!action) return 0;
  LogWarning("fault on demand at {}", point);
  if (*action == Action::kExit) std::_Exit(kExitCode);
  while (*action == Action::kStall) pause();
  return *action == Action::kNoSpace ? ENOSPC : EIO;
}

}  // namespace

void FaultPoint(const char* point) {
  if (const int error = Happen(point)) {
    throw std::system_error(error, std::generic_category(), Format("fault on demand at {}", point));
  }
}

bool FaultFails(const char* point) {
  const int error = Happen(point);
  if (error != 0) errno = error;
  return error != 0;
}

void CheckFaults() {
  Read(std::getenv("AUTODIDACT_FAULT"));
}

}  // namespace autodidact::base
