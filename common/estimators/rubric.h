// A rubric from a reference: yes/no criteria that the anchor writes from the reference's text alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"
#include "schema/types.h"
#include "text/chat.h"

namespace autodidact::estimators {

// The structure that the anchor must write. Thoughts before it (<think>…</think>) are passed over.
enum class RubricFormat {
  kJson,   // a list of strings, or an object with that one member; sentences and a ``` fence around it are passed over
  kLines,  // nothing but one criterion a line (in a ``` fence or bare), all behind "- ", all behind "* ", or numbered
           // from 1 ("1. " or "1) ")
  kSeparated,  // criteria between separators; one separator may stand before the first
};
RubricFormat RubricFormatNamed(std::string_view name);  // "json", "lines", "separated"; Error(kBadInput) otherwise

struct RubricConfig {
  std::string system;                       // empty: none
  std::string instruction = "{reference}";  // the user turn
  text::ChatTemplate chat;
  RubricFormat format = RubricFormat::kJson;
  std::string separator = "|";          // of kSeparated
  std::size_t min_criteria = 5;         // fewer: no rubric
  std::size_t words_per_criterion = 0;  // a reference of w words needs no more than max(1, w / this); 0: off
  std::size_t max_criteria = 20;        // further ones are dropped
  float retry_temperature = 0.7f;       // of the second try, when the first is greedy
  engine::SamplingParams sampling;
};

// A criterion longer than this is not one statement.
inline constexpr std::size_t kMaxCriterionBytes = 2000;

// Error(kBadInput) when the instruction has no "{reference}", kSeparated no separator, or the numbers contradict.
void Validate(const RubricConfig& config);

// The token ids of the prompt: of the reference alone. Error(kBadInput) when the vocabulary cannot express the text.
std::vector<schema::TokenId> EncodeRubricPrompt(const RubricConfig& config, const text::Tokenizer& tokenizer,
                                                const std::string& reference);

// How many criteria a rubric of this reference needs.
std::size_t NeededCriteria(const RubricConfig& config, std::string_view reference);

// The criteria in `written`: duplicates (in all but case, white space and a full stop) dropped, then at most
// max_criteria. Fails (kBadInput) with what is wrong when the text is not in the format or has fewer than `needed`.
base::Outcome<std::vector<schema::Criterion>> ParseRubric(const RubricConfig& config, std::string_view written,
                                                          std::size_t needed);

}  // namespace autodidact::estimators
