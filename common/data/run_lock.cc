#include "data/run_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <string_view>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "base/log.h"
#include "json/json.h"

namespace autodidact::data {
namespace {

namespace fs = std::filesystem;

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "?";
}

std::string TimeNow() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

// What the marker says about its holder. One that is gone has announced itself there too: then the holder has not yet.
std::string Holder(const fs::path& file) {
  try {
    const json::Json record = json::ParseFile(file);
    const std::string host = json::GetString(record, "host", file.string());
    const auto process = json::GetInteger(record, "process", file.string());
    const bool gone = host == HostName() && ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH;
    if (!gone) {
      return base::Format("process {} on {}, since {}", process, host, json::GetString(record, "since", file.string()));
    }
  } catch (const base::Error&) {
    // It is being written.
  }
  return "a process that has just begun";
}

}  // namespace

bool IsRun(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(fs::symlink_status(folder / kRunMarker, error));
}

RunLock::RunLock(const fs::path& folder) : file_(folder / kRunMarker) {
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
  if (descriptor_ < 0) {
    base::ThrowBadInput(base::Format("{}: the run cannot be held: {}", file_.string(), std::strerror(errno)));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) {
    base::LogWarning("{}: cannot be locked ({}): see to it that one process alone writes to this run", file_.string(),
                     std::strerror(errno));
    return;
  }
  ::close(descriptor_);
  throw base::Error(base::ErrorKind::kRetryLater,
                    base::Format("{}: the run is held by {}; one process alone writes to a run: wait for it, end it, "
                                 "or give this one another name",
                                 folder.string(), Holder(file_)));
}

RunLock::~RunLock() {
  ::close(descriptor_);
}

void RunLock::Announce() {
  const json::Json record = {
      {"program", "autodidact"}, {"host", HostName()}, {"process", ::getpid()}, {"since", TimeNow()}};
  const std::string text = json::Dump(record) + "\n";
  const bool written = !base::FaultFails("data.lock") && ::ftruncate(descriptor_, 0) == 0 &&
                       ::pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  if (!written) {
    base::ThrowBadInput(base::Format("{}: cannot be written: {}", file_.string(), std::strerror(errno)));
  }
}

}  // namespace autodidact::data
