// Judging by a model: every criterion on every response, and the rewards that come of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "judge_service/backend.h"
#include "judge_service/config.h"
#include "judge_service/verdict_cache.h"

namespace autodidact::judge_service {

// Turns JudgeRequests into JudgeReplies, many at once. An item is asked about once per different response; an invalid
// verdict is never a no: it is asked for again, then left out. The reward is the score of the valid ones
// (answers::PointsScore, clipped to [0, 1]) minus the length penalty; a response without a valid verdict has none.
// One thread, but for TakeMetrics and num_under_way.
class ModelJudge {
 public:
  using Done = std::function<void(schema::JudgeReply)>;

  ModelJudge(ModelJudgeConfig config, std::unique_ptr<Backend> backend);

  // Never blocks; `done` runs inside a later Step. Error(kBadInput) when lengths and responses differ in number, or
  // the request has no rubric (kRubric) or no reference (kModelAsJudge).
  void Add(schema::JudgeRequest request, Done done);

  // Until something is answered or `until` passes.
  void Step(base::Deadline until);

  bool idle() const { return jobs_.empty(); }
  std::size_t num_under_way() const { return num_under_way_; }

  // "judge/cache_hit", "judge/invalid_attempts", "judge/call_seconds" since the last call; those that nothing was
  // counted for are absent. Any thread.
  base::Metrics TakeMetrics();

 private:
  // One request. `verdicts` by different response and item.
  struct Job {
    schema::JudgeRequest request;
    Done done;
    std::vector<std::string> items;
    std::vector<std::size_t> response_of;  // rollout -> its first equal
    std::vector<std::vector<std::optional<ItemVerdict>>> verdicts;
    std::size_t missing = 0;
  };
  struct Asked {
    std::uint64_t job = 0;
    std::size_t response = 0;
    std::vector<std::size_t> items;
    std::uint32_t attempt = 1;
    base::Clock::time_point since;
  };

  void Ask(std::uint64_t job_id, std::size_t response, std::vector<std::size_t> items, std::uint32_t attempt);
  void Take(TaskResult result);
  schema::JudgeReply Conclude(const Job& job) const;
  schema::Reward RewardOf(const Job& job, std::size_t rollout,
                          const std::vector<std::optional<ItemVerdict>>& verdicts) const;

  const ModelJudgeConfig config_;
  const std::unique_ptr<Backend> backend_;
  const std::string judge_;  // the cache's name of the judge
  VerdictCache cache_;
  std::unordered_map<std::uint64_t, Job> jobs_;
  std::unordered_map<std::uint64_t, Asked> asked_;
  std::vector<std::uint64_t> complete_;  // jobs without anything missing, not yet answered
  std::uint64_t next_id_ = 1;
  std::atomic<std::size_t> num_under_way_{0};
  base::Guarded<base::MetricAccumulator> metrics_;
};

}  // namespace autodidact::judge_service
