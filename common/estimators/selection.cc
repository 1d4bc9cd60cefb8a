#include "estimators/selection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/format.h"
#include "text/substitute.h"

namespace autodidact::estimators {
namespace {

using Ids = std::vector<schema::TokenId>;

double MeanOf(const std::vector<float>& values) {
  if (values.empty()) return -std::numeric_limits<double>::infinity();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<Ids> CompletionsOf(const schema::RolloutGroup& group) {
  std::vector<Ids> completions;
  for (const schema::Rollout& rollout : group.rollouts) completions.push_back(rollout.ids);
  return completions;
}

// The best score's place: of a perplexity the lowest, else the highest; the first of equals.
std::size_t Best(EstimatorKind kind, const std::vector<double>& scores) {
  const auto best = kind == EstimatorKind::kMinPerplexity ? std::min_element(scores.begin(), scores.end())
                                                          : std::max_element(scores.begin(), scores.end());
  return static_cast<std::size_t>(best - scores.begin());
}

std::string Account(EstimatorKind kind, std::size_t best, const std::vector<double>& scores) {
  std::string text = base::Format("{}: rollout {} of {}; scores", base::NameIn(kind), best + 1, scores.size());
  for (const double score : scores) text += base::Format(" {:.6g}", score);
  return text;
}

}  // namespace

std::vector<double> Perplexities(const model::WeightSet& weights, const Ids& prompt,
                                 const std::vector<Ids>& completions) {
  std::vector<double> perplexities;
  for (const auto& logprobs : engine::ScoreContinuations(weights, prompt, completions)) {
    perplexities.push_back(std::exp(-MeanOf(logprobs)));
  }
  return perplexities;
}

PairScores PairLogprobs(const model::WeightSet& weights, const std::vector<Ids>& contexts,
                        const std::vector<Ids>& completions) {
  AD_CHECK(contexts.size() == completions.size(), "{} contexts for {} completions", contexts.size(),
           completions.size());
  PairScores pairs;
  for (std::size_t j = 0; j < contexts.size(); ++j) {
    std::vector<Ids> others = completions;
    others[j].clear();
    std::vector<double>& scores = pairs.emplace_back();
    for (const auto& logprobs : engine::ScoreContinuations(weights, contexts[j], others)) {
      scores.push_back(MeanOf(logprobs));
    }
  }
  return pairs;
}

std::vector<double> MutualPredictabilities(const PairScores& pairs, std::size_t count) {
  std::vector<double> means(count, 0.0);
  if (count < 2) return means;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      if (j != i) means[i] += pairs[j][i] / static_cast<double>(count - 1);
    }
  }
  return means;
}

void Validate(const SelfSelectPrompt& prompt) {
  for (const auto& [part, placeholder] : {std::pair(&prompt.instruction, "{prompt}"),
                                          {&prompt.instruction, "{candidates}"},
                                          {&prompt.candidate, "{index}"},
                                          {&prompt.candidate, "{text}"}}) {
    if (part->find(placeholder) == std::string::npos) {
      base::ThrowBadInput(base::Format("self_select: '{}' has no {}", *part, placeholder));
    }
  }
  const std::set<std::string> distinct(prompt.choices.begin(), prompt.choices.end());
  if (distinct.size() != prompt.choices.size() || distinct.contains("")) {
    base::ThrowBadInput("self_select: the choices must be different from each other and not empty");
  }
}

SelfSelectQuery EncodeSelfSelect(const SelfSelectPrompt& prompt, const text::ChatTemplate& format,
                                 const text::Tokenizer& tokenizer, const std::string& question,
                                 const std::vector<std::string>& texts, std::optional<schema::TokenId> end) {
  if (!prompt.choices.empty() && prompt.choices.size() < texts.size()) {
    base::ThrowBadInput(base::Format("self_select: {} choices for {} rollouts", prompt.choices.size(), texts.size()));
  }
  SelfSelectQuery query;
  text::MarkedText candidates;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string name = prompt.choices.empty() ? std::to_string(i + 1) : prompt.choices[i];
    if (i > 0) candidates.text += prompt.separator;
    text::Append(text::SubstituteMarked(prompt.candidate, {{"{index}", {name}}, {"{text}", text::Foreign(texts[i])}}),
                 &candidates);
    query.replies.push_back(tokenizer.Encode(name, /*add_special_tokens=*/false));
    if (end) query.replies.back().push_back(*end);
  }
  text::Chat chat;
  if (!prompt.system.empty()) chat.turns.emplace_back("system", text::MarkedText{prompt.system});
  chat.turns.emplace_back("user", text::SubstituteMarked(prompt.instruction, {{"{prompt}", text::Foreign(question)},
                                                                              {"{candidates}", candidates}}));
  query.prompt = format.Encode(chat, tokenizer).ids;
  return query;
}

void CheckSelection(EstimatorKind kind, const SelectionConfig& config, const text::Tokenizer& tokenizer,
                    std::size_t group_size) {
  if (kind != EstimatorKind::kSelfSelect) return;
  EncodeSelfSelect(config.self_select, config.question.format, tokenizer, "", std::vector<std::string>(group_size),
                   std::nullopt);
}

Selector::Selector(const SelectionConfig& config, model::SharedWeights weights, const text::Tokenizer& tokenizer)
    : config_(config), weights_(std::move(weights)), tokenizer_(tokenizer) {
  Validate(config_.self_select);
}

