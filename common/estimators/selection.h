// The estimators that pick one rollout of the group by what a model, the weights of version 0, says about it. All of
// them read the question, so none of them runs in the anchor service.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"
#include "estimators/estimator.h"
#include "estimators/question.h"
#include "schema/types.h"
#include "text/tokenizer.h"

namespace autodidact::estimators {

// exp(-mean log-probability per token) of each completion after the prompt, at temperature 1 and untruncated; the
// end-of-text token counts where it was sampled. A completion without a token has an infinite one. Blocks for the
// computation, as all of these.
std::vector<double> Perplexities(const model::WeightSet& weights, const std::vector<schema::TokenId>& prompt,
                                 const std::vector<std::vector<schema::TokenId>>& completions);

// pairs[j][i]: the mean log-probability per token of completions[i] after contexts[j]. The diagonal is not computed.
using PairScores = std::vector<std::vector<double>>;
PairScores PairLogprobs(const model::WeightSet& weights, const std::vector<std::vector<schema::TokenId>>& contexts,
                        const std::vector<std::vector<schema::TokenId>>& completions);

// Of the first `count` completions: the mean of pairs[j][i] over all j but i. One alone has 0.
std::vector<double> MutualPredictabilities(const PairScores& pairs, std::size_t count);

// Error(kBadInput) when a part has not its placeholder, or two choices are the same.
void Validate(const SelfSelectPrompt& prompt);

// Its token ids for these texts; and the replies, each with the end of the turn (`end`, where the model has one) behind
// it, so that "1" is another reply than "10". Error(kBadInput) for fewer choices than texts, and when the vocabulary
// cannot express the text or a reply.
struct SelfSelectQuery {
  std::vector<schema::TokenId> prompt;
  std::vector<std::vector<schema::TokenId>> replies;
};
SelfSelectQuery EncodeSelfSelect(const SelfSelectPrompt& prompt, const text::ChatTemplate& format,
                                 const text::Tokenizer& tokenizer, const std::string& question,
                                 const std::vector<std::string>& texts, std::optional<schema::TokenId> end);

// Finds before the work begins that groups of `group_size` cannot be shown to the model: Error(kBadInput) as above.
void CheckSelection(EstimatorKind kind, const SelectionConfig& config, const text::Tokenizer& tokenizer,
                    std::size_t group_size);

// Scores with one set of weights and nothing else. One thread; config and tokenizer must outlive it.
class Selector {
 public:
  Selector(const SelectionConfig& config, model::SharedWeights weights, const text::Tokenizer& tokenizer);

  // The selection among the first G rollouts for each G of `group_sizes`; ties go to the earlier rollout. The
  // reference's text is the rollout's, its `generation` says which one it was and the scores of all. Fails (kBadInput)
  // when the rollouts do not fit into the model's context, the vocabulary cannot express the prompt, or the selected
  // rollout has no answer. Depends on the weights, the prompt and the group alone. `kind` must be a selection.
  //
  // min_perplexity: the lowest of Perplexities after the prompt's own token ids.
  // self_select: the model reads the question and the group, and gives the number of one; the numbers are scored with
  //   the end of the turn behind them, so that there is nothing to parse. The likeliest is taken.
  // mutual_predictability: the highest of MutualPredictabilities; the context of rollout j is the question, answered by
  //   rollout j, and the question again.
  std::vector<base::Outcome<schema::Reference>> Select(EstimatorKind kind, const schema::Prompt& prompt,
                                                       const schema::RolloutGroup& group,
                                                       const std::vector<int>& group_sizes) const;
  base::Outcome<schema::Reference> Select(EstimatorKind kind, const schema::Prompt& prompt,
                                          const schema::RolloutGroup& group) const;

 private:
  using Ids = std::vector<schema::TokenId>;

  std::vector<std::vector<double>> Scores(EstimatorKind kind, const schema::Prompt& prompt,
                                          const schema::RolloutGroup& group, const std::vector<int>& group_sizes) const;
  std::vector<double> ChoiceLogprobs(const schema::Prompt& prompt, const schema::RolloutGroup& group,
                                     std::size_t count) const;
  std::vector<Ids> Contexts(const schema::Prompt& prompt, const schema::RolloutGroup& group) const;
  void RequireRoom(const Ids& prefix, const std::vector<Ids>& continuations) const;

  const SelectionConfig& config_;
  const model::SharedWeights weights_;
  const text::Tokenizer& tokenizer_;
};

}  // namespace autodidact::estimators
