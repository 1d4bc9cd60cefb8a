#include "launch/wiring/run_evaluation.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "data/row_rubric.h"
#include "evaluation/evaluate.h"
#include "evaluation/judged.h"
#include "launch/wiring/judge.h"
#include "model/device.h"

namespace autodidact::launch {
namespace {

evaluation::EvalConfig ToEval(const RunConfig& config, const text::ChatTemplate& format) {
  evaluation::EvalConfig eval;
  eval.group_sizes = {static_cast<int>(config.train.num_generations)};
  eval.sampling = ToSampling(config.rollout);
  eval.synthesis = ToSynthesis(config, format);
  eval.rule = ToRule(config.answer);
  eval.seed = static_cast<std::uint64_t>(config.seed);
  eval.bootstrap_resamples = 0;
  eval.estimators = {};
  return eval;
}

void Add(const evaluation::Figure& figure, const char* name, base::Metrics& metrics) {
  if (figure.value) metrics[name] = *figure.value;
}

// How many rows hold what `judging` scores by.
std::ptrdiff_t Measurable(const evaluation::Judging& judging, const std::vector<data::Row>& rows) {
  return std::count_if(rows.begin(), rows.end(), [&](const data::Row& row) {
    return judging.by_rubric ? !data::RowRubric(row.prompt).empty() : judging.label(row).has_value();
  });
}

}  // namespace

PolicyEvaluation EvaluationOfRun(const RunConfig& config, const std::vector<data::Row>& rows, const LoadedModel& model,
                                 const std::stop_token& stop) {
  if (rows.empty()) return {};
  const auto judge = std::make_shared<Judge>(MakeJudge(config));
  const std::optional<evaluation::Judging> judging = ToJudging(config, *judge, stop);
  // All are looked at: a row that is not as it should be is found now.
  if (judging && Measurable(*judging, rows) == 0) {
    base::LogWarning(
        "{}: its rows have neither a rubric nor a label that a judge could score by: no evaluation during "
        "the run",
        config.eval.data);
    return {};
  }
  const auto format = ToChatFormat(config.prompt, config.model);
  // `judging` lives on what `judge` owns.
  return [&rows, &model, stop, judge, judging, eval = ToEval(config, format), device = at::Device(config.device),
          render = MakeRenderer(config.prompt, format, *model.tokenizer),
          engine = ToEngine(config.engine)](const model::SharedWeights& policy) {
    const auto weights = model::OnDevice(policy, device);
    const evaluation::Models models{weights, weights, *model.tokenizer, render, engine};
    const auto on_progress = [&](const auto&) { ThrowIfStopped(stop); };
    base::Metrics metrics;
    if (judging) {
      const auto figures = evaluation::EvaluateJudged(rows, models, eval, *judging, on_progress).figures;
      Add(figures.single, "eval/single", metrics);
      Add(figures.greedy, "eval/greedy", metrics);
      return metrics;
    }
    const auto figures = evaluation::Evaluate(rows, models, eval, on_progress).figures;
    Add(figures.single, "eval/single", metrics);
    Add(figures.greedy, "eval/greedy", metrics);
    for (const auto& [group_size, majority] : figures.majority) Add(majority, "eval/majority", metrics);
    return metrics;
  };
}

}  // namespace autodidact::launch
