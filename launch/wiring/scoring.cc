#include "launch/wiring/scoring.h"

#include <utility>

#include "launch/wiring/code.h"
#include "launch/wiring/judge.h"
#include "launch/wiring/references.h"

namespace autodidact::launch {

evaluation::Generation ToGeneration(const RunConfig& config, const text::ChatTemplate& format) {
  return {.sampling = ToSampling(config.rollout),
          .synthesis = ToSynthesis(config, format),
          .selection = ToSelection(config, format),
          .comparison = ToComparison(config),
          .truth = [config](const data::Row& row) { return TruthOf(config, row); },
          .seed = static_cast<std::uint64_t>(config.seed)};
}

evaluation::Scoring ToScoring(const RunConfig& config, const std::stop_token& stop) {
  if (auto judge = MakeJudgeTexts(config, stop)) {
    return evaluation::ScoringByJudge(std::move(judge), config.judge.kind == "rubric");
  }
  if (config.answer.comparator == "code") return ScoringByTests(config.answer.code, stop);
  const auto rule = ToRule(config.answer);
  return evaluation::ScoringByLabels(rule.extractor, rule.comparator);
}

}  // namespace autodidact::launch
