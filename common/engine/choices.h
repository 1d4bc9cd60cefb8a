// Choosing between given answers, as a judge does between yes and no: what follows a text is scored, not drawn.
#pragma once

#include <vector>

#include "base/error.h"
#include "model/weight_set.h"
#include "schema/types.h"

namespace autodidact::engine {

// Questions about one text. For a judge: `prefix` is the prompt up to and with the rollout, a question is one criterion
// with the rest of the prompt, its choices are yes and no.
struct ChoiceRequest {
  struct Question {
    std::vector<schema::TokenId> ids;                   // after the prefix; may be empty
    std::vector<std::vector<schema::TokenId>> choices;  // after these; none empty
  };
  std::vector<schema::TokenId> prefix;  // at least one token
  std::vector<Question> questions;
};

// [question][choice]: the sum of the choice's log-probabilities, untruncated, at temperature 1.
using ChoiceScores = std::vector<std::vector<double>>;

// One outcome per request, in their order. A prefix is computed once for all questions, a question once for all choices
// (of several tokens: once for all that differ in their last one only), and requests are computed together. A request
// that the model cannot read (an empty part, an id outside the vocabulary, longer than the context) fails alone, with
// kBadInput. Blocks for the computation, with the calling thread's intra-op threads.
std::vector<base::Outcome<ChoiceScores>> ScoreChoices(const model::WeightSet& weights,
                                                      const std::vector<ChoiceRequest>& requests);

}  // namespace autodidact::engine
