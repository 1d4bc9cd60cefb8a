// Whether a run learns anything: says when it does not, and ends it when that goes on.
#pragma once

#include <cstdint>
#include <string>

#include "launch/config/run_config.h"
#include "learner/learner.h"
#include "learner/lessons.h"

namespace autodidact::launch {

// One per run, on learner rank 0's thread. The config must outlive it.
class LessonWatch {
 public:
  explicit LessonWatch(const RunConfig& config) : config_(config), steps_(config.train.max_empty_steps) {}

  // The metrics of the step's lessons, and the end of the run after train.max_empty_steps that taught nothing. Logs the
  // reason at the first such step, and at the end.
  learner::LearnerHooks::Findings Look(const learner::LearnerHooks::FinishedStep& step);
  // How the run ends that has done all of its steps; logs why not one of them taught anything.
  learner::RunEnd Conclude();

  // What was wrong with the steps that ended the run; empty while none did.
  const std::string& diagnosis() const { return diagnosis_; }

  std::string Save() const { return steps_.Save(); }
  void Restore(const std::string& saved) { steps_.Restore(saved); }

 private:
  learner::RunEnd EndWith(learner::RunEnd end);

  const RunConfig& config_;
  learner::EmptySteps steps_;
  std::int64_t answered_ = 0;  // rollouts with an answer, in the steps that taught nothing
  std::string diagnosis_;
};

}  // namespace autodidact::launch
