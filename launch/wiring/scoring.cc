#include "launch/wiring/scoring.h"

#include <utility>

#include "launch/wiring/code.h"
#include "launch/wiring/judge.h"
#include "launch/wiring/references.h"

namespace autodidact::launch {

evaluation::Generation GenerationOf(const RunConfig& config, const text::ChatTemplate& format) {
  return {.sampling = config.rollout,
          .synthesis = SynthesisOf(config, format),
          .selection = SelectionOf(config, format),
          .comparison = ComparisonOf(config),
          .truth = [config](const data::Row& row) { return TruthOf(config, row); },
          .seed = static_cast<std::uint64_t>(config.seed)};
}

evaluation::Scoring ScoringOf(const RunConfig& config, const std::stop_token& stop) {
  if (auto judge = MakeJudgeTexts(config, stop)) {
    return evaluation::ScoringByJudge(std::move(judge), config.judge.by_rubric());
  }
  if (config.answer.programs()) return ScoringByTests(config.answer.code, stop);
  const auto rule = config.answer.rule();
  return evaluation::ScoringByLabels(rule.extractor, rule.comparator);
}

}  // namespace autodidact::launch
