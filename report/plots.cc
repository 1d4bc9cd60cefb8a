#include <algorithm>

#include "report/plot.h"
#include "report/sections.h"

namespace autodidact::report {
namespace {

// Which metrics share a plot. Names as in metrics.jsonl; those that a run has not are left out.
struct PlotRecipe {
  const char* title;
  const char* unit;
  std::vector<std::string> names;
  std::pair<std::string, std::string> band = {};  // of the least and the most
};

const std::vector<PlotRecipe>& Recipes() {
  static const std::vector<PlotRecipe> kRecipes = {
      {"Reward", "mean over rollouts", {"reward", "reward_std"}},
      {"Held-out rows", "share right, or judged score", {"eval/single", "eval/greedy", "eval/majority"}},
      {"Accuracy on training prompts",
       "share right",
       {"accuracy/rollouts", "accuracy/reference", "accuracy/majority", "accuracy/right_when_all_wrong"}},
      {"KL to the initial policy", "nats per token", {"kl"}},
      {"Entropy", "nats per token", {"entropy"}},
      {"Completion length",
       "tokens",
       {"completions/mean_length"},
       {"completions/min_length", "completions/max_length"}},
      {"Gradient norm", "before clipping", {"grad_norm"}},
      {"Step time", "seconds", {"step_time", "time/wait_for_groups", "train_seconds"}},
      {"Similarity of answers (collapse)",
       "Dice, 0 to 1",
       {"diversity/similarity_across", "diversity/similarity_within", "diversity/kappa"}},
      {"Commonest answer (collapse)",
       "share",
       {"diversity/top_answer", "diversity/top_reference", "diversity/distinct_references"}},
      {"Reference and majority", "share of groups", {"anchor/agreement", "anchor/failed"}},
      {"Groups to learn from", "share", {"frac_reward_zero_std", "completions/clipped_ratio", "completions/no_answer"}},
      {"Failed verdicts and rewards", "share", {"judge/no_reward", "judge/invalid_verdicts"}},
      {"Missing groups",
       "groups in a step",
       {"groups/dropped", "groups/stale", "groups/expired_leases", "groups/duplicates"}},
      {"Rollouts against the learner", "difference of log-probabilities", {"rollout_logprob_diff/max"}},
      {"Staleness", "steps", {"staleness/mean", "staleness/max"}},
      {"Loss", "loss", {"loss"}},
  };
  return kRecipes;
}

// The step at which the collapse alarm fired.
std::optional<double> AlarmStep(const Run& run) {
  const auto alarm = run.metrics.find("collapse_alarm");
  if (alarm == run.metrics.end()) return std::nullopt;
  for (std::size_t i = 0; i < alarm->second.steps.size(); ++i) {
    if (alarm->second.values[i] > 0) return alarm->second.steps[i];
  }
  return std::nullopt;
}

}  // namespace

std::string Plots(const Run& run) {
  const auto alarm = AlarmStep(run);
  std::string html;
  for (const PlotRecipe& recipe : Recipes()) {
    Plot plot{.title = recipe.title, .unit = recipe.unit, .lines = {}, .band = {}, .mark = alarm};
    for (const std::string& name : recipe.names) {
      const auto found = run.metrics.find(name);
      if (found != run.metrics.end()) plot.lines.push_back({name, found->second});
    }
    const auto least = run.metrics.find(recipe.band.first), most = run.metrics.find(recipe.band.second);
    if (least != run.metrics.end() && most != run.metrics.end()) plot.band.emplace(least->second, most->second);
    html += Draw(plot);
  }
  if (html.empty()) return {};
  return "<div class=\"plots\">\n" + html + "</div>\n";
}

}  // namespace autodidact::report
