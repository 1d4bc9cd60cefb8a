#include "learner/step_metrics.h"

#include <algorithm>

namespace autodidact::learner {

base::Metrics GroupMetrics(const std::vector<schema::ScoredGroup>& groups, schema::WeightVersion version) {
  base::Metrics metrics;
  base::MetricAccumulator means;
  double rollouts = 0, tokens = 0, shortest = 0, longest = 0, staleness_max = 0, mixed = 0;
  for (const schema::ScoredGroup& scored : groups) {
    means.Add("anchor/failed", scored.reference.ok() ? 0 : 1);
    means.Add("anchor/rubric_failed",
              !scored.reference.ok() && scored.reference.failure().reason.starts_with(schema::kNoRubric) ? 1 : 0);
    if (scored.reference.ok() && !scored.reference->rubric.empty()) {
      means.Add("anchor/criteria", static_cast<double>(scored.reference->rubric.size()));
    }
    if (scored.reference.ok()) means.Add("anchor/stages", scored.reference->stages);
    means.Add("time/rollout", scored.rollout_seconds);
    means.Add("time/anchor", scored.anchor_seconds);
    means.Add("time/judge", scored.judge_seconds);
    tokens += static_cast<double>(scored.group.prompt_ids.size());
    for (const schema::Rollout& rollout : scored.group.rollouts) {
      const auto length = static_cast<double>(rollout.ids.size());
      const bool cut = rollout.stop == schema::StopReason::kMaxLength;
      shortest = rollouts == 0 ? length : std::min(shortest, length);
      longest = std::max(longest, length);
      ++rollouts;
      tokens += length;
      means.Add("completions/mean_length", length);
      means.Add("completions/clipped_ratio", cut ? 1 : 0);
      if (!cut) means.Add("completions/mean_terminated_length", length);
      const double age = version > rollout.first_version ? static_cast<double>(version - rollout.first_version) : 0;
      means.Add("staleness/mean", age);
      staleness_max = std::max(staleness_max, age);
      mixed += rollout.first_version != rollout.last_version;
    }
    for (const schema::Reward& reward : scored.rewards) means.Add("judge/no_reward", reward.ok() ? 0 : 1);
    for (const schema::Verdict& verdict : scored.verdicts) {
      means.Add("judge/invalid_verdicts", verdict.kind == schema::VerdictKind::kInvalid ? 1 : 0);
    }
  }
  metrics = means.Means();
  metrics["groups/received"] = static_cast<double>(groups.size());
  metrics["num_tokens"] = tokens;
  if (rollouts > 0) {
    metrics["completions/min_length"] = shortest;
    metrics["completions/max_length"] = longest;
    metrics["staleness/max"] = staleness_max;
    metrics["staleness/mixed_versions"] = mixed / rollouts;
  }
  return metrics;
}

}  // namespace autodidact::learner
