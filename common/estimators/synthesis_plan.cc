#include <algorithm>
#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/check.h"
#include "base/format.h"
#include "estimators/estimator.h"
#include "text/substitute.h"

namespace autodidact::estimators {
namespace {

struct Candidate {
  std::string text;
  std::size_t count = 0;  // of rollouts equal to it
};

std::vector<Candidate> Ordered(const std::vector<std::string>& texts, CandidateOrder order) {
  std::vector<Candidate> distinct;
  std::unordered_map<std::string, std::size_t> places;
  for (const std::string& text : texts) {
    const auto [found, is_new] = places.try_emplace(text, distinct.size());
    if (is_new) distinct.push_back({text, 0});
    ++distinct[found->second].count;
  }
  std::vector<Candidate> ordered;
  if (order == CandidateOrder::kGiven) {
    for (const std::string& text : texts) ordered.push_back(distinct[places.at(text)]);
    return ordered;
  }
  std::stable_sort(distinct.begin(), distinct.end(),
                   [](const Candidate& a, const Candidate& b) { return a.count > b.count; });
  std::reverse(distinct.begin(), distinct.end());
  if (order == CandidateOrder::kCounted) return distinct;
  for (const Candidate& candidate : distinct) ordered.insert(ordered.end(), candidate.count, candidate);
  return ordered;
}

text::Chat SynthesisChat(const SynthesisPrompt& prompt, const std::vector<std::string>& candidates) {
  const std::vector<Candidate> ordered = Ordered(candidates, prompt.order);
  text::MarkedText list;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    if (i > 0) list.text += prompt.separator;
    text::Append(text::SubstituteMarked(prompt.candidate, {{"{index}", {std::to_string(i + 1)}},
                                                           {"{text}", text::Foreign(ordered[i].text)},
                                                           {"{count}", {std::to_string(ordered[i].count)}}}),
                 &list);
  }
  text::Chat chat;
  if (!prompt.system.empty()) chat.turns.emplace_back("system", text::MarkedText{prompt.system});
  chat.turns.emplace_back("user", text::SubstituteMarked(prompt.instruction, {{"{candidates}", std::move(list)}}));
  return chat;
}

}  // namespace

void Validate(const SynthesisPrompt& prompt) {
  if (prompt.instruction.find("{candidates}") == std::string::npos) {
    base::ThrowBadInput(base::Format("the synthesis instruction '{}' has no {{candidates}}", prompt.instruction));
  }
  if (prompt.candidate.find("{text}") == std::string::npos) {
    base::ThrowBadInput(base::Format("the synthesis candidate '{}' has no {{text}}", prompt.candidate));
  }
}

std::string RenderSynthesisPrompt(const SynthesisPrompt& prompt, const std::vector<std::string>& candidates) {
  return prompt.format.Render(SynthesisChat(prompt, candidates));
}

std::vector<schema::TokenId> EncodeSynthesisPrompt(const SynthesisPrompt& prompt, const text::Tokenizer& tokenizer,
                                                   const std::vector<std::string>& candidates) {
  return prompt.format.Encode(SynthesisChat(prompt, candidates), tokenizer).ids;
}

std::int64_t SynthesisContext(const SynthesisConfig& config, std::int64_t model_limit) {
  if (config.context == 0 || model_limit == 0) return std::max(config.context, model_limit);
  return std::min(config.context, model_limit);
}

SynthesisPlan::SynthesisPlan(const SynthesisConfig& config, const text::Tokenizer& tokenizer,
                             std::vector<std::string> candidates, std::int64_t context)
    : config_(config),
      tokenizer_(tokenizer),
      prompt_limit_(context == 0 ? std::numeric_limits<std::int64_t>::max() : context - config.sampling.max_new_tokens),
      candidates_(std::move(candidates)),
      result_(base::Failure{base::ErrorKind::kBug, "the synthesis is not finished"}) {
  Validate(config.prompt);
  if (candidates_.empty()) {
    Fail("a group without candidates");
  } else {
    PlanStage();
  }
}

