// A rubric from a reference: yes/no criteria that the anchor writes from the reference's text alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "estimators/config.h"
#include "schema/types.h"
#include "text/tokenizer.h"

namespace autodidact::estimators {

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
