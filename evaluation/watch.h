// What a step's groups tell about the run: agreement, accuracy where labels exist, diversity, and whether it collapses.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "data/run_folder.h"
#include "estimators/estimator.h"
#include "evaluation/collapse.h"

namespace autodidact::evaluation {

struct WatchConfig {
  estimators::AnswerRule rule;
  CollapseRule collapse;
};

// One per run, on learner rank 0's thread.
class RunWatch {
 public:
  // `labels` by prompt id, for measuring only; may be empty.
  RunWatch(WatchConfig config, std::map<std::string, std::vector<std::string>> labels);

  struct Findings {
    base::Metrics metrics;
    std::string alarm;    // not empty at the step at which the collapse alarm fires
    std::string warning;  // not empty when something else is wrong
  };
  Findings Look(const std::vector<data::GroupRecord>& groups);

  // State for checkpoints.
  std::string Save() const;
  void Restore(const std::string& saved);

 private:
  WatchConfig config_;
  std::map<std::string, std::vector<std::string>> labels_;
  CollapseMonitor monitor_;
};

}  // namespace autodidact::evaluation
