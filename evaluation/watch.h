// What a step's groups tell about the run: agreement, accuracy where labels exist, diversity, and whether it collapses.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "data/run_folder.h"
#include "estimators/estimator.h"

namespace autodidact::evaluation {

struct WatchConfig {
  estimators::AnswerRule rule;
  bool alarm = true;
  double top_answer = 0.5;    // share of the rollouts of different prompts that have the same answer, or none
  std::int64_t patience = 3;  // steps in a row
};

// The collapse that label-free training is known for: all prompts get one answer (or none) while the self-made reward
// stays or rises. One per run, on learner rank 0's thread.
class RunWatch {
 public:
  // `labels` by prompt id, for measuring only; may be empty.
  RunWatch(WatchConfig config, std::map<std::string, std::vector<std::string>> labels);

  struct Findings {
    base::Metrics metrics;
    std::string alarm;  // not empty at the step at which the alarm fires
  };
  Findings Look(std::int64_t step, const std::vector<data::GroupRecord>& groups);

  bool alarmed() const { return alarmed_; }
  // State for checkpoints: steps in a row beyond the threshold, and whether the alarm has fired.
  std::string Save() const;
  void Restore(const std::string& saved);

 private:
  WatchConfig config_;
  std::map<std::string, std::vector<std::string>> labels_;
  std::int64_t suspicious_steps_ = 0;
  bool alarmed_ = false;
};

}  // namespace autodidact::evaluation
