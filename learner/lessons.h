// What the groups of a step can teach, why they teach nothing where they do not, and when that ends the run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/reasons.h"
#include "data/run_folder.h"
#include "learner/run_end.h"
#include "schema/types.h"

namespace autodidact::learner {

// A group teaches when two of its rewards differ; else the first thing that keeps it from that.
enum class Lesson {
  kSpread,       // it teaches
  kNoGradient,   // rewards differ, yet nothing of it reached the weights
  kNotSampled,   // there are no rollouts
  kNoReference,  // nothing to hold them against
  kNoReward,     // fewer than two rollouts that are not empty have a reward
  kAllRight,     // every reward is 1
  kSameText,     // the rollouts are one text
  kAllWrong,     // no reward is above 0
  kAllEqual,     // all rewards are one value in between
};
Lesson LessonOf(const schema::ScoredGroup& group);

// The lessons of one step, or of several added up. A value type.
class Lessons {
 public:
  Lessons() = default;
  // `dropped`: why groups of the step are missing, one line each. `updated`: whether the step's gradient was not zero.
  Lessons(const std::vector<data::GroupRecord>& groups, const std::vector<std::string>& dropped, bool updated);

  void Add(const Lessons& other);

  std::int64_t Count(Lesson lesson) const;
  std::int64_t groups() const;
  bool teaches() const { return Count(Lesson::kSpread) > 0; }
  // Nothing teaches, at least half of the groups are right as a whole, and the rest failed.
  bool all_right() const;
  // Whether the rollouts of each group that is all right are one text: what is never sampled anew cannot be wrong.
  bool one_text() const { return one_text_ == Count(Lesson::kAllRight); }
  // The commonest lesson that is none; the earlier one in the order above of two as common.
  Lesson CommonestLack() const;
  // Of the failures of this kind (base::Reasons).
  std::string CommonestReason(Lesson lesson) const;

  std::int64_t rollouts() const { return rollouts_; }
  std::int64_t cut_rollouts() const { return cut_rollouts_; }  // at max_completion_length

  // "groups/with_spread", and a count for each lack: "groups/not_sampled", "groups/no_reference", …
  base::Metrics ToMetrics() const;

 private:
  std::map<Lesson, std::int64_t> counts_;
  std::map<Lesson, base::Reasons> reasons_;
  std::int64_t one_text_ = 0;  // of the groups that are all right
  std::int64_t rollouts_ = 0;
  std::int64_t cut_rollouts_ = 0;
};

// Counts the steps that teach nothing. One per run; one thread.
class EmptySteps {
 public:
  // So many in a row end the run; 0: never.
  explicit EmptySteps(std::int64_t max_in_a_row) : max_in_a_row_(max_in_a_row) {}

  struct Findings {
    bool first = false;         // the first that teaches nothing, of the run or after one that did
    bool ever_taught = true;    // whether any step of the run did, this one included
    std::optional<RunEnd> end;  // kNothingLeft where all of them were all right, else kEmpty
  };
  Findings Look(const Lessons& step);

  // How a run ends that has done all of its steps: kFinished when one of them taught something.
  RunEnd AtLastStep() const;

  // The steps that taught nothing since the last one that did.
  const Lessons& lessons() const { return lessons_; }
  std::int64_t in_a_row() const { return in_a_row_; }

  // For checkpoints: a resumed run counts its empty steps anew, but knows whether it was ever taught.
  std::string Save() const { return taught_ ? "taught" : "untaught"; }
  void Restore(const std::string& saved) { taught_ = saved == "taught"; }

 private:
  // A run that was never taught, and whose rollouts are one text, has not learned all: it samples too coldly.
  RunEnd EndOfEmpty() const {
    return all_right_ && (taught_ || !lessons_.one_text()) ? RunEnd::kNothingLeft : RunEnd::kEmpty;
  }

  std::int64_t max_in_a_row_;
  std::int64_t in_a_row_ = 0;
  bool all_right_ = true;  // each of them
  bool taught_ = false;
  Lessons lessons_;
};

}  // namespace autodidact::learner