bool SynthesisPlan::Advance(const std::vector<base::Outcome<std::string>>& generations) {
  AD_CHECK(!prompts_.empty() && generations.size() == prompts_.size(), "{} generations for {} prompts",
           generations.size(), prompts_.size());
  for (const auto& generation : generations) {
    if (!generation.ok()) {
      result_ = generation.failure();
      prompts_.clear();
      return true;
    }
  }
  if (parts_.size() == 1) {
    Finish(*generations.front());
    return true;
  }
  std::vector<std::string> next;
  std::size_t generated = 0;
  for (const auto& [begin, end] : parts_) {
    if (end - begin == 1) {
      next.push_back(std::move(candidates_[begin]));
      continue;
    }
    auto text = TextUnderHeading(*generations[generated++], config_.prompt.heading);
    if (!text || text->empty()) {
      Fail(base::Format("stage {}: the synthesis of candidates {} to {} of {} has no text under its heading", stages_,
                        begin + 1, end, candidates_.size()));
      return true;
    }
    next.push_back(std::move(*text));
  }
  candidates_ = std::move(next);
  PlanStage();
  return prompts_.empty();
}

void SynthesisPlan::PlanStage() {
  ++stages_;
  prompts_.clear();
  parts_ = {{0, candidates_.size()}};
  try {
    if (auto ids = PromptThatFits(parts_.front())) {
      prompts_.push_back(std::move(*ids));
    } else {
      SplitIntoParts();
    }
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::kBadInput) throw;
    Fail(error.message());
  }
}

void SynthesisPlan::SplitIntoParts() {
  parts_ = PackParts();
  const std::size_t n = candidates_.size();
  if (parts_.empty() || parts_.size() == n) {
    Fail(base::Format("stage {}: {} of {} candidates do not fit into a prompt of {} tokens", stages_,
                      parts_.empty() ? "one" : "two neighbours", n, prompt_limit_));
    return;
  }
  // Parts of even size are better than full ones and a rest, where they fit as well.
  std::vector<Part> even;
  for (std::size_t i = 0; i < parts_.size(); ++i) even.emplace_back(i * n / parts_.size(), (i + 1) * n / parts_.size());
  if (std::all_of(even.begin(), even.end(), [&](const Part& part) { return PromptThatFits(part).has_value(); })) {
    parts_ = std::move(even);
  }
  for (const Part& part : parts_) {
    if (part.second - part.first > 1) prompts_.push_back(*PromptThatFits(part));
  }
}

// As many neighbours as fit, from the first on; nothing when one candidate alone does not fit.
std::vector<SynthesisPlan::Part> SynthesisPlan::PackParts() {
  std::vector<Part> parts;
  for (std::size_t begin = 0; begin < candidates_.size();) {
    std::size_t end = begin;
    while (end < candidates_.size() && PromptThatFits({begin, end + 1})) ++end;
    if (end == begin) return {};
    parts.emplace_back(begin, end);
    begin = end;
  }
  return parts;
}

std::optional<std::vector<schema::TokenId>> SynthesisPlan::PromptThatFits(const Part& part) {
  const auto begin = candidates_.begin();
  auto ids = EncodeSynthesisPrompt(
      config_.prompt, tokenizer_,
      {begin + static_cast<std::ptrdiff_t>(part.first), begin + static_cast<std::ptrdiff_t>(part.second)});
  if (static_cast<std::int64_t>(ids.size()) > prompt_limit_) return std::nullopt;
  return ids;
}

void SynthesisPlan::Fail(std::string reason) {
  prompts_.clear();
  result_ = base::Failure{base::ErrorKind::kBadInput, std::move(reason)};
}

void SynthesisPlan::Finish(const std::string& generation) {
  const auto text = TextUnderHeading(generation, config_.prompt.heading);
  if (!text) {
    Fail(base::Format("the synthesis lacks the heading '{}'", config_.prompt.heading));
  } else if (!answers::Extract(config_.rule.extractor, *text)) {
    Fail(base::Format("the synthesis has no answer ({})", base::NameIn(config_.rule.extractor)));
  } else {
    prompts_.clear();
    result_ = schema::Reference{answers::WithoutAlternatives(*text), generation, {}, stages_};
  }
}

}  // namespace autodidact::estimators
