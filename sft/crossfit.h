// Candidates for the skill of reconciling, sampled from models on rows that they were not trained on.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "data/rows.h"
#include "engine/engine.h"
#include "model/weight_set.h"
#include "sft/examples.h"
#include "sft/trainer.h"

namespace autodidact::sft {

struct Crossfit {
  std::vector<CandidateRow> rows;    // one per row that was sampled, in the order of the pairs or prompts
  std::vector<data::Pair> answered;  // the pairs that the answering skill may learn: all, or those of no sampled fold
  model::SharedWeights first_model;  // trained on all folds but the first: a start for the final model
};

// The pairs that the answering skill may learn beside candidates that SampleCandidates sampled.
std::vector<data::Pair> AnsweredPairs(std::vector<data::Pair> pairs, const CrossfitConfig& config);

// What all sampling models share. References must outlive it.
struct CrossfitModel {
  const model::SharedWeights& initial;
  const RenderPrompt& render;
  const text::Tokenizer& tokenizer;
  schema::TokenId eos;
};

// Fold f holds the pairs i with i mod folds == f; its candidates come from a model that starts as `initial` and is
// trained on the other folds. Where the final model learns every row's answer it can recall it in place of reconciling
// the row's candidates; with `apart` the rows that are sampled are not to be answered. Blocks for the training and the
// sampling. `phase` is told what begins.
Crossfit SampleCandidates(std::vector<data::Pair> pairs, const CrossfitModel& model, const CrossfitConfig& config,
                          const std::function<void(const std::string&)>& phase, const OnStep& on_step);

// The same from prompts without labels: one model is trained on all pairs and sampled on `prompts`; what is to be
// learned from a prompt's candidates is the answer that most of them equal. A group drawn from many candidates is then
// reconciled to the vote of all of them, which is right more often than the group's own. `folds` and `apart` do not
// matter. A prompt whose most frequent candidate is empty gives no row.
Crossfit SampleConsensus(std::vector<data::Pair> pairs, const std::vector<schema::Prompt>& prompts,
                         const CrossfitModel& model, const CrossfitConfig& config,
                         const std::function<void(const std::string&)>& phase, const OnStep& on_step);

}  // namespace autodidact::sft
