// What a person sees of a run: one line that renews itself on a terminal, plain lines elsewhere.
#pragma once

#include <cstdint>
#include <string>

#include "base/deadline.h"
#include "base/metrics.h"

namespace autodidact::launch {

// Writes to standard error. One thread.
class ProgressLine {
 public:
  // `phase`: "training", "evaluating rollouts" …; `total` units of work.
  ProgressLine(std::string phase, std::int64_t total, std::int64_t already_done = 0);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `details` follow the count. Without a terminal a line is printed at most every few seconds, and for the last unit.
  void Show(std::int64_t done, const std::string& details);

 private:
  std::string phase_;
  std::int64_t total_;
  std::int64_t first_;
  bool terminal_;
  bool open_ = false;  // a line without its end stands on the terminal
  base::Clock::time_point start_ = base::Clock::now();
  base::Clock::time_point shown_;
};

// "reward 0.53  kl 0.012  length 9.1  1.2 s/step"
std::string StepDetails(const base::Metrics& metrics);

}  // namespace autodidact::launch
