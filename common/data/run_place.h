// Where a run writes: whether it may, what is there already, and what becomes of that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/run_lock.h"

namespace autodidact::data {

struct RunRequest {
  std::filesystem::path folder;  // of runs
  std::string name;              // of this one
  bool resume = false;           // go on from its newest checkpoint, or begin where it has none
  // Go on from this one: the number of a step of this run, or a folder. One of another run is the beginning of this
  // one. With `resume` it counts only where the run has none.
  std::string resume_from = {};
  bool overwrite = false;
  // What the config reads, by key: never deleted or moved.
  std::vector<std::pair<std::string, std::filesystem::path>> reads = {};
};

// Error(kBadInput) saying what is allowed, for a name that is none of a folder: letters, digits, spaces and signs of
// any script, at most 255 bytes, without slashes and control characters, not beginning with a dot or a dash.
void CheckRunName(const std::string& name);

// The folder of a run. It is constructed before anything else of a run, looks at the folder, and holds it; nothing is
// changed before Open, so that whatever refuses the run in between leaves everything as it was. One thread.
//
// A run begins in a folder that is not there, is empty, or holds nothing that a run writes; and again in the folder of
// a run that ended before its first checkpoint, whose records are moved to earlier-N/. `overwrite` deletes what a run
// wrote, in a folder that a run made, and nothing else.
class RunPlace {
 public:
  // Error(kBadInput): the name is none; the folder holds another run or is not a run's (`overwrite`), the config reads
  // from what would go, no checkpoint is whole, or `resume_from` is none. Error(kRetryLater): another process holds it.
  explicit RunPlace(RunRequest request);

  const std::filesystem::path& path() const { return path_; }
  // To go on from; whether it is this folder's, so that its records go on too.
  const std::optional<std::filesystem::path>& checkpoint() const { return checkpoint_; }
  bool goes_on() const { return plan_ == Plan::kGoOn; }
  // Bytes that Open frees.
  std::uint64_t BytesToFree() const;

  // Makes the folder this run's. Checkpoints and records later than the one that is gone on from are moved to
  // earlier-N/; what a process that was killed left unfinished is removed. Error(kBadInput) when the disk refuses.
  void Open();

 private:
  enum class Plan { kBegin, kBeginAgain, kOverwrite, kGoOn };

  void Decide();
  Plan PlanToBegin() const;
  void FindOwnOrGivenCheckpoint();
  void RequireDeletable() const;
  void RequireUnread(const std::vector<std::filesystem::path>& going) const;
  std::filesystem::path EarlierFolder() const;
  void MoveEarlierRecords();
  void MoveWhatIsLater();
  void Clear();

  RunRequest request_;
  std::filesystem::path path_;
  std::optional<std::filesystem::path> checkpoint_;
  Plan plan_ = Plan::kBegin;
  std::unique_ptr<RunLock> lock_;
};

}  // namespace autodidact::data
