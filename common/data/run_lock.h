// The file that makes a folder a run's, and the lock on it: one process writes to a run.
#pragma once

#include <filesystem>
#include <string>

namespace autodidact::data {

// Its name in the folder of a run.
inline constexpr const char* kRunMarker = ".autodidact-run";

// Whether the folder was made by a run of this program.
bool IsRun(const std::filesystem::path& folder);

// Holds the run until it is destroyed, or its process ends in whatever way: the system gives the lock back. Children do
// not inherit it. On a file system without locks a warning is logged and nothing is locked.
class RunLock {
 public:
  // Never blocks. Creates the marker where it is missing; the folder must be there. Error(kRetryLater) naming host,
  // process and since when, as its holder has announced; Error(kBadInput) when the marker cannot be opened or is no
  // file.
  explicit RunLock(const std::filesystem::path& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  // Writes into the marker who holds the run from now on. Until then the folder is as it was.
  void Announce();

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace autodidact::data
