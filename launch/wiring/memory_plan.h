// What a run needs of memory, predicted before the first step from its config and the model's config.json alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "launch/config/placement.h"
#include "launch/config/run_config.h"
#include "model/config.h"

namespace autodidact::launch {

// A GPU, or a process on the CPU, and what lies there at the peak.
struct MemoryPlace {
  struct Item {
    std::string what;
    std::int64_t bytes = 0;
  };

  std::string who;         // "one process", or a role
  std::int64_t count = 1;  // so many alike
  bool gpu = false;
  std::vector<Item> items;
  std::int64_t limit = 0;  // bytes of the GPU or of this machine

  std::int64_t total() const;
  bool fits() const { return total() <= limit; }
};

struct MemoryPlan {
  std::int64_t num_weights = 0;
  std::int64_t prompt_tokens = 0;  // of the longest prompt, known or assumed
  std::vector<MemoryPlace> places;

  bool fits() const;
};

// The longest prompt that is assumed where none can be read.
inline constexpr std::int64_t kAssumedPromptTokens = 512;

// `roles` is the role of each rank, as PlaceRoles gives them; empty: all in one process. The places are in the order of
// the roles, the learner (or the one process) first. Error(kBadInput) for names that do not exist.
MemoryPlan PlanMemory(const RunConfig& config, const model::ModelConfig& model, const std::vector<std::string>& roles,
                      std::int64_t prompt_tokens);

// Bytes that each host has to give, besides what lies on its GPUs: by the roles on it, or all in one process.
std::vector<std::int64_t> HostMemory(const MemoryPlan& plan, const RunConfig& config,
                                     const std::vector<RolePlace>& roles);

// As comment lines of a YAML file. With `roles`: a line for each host, what is on it and what it needs.
std::string ToText(const MemoryPlan& plan, const RunConfig& config);
std::string ToText(const MemoryPlan& plan, const RunConfig& config, const std::vector<RolePlace>& roles);
// One place in a line: "16.1 GiB: weights 1.9, …".
std::string ToText(const MemoryPlace& place);

// Each place that does not hold what is planned, with its largest parts and the keys that make them smaller; empty: the
// plan fits. `one_machine`: whether all that lies on no GPU shares this machine's memory.
std::vector<std::string> WhatDoesNotFit(const MemoryPlan& plan, bool one_machine);

// Sets the measured peak beside the predicted one. One thread.
class MemoryWatch {
 public:
  // Logs what is predicted. `device` as in the config.
  MemoryWatch(const MemoryPlace& place, std::string device);
  // After every step; logs the comparison after the first two (the second is the first that begins with weights of its
  // own).
  base::Metrics AfterStep();

 private:
  const std::int64_t predicted_;
  const std::string device_;
  std::int64_t steps_ = 0;
};

// The most memory that this process has held at once, resident, in bytes.
std::int64_t PeakResidentBytes();

}  // namespace autodidact::launch
