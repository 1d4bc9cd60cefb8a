// References without training: prompts in, each prompt's group and its reference out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/rows.h"
#include "estimators/estimator.h"
#include "evaluation/estimate.h"
#include "evaluation/sample.h"
#include "evaluation/score.h"
#include "json/json.h"

namespace autodidact::evaluation {

struct SynthesizeConfig {
  Generation generation;
  estimators::EstimatorKind estimator = estimators::EstimatorKind::kSynthesis;
  std::uint32_t num_generations = 8;       // rollouts per prompt
  std::shared_ptr<const Scorer> scorer{};  // scores the completions against their reference too, unless null
};

struct SynthesizedRow {
  std::string id;
  schema::Prompt prompt;
  std::vector<std::string> completions;                               // empty when the prompt did not fit
  base::Outcome<schema::GroupReference> reference = base::Failure{};  // or why there is none
  std::vector<std::string> answers;                                   // those that the reference admits
  // Share of the completions that give one of `answers`; none where there are none, or an outside program could not
  // tell.
  std::optional<double> agreement;
  std::vector<Score> scores;  // of the completions, where there is a scorer
};

// Gives every row to `sink`, in the order of the rows, as soon as its batch is done (batches fill the engine). Labels
// are read by ground_truth alone. Blocks for the computation, on the calling thread's intra-op threads; what `sink`
// throws ends it. Error(kBadInput) for a prompt that the tokenizer cannot express.
void SynthesizeRows(const std::vector<data::Row>& rows, const Models& models, const SynthesizeConfig& config,
                    const std::function<void(const SynthesizedRow&)>& sink, const OnProgress& on_progress = {});

// {"id", "prompt" (text or messages), "completions", "reference", "answers", "agreement", "stages", "generation"}, or
// "failure" in place of the last five: rows that `sft` learns the references from. With a rubric also "rubric" and
// "rubric_points", with a scorer "verdicts" and "rewards".
json::Json ToRecord(const SynthesizedRow& row);

}  // namespace autodidact::evaluation
