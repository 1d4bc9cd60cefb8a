// What a run writes: the folder runs/NAME with its metrics, rollouts and checkpoints.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "schema/types.h"

namespace autodidact::data {

// One group as it was trained on, for rollouts/step_NNNNNN.jsonl.
struct GroupRecord {
  schema::Prompt prompt;
  schema::ScoredGroup scored;
  std::vector<double> advantages;  // empty when the group was not trained on
};

// Owned by learner rank 0's thread. Every line is flushed as it is written; JSONL that pandas reads flat.
class RunFolder {
 public:
  // Creates the folder. `resume`: it must exist; lines of metrics and rollouts after `resume_step` are cut off.
  // Otherwise it must not hold a run yet: Error(kBadInput) that says to choose another name, --resume or --overwrite.
  RunFolder(std::filesystem::path folder, bool resume, std::int64_t resume_step);

  const std::filesystem::path& path() const { return folder_; }

  // {"step": …, metrics…}; refuses names of which one is a folder of another (kBug).
  void WriteMetrics(std::int64_t step, const base::Metrics& metrics);
  // One line per group: ticket, id, prompt, versions, completions, reference, rewards, advantages, …
  void WriteRollouts(std::int64_t step, const std::vector<GroupRecord>& groups);

 private:
  std::filesystem::path folder_;
  std::ofstream metrics_;
};

}  // namespace autodidact::data