void Selector::RequireRoom(const Ids& prefix, const std::vector<Ids>& continuations) const {
  const std::int64_t limit = weights_->config().max_position_embeddings;
  std::size_t longest = 0;
  for (const Ids& continuation : continuations) longest = std::max(longest, continuation.size());
  const auto needed = static_cast<std::int64_t>(prefix.size() + longest);
  if (limit > 0 && needed > limit) {
    base::ThrowBadInput(base::Format("{} tokens do not fit into the model's context of {}", needed, limit));
  }
}

std::vector<double> Selector::ChoiceLogprobs(const schema::Prompt& prompt, const schema::RolloutGroup& group,
                                             std::size_t count) const {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back(group.rollouts[i].text);
  const auto& ends = weights_->config().eos_token_ids;
  const auto query = EncodeSelfSelect(config_.self_select, config_.question.format, tokenizer_, QuestionText(prompt),
                                      texts, ends.empty() ? std::nullopt : std::optional(ends.front()));
  RequireRoom(query.prompt, query.replies);
  std::vector<double> scores;
  for (const auto& logprobs : engine::ScoreContinuations(*weights_, query.prompt, query.replies)) {
    scores.push_back(std::accumulate(logprobs.begin(), logprobs.end(), 0.0));
  }
  return scores;
}

std::vector<Ids> Selector::Contexts(const schema::Prompt& prompt, const schema::RolloutGroup& group) const {
  const text::Chat question = QuestionChat(config_.question, prompt);
  const auto last = std::find_if(question.turns.rbegin(), question.turns.rend(),
                                 [](const text::ChatTurn& turn) { return turn.role == "user"; });
  if (last == question.turns.rend()) base::ThrowBadInput("the prompt has no turn of a user to repeat");
  std::vector<Ids> contexts;
  for (const schema::Rollout& rollout : group.rollouts) {
    text::Chat chat = question;
    chat.turns.emplace_back("assistant", rollout.text);
    chat.turns.push_back(*last);
    contexts.push_back(config_.question.format.Encode(chat, tokenizer_).ids);
  }
  return contexts;
}

// The scores of the first G rollouts for each G; what does not depend on G is computed once.
std::vector<std::vector<double>> Selector::Scores(EstimatorKind kind, const schema::Prompt& prompt,
                                                  const schema::RolloutGroup& group,
                                                  const std::vector<int>& group_sizes) const {
  const auto completions = CompletionsOf(group);
  std::vector<std::vector<double>> scores;
  switch (kind) {
    case EstimatorKind::kMinPerplexity: {
      RequireRoom(group.prompt_ids, completions);
      const auto all = Perplexities(*weights_, group.prompt_ids, completions);
      for (const int size : group_sizes) scores.emplace_back(all.begin(), all.begin() + size);
      return scores;
    }
    case EstimatorKind::kMutualPredictability: {
      const auto contexts = Contexts(prompt, group);
      for (const Ids& context : contexts) RequireRoom(context, completions);
      const auto pairs = PairLogprobs(*weights_, contexts, completions);
      for (const int size : group_sizes) {
        scores.push_back(MutualPredictabilities(pairs, static_cast<std::size_t>(size)));
      }
      return scores;
    }
    case EstimatorKind::kSelfSelect:
      for (const int size : group_sizes) {
        scores.push_back(ChoiceLogprobs(prompt, group, static_cast<std::size_t>(size)));
      }
      return scores;
    default:
      base::ThrowBug(base::Format("{} is not a selection", base::NameIn(kind)));
  }
}

std::vector<base::Outcome<schema::Reference>> Selector::Select(EstimatorKind kind, const schema::Prompt& prompt,
                                                               const schema::RolloutGroup& group,
                                                               const std::vector<int>& group_sizes) const {
  for (const int size : group_sizes) {
    AD_CHECK(size >= 1 && static_cast<std::size_t>(size) <= group.rollouts.size(), "{} rollouts for a group of {}",
             group.rollouts.size(), size);
  }
  std::vector<base::Outcome<schema::Reference>> selected;
  try {
    for (const auto& scores : Scores(kind, prompt, group, group_sizes)) {
      const std::size_t best = Best(kind, scores);
      const std::string& text = group.rollouts[best].text;
      if (!answers::Extract(config_.rule.extractor, text)) {
        selected.emplace_back(
            base::Failure{base::ErrorKind::kBadInput,
                          base::Format("{}: rollout {}, the selected one, has no answer ({})", base::NameIn(kind),
                                       best + 1, base::NameIn(config_.rule.extractor))});
        continue;
      }
      schema::Reference reference;
      reference.text = answers::WithoutAlternatives(text);
      reference.generation = Account(kind, best, scores);
      selected.emplace_back(std::move(reference));
    }
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::kBadInput) throw;
    selected.assign(group_sizes.size(),
                    base::Failure{error.kind(), base::Format("{}: {}", base::NameIn(kind), error.message())});
  }
  return selected;
}

base::Outcome<schema::Reference> Selector::Select(EstimatorKind kind, const schema::Prompt& prompt,
                                                  const schema::RolloutGroup& group) const {
  return std::move(Select(kind, prompt, group, {static_cast<int>(group.rollouts.size())}).front());
}

}  // namespace autodidact::estimators
