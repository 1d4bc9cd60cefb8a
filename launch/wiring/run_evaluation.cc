#include "launch/wiring/run_evaluation.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "evaluation/evaluate.h"
#include "launch/wiring/scoring.h"
#include "model/device.h"

namespace autodidact::launch {
namespace {

evaluation::EvalConfig EvalOf(const RunConfig& config, const text::ChatTemplate& format) {
  evaluation::EvalConfig eval{.group_sizes = {static_cast<int>(config.train.num_generations)},
                              .generation = GenerationOf(config, format),
                              .estimators = {},
                              .bootstrap_resamples = 0};
  eval.generation.comparison.same = {};  // votes count as labels are compared
  return eval;
}

}  // namespace

PolicyEvaluation EvaluationOfRun(const RunConfig& config, const std::vector<data::Row>& rows, const LoadedModel& model,
                                 const std::stop_token& stop) {
  if (rows.empty()) return {};
  auto scoring = ScoringOf(config, stop);
  // All are looked at: a row that is not as it should be is found now.
  const auto measurable =
      std::count_if(rows.begin(), rows.end(), [&](const data::Row& row) { return scoring.target(row).has_value(); });
  if (measurable == 0) {
    base::LogWarning(
        "{}: its rows have neither a rubric nor a label that a judge could score by: no evaluation during "
        "the run",
        config.eval.data);
    return {};
  }
  const auto format = LoadChatTemplate(config.prompt.chat, config.model);
  return [&rows, &model, stop, scoring = std::move(scoring), eval = EvalOf(config, format),
          device = at::Device(config.device), render = MakeRenderer(config.prompt, format, *model.tokenizer),
          engine = config.engine](const model::SharedWeights& policy) {
    const auto weights = model::OnDevice(policy, device);
    const evaluation::Models models{weights, weights, *model.tokenizer, render, engine};
    const auto evaluated =
        evaluation::Evaluate(rows, models, eval, scoring, [&](const auto&) { ThrowIfStopped(stop); });
    return evaluation::ToMetrics(evaluated.table, {"eval/single", "eval/greedy", "eval/majority"});
  };
}

}  // namespace autodidact::launch
