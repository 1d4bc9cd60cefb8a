// What a run writes: the folder runs/NAME with its metrics, rollouts and checkpoints.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "data/event_file.h"
#include "schema/types.h"

namespace autodidact::data {

// One group as it was trained on, for rollouts/step_NNNNNN.jsonl.
struct GroupRecord {
  schema::Prompt prompt;
  schema::ScoredGroup scored;
  std::vector<double> advantages;  // empty when the group was not trained on
};

// The files rollouts/step_NNNNNN.jsonl of the run `folder` with a step after `last_step`.
std::vector<std::filesystem::path> RolloutsAfter(const std::filesystem::path& folder, std::int64_t last_step);

// Owned by learner rank 0's thread. Every line is flushed as it is written; JSONL that pandas reads flat.
class RunFolder {
 public:
  // Creates the folder. `first_step`: that the run begins behind. `resume`: the folder must exist; metrics, events and
  // rollouts after `first_step` are cut off. Otherwise it must not hold records yet. Error(kBadInput) for either.
  RunFolder(std::filesystem::path folder, bool resume, std::int64_t first_step);

  const std::filesystem::path& path() const { return folder_; }

  // {"step": …, metrics…}, and the same as TensorBoard's events beside it; refuses names of which one is a folder of
  // another (kBug). A value that is not finite becomes null, which pandas reads as NaN.
  void WriteMetrics(std::int64_t step, const base::Metrics& metrics);
  // rollouts/step_NNNNNN.jsonl as a whole, one line per group: step, ticket, id, prompt (text or messages), actor,
  // prompt_tokens; per rollout, lists of first_versions, last_versions, completions, stop_reasons, num_tokens, rewards
  // (null where there is none), reward_failures (null where there is one), advantages (empty: not trained on);
  // reference, reference_generation, reference_stages, rubric and failure (why there is no reference); verdicts as
  // objects {rollout, criterion, verdict, reason}; rollout_seconds, anchor_seconds, judge_seconds. Empty lists for a
  // group that could not be sampled.
  void WriteRollouts(std::int64_t step, const std::vector<GroupRecord>& groups);

 private:
  std::filesystem::path folder_;
  std::ofstream metrics_;
  std::optional<EventFile> events_;
};

}  // namespace autodidact::data
