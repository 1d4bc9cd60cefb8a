// References without training: prompts in, each prompt's group and its reference out.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/rows.h"
#include "estimators/estimator.h"
#include "evaluation/generate.h"
#include "json/json.h"

namespace autodidact::evaluation {

struct SynthesizeConfig {
  estimators::EstimatorKind estimator = estimators::EstimatorKind::kSynthesis;
  std::uint32_t num_generations = 8;  // rollouts per prompt
  engine::SamplingParams sampling;    // of the rollouts
  estimators::SynthesisConfig synthesis;
  estimators::SelectionConfig selection;
  estimators::AnswerRule rule;
  std::uint64_t seed = 0;
  bool rubric_regime = false;  // ground truth is then the row's own rubric
  JudgeTexts judge = {};       // judges the completions too, unless empty
};

struct SynthesizedRow {
  std::string id;
  schema::Prompt prompt;
  std::vector<std::string> completions;                          // empty when the prompt did not fit
  base::Outcome<schema::Reference> reference = base::Failure{};  // or why there is none
  std::vector<std::string> answers;                              // those that the reference admits
  double agreement = 0;                                          // share of the completions that give one of `answers`
  std::vector<schema::Verdict> verdicts;                         // of the completions, where there is a judge
  std::vector<schema::Reward> rewards;
};

// Gives every row to `sink`, in the order of the rows, as soon as its batch is done (batches fill the engine). Labels
// are read by ground_truth alone. Blocks for the computation, on the calling thread's intra-op threads; what `sink`
// throws ends it. Error(kBadInput) for a prompt that the tokenizer cannot express.
void SynthesizeRows(const std::vector<data::Row>& rows, const Models& models, const SynthesizeConfig& config,
                    const std::function<void(const SynthesizedRow&)>& sink, const OnProgress& on_progress = {});

// {"id", "prompt" (text or messages), "completions", "reference", "answers", "agreement", "stages", "generation"}, or
// "failure" in place of the last five: rows that `sft` learns the references from. With a rubric also "rubric" and
// "rubric_points", with a judge "verdicts" and "rewards".
json::Json ToRecord(const SynthesizedRow& row);

}  // namespace autodidact::evaluation
