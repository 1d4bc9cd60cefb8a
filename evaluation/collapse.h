// The collapse that label-free training is known for: the answers to different prompts become one template while the
// self-made reward rises. Told from the answers alone, without a label.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "json/json.h"

namespace autodidact::evaluation {

// How similar answers are: two rollouts of one prompt (within), and answers to two different prompts (cross). Measured
// by Dice's coefficient over the multisets of their words; no answer is similar to nothing, not even to no answer: a
// form that is never found says nothing about what the answers have in common.
struct Similarity {
  double within = 0;
  double cross = 0;

  // Agreement within a prompt beyond what different prompts have too: 1 when the prompt decides the answer, 0 when it
  // does not matter.
  double kappa() const { return cross < 1 ? (within - cross) / (1 - cross) : 0; }
};

// The answers of a step: one list per prompt, one entry per rollout (nothing: no answer). Neighbouring rollouts are
// compared, and each rollout with the next prompt's of the same index. Nothing with fewer than two prompts or pairs.
std::optional<Similarity> MeasureSimilarity(const std::vector<std::vector<std::optional<std::string>>>& answers);

struct CollapseRule {
  double rise = 0.2;          // of cross over its mean in the first steps …
  double kappa = 0.2;         // … while kappa is below this: a template
  double certain = 0.9;       // or cross alone this high
  std::int64_t patience = 3;  // steps in a row
  double stall_reward = 1.2;  // a reward below this / G for stall_steps in a row: nothing is learned
  std::int64_t stall_steps = 25;
};

// Watches step after step. One thread.
class CollapseMonitor {
 public:
  explicit CollapseMonitor(CollapseRule rule) : rule_(rule) {}

  struct Signs {
    Similarity smoothed;  // exponential means (weight 0.3 on the newest)
    std::string alarm;    // not empty at the step at which the template alarm fires
    std::string warning;  // not empty at the step at which something is wrong that need not end the run
  };
  // `reward`: the step's mean, over groups of `group_size` rollouts; nothing where no rollout has a reward, which says
  // neither that something is learned nor that nothing is.
  Signs Look(const Similarity& similarity, std::optional<double> reward, double group_size);

  bool alarmed() const { return alarmed_; }
  json::Json Save() const;
  void Restore(const json::Json& saved, const std::string& where);

 private:
  CollapseRule rule_;
  std::int64_t steps_ = 0;
  double baseline_ = 0;  // mean of cross over the first steps
  Similarity smoothed_;
  std::int64_t suspicious_ = 0;
  std::int64_t stalled_ = 0;
  bool alarmed_ = false;
};

}  // namespace autodidact::evaluation
