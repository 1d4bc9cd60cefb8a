// How the learner's ranks are started: one as a plain process, several as an MPI job of their own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "launch/job/plan.h"
#include "process/child.h"

namespace autodidact::launch {

// A folder that its owner alone can enter, deleted with its content in the end.
class PrivateFolder {
 public:
  PrivateFolder();  // Error(kBadInput) where none can be made
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The command; `folder` gets the starter's ticket where hosts beyond the first have ranks. The first rank expects its
// ticket by standard input. `again`: ranks of this run have died, and these go on from its newest checkpoint.
std::vector<std::string> LearnersCommand(const JobPlan& plan, const std::filesystem::path& folder, bool again);

}  // namespace autodidact::launch
