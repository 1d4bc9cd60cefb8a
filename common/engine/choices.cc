#include "engine/choices.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>

#include "base/format.h"
#include "model/transformer.h"

namespace autodidact::engine {
namespace {

using Ids = std::vector<schema::TokenId>;

// Requests are computed together until they hold this many tokens.
constexpr std::int64_t kTokensAtOnce = 4096;

std::optional<base::Failure> FindFault(const ChoiceRequest& request, const model::ModelConfig& config) {
  std::size_t longest = 0;
  const auto fault = [](std::string reason) { return base::Failure{base::ErrorKind::kBadInput, std::move(reason)}; };
  const auto outside = [&](const Ids& ids) {
    return std::find_if(ids.begin(), ids.end(), [&](schema::TokenId id) { return id < 0 || id >= config.vocab_size; });
  };
  std::vector<const Ids*> parts = {&request.prefix};
  if (request.prefix.empty()) return fault("the prefix of the choices has no tokens");
  for (const ChoiceRequest::Question& question : request.questions) {
    parts.push_back(&question.ids);
    for (const Ids& choice : question.choices) {
      if (choice.empty()) return fault("a choice has no tokens");
      parts.push_back(&choice);
      longest = std::max(longest, question.ids.size() + choice.size());
    }
  }
  for (const Ids* part : parts) {
    if (const auto found = outside(*part); found != part->end()) {
      return fault(base::Format("token id {} is outside the vocabulary of {}", *found, config.vocab_size));
    }
  }
  // The last token of a choice is only predicted, but it has a place too.
  const std::size_t length = request.prefix.size() + longest;
  if (static_cast<std::int64_t>(length) > config.max_position_embeddings) {
    return fault(base::Format("prompt and choice have {} tokens, the model's context is {}", length,
                              config.max_position_embeddings));
  }
  return std::nullopt;
}

// One pass through the model: which states predict which tokens, and to which sum each belongs.
class Pass {
 public:
  std::int64_t num_tokens() const { return batch_.num_tokens(); }

  void Add(const ChoiceRequest& request, ChoiceScores& scores) {
    const std::size_t prefix = batch_.Add(request.prefix);
    for (std::size_t q = 0; q < request.questions.size(); ++q) {
      const ChoiceRequest::Question& question = request.questions[q];
      // Choices whose tokens before the last are the same need the same states.
      std::map<Ids, std::vector<std::size_t>> by_beginning;
      for (std::size_t c = 0; c < question.choices.size(); ++c) {
        by_beginning[{question.choices[c].begin(), question.choices[c].end() - 1}].push_back(c);
      }
      for (const auto& [beginning, choices] : by_beginning) {
        Ids ids = question.ids;
        ids.insert(ids.end(), beginning.begin(), beginning.end());
        const std::int64_t prefix_last = batch_.segments()[prefix].end - 1;
        const std::int64_t begin = ids.empty() ? 0 : batch_.segments()[batch_.AddContinuation(prefix, ids)].begin;
        for (const std::size_t c : choices) {
          for (std::size_t i = 0; i < question.choices[c].size(); ++i) {
            const std::size_t place = question.ids.size() + i;  // of the predicted token, after the prefix
            sources_.push_back(place == 0 ? prefix_last : begin + static_cast<std::int64_t>(place) - 1);
            targets_.push_back(question.choices[c][i]);
            sums_.push_back(&scores[q][c]);
          }
        }
      }
    }
  }

  void Run(const model::WeightSet& weights) {
    if (targets_.empty()) return;
    const c10::InferenceMode inference;
    const at::Tensor hidden_TE = model::Forward(weights.config(), weights.parameters(), batch_);
    const auto on_device = [&](const std::vector<std::int64_t>& values) {
      return at::tensor(values, at::kLong).to(hidden_TE.device());
    };
    const at::Tensor logprobs_M =
        model::ScoreTokens(hidden_TE.index_select(0, on_device(sources_)),
                           model::LmHead(weights.config(), weights.parameters()), on_device(targets_), 1.0)
            .logprobs_M.to(at::kCPU)
            .contiguous();
    const float* logprobs = logprobs_M.const_data_ptr<float>();
    for (std::size_t i = 0; i < sums_.size(); ++i) *sums_[i] += static_cast<double>(logprobs[i]);
  }

 private:
  model::PackedBatch batch_;
  std::vector<std::int64_t> sources_;
  std::vector<std::int64_t> targets_;
  std::vector<double*> sums_;
};

}  // namespace

std::vector<base::Outcome<ChoiceScores>> ScoreChoices(const model::WeightSet& weights,
                                                      const std::vector<ChoiceRequest>& requests) {
  std::vector<base::Outcome<ChoiceScores>> results;
  for (const ChoiceRequest& request : requests) {
    if (auto fault = FindFault(request, weights.config())) {
      results.emplace_back(*std::move(fault));
      continue;
    }
    ChoiceScores scores;
    for (const ChoiceRequest::Question& question : request.questions) scores.emplace_back(question.choices.size(), 0.0);
    results.emplace_back(std::move(scores));
  }
  Pass pass;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!results[i].ok()) continue;
    pass.Add(requests[i], *results[i]);
    if (pass.num_tokens() < kTokensAtOnce) continue;
    pass.Run(weights);
    pass = Pass();
  }
  pass.Run(weights);
  return results;
}

}  // namespace autodidact::engine
