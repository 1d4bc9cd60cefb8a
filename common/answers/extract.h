// The answer inside a text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.h"

namespace autodidact::answers {

enum class Extractor {
  kBoxed,        // the contents of the last \boxed{…}, braces balanced; nothing when the last one is not closed
  kLastNumber,   // the last number as a whole (number.h); nothing where it is a part of more, as in 5√2 and (2, 3)
  kAfterHashes,  // the line after the last "####", trimmed; an amount without its currency and thousands separators
  kWholeText,    // the text, trimmed and with runs of white space folded
};
constexpr auto NamesOf(Extractor) {
  return base::NameTable<Extractor, 4>{{{Extractor::kBoxed, "boxed"},
                                        {Extractor::kLastNumber, "last_number"},
                                        {Extractor::kAfterHashes, "hashes"},
                                        {Extractor::kWholeText, "whole"}}};
}

// Nothing when the text has no such answer, or an empty one.
std::optional<std::string> Extract(Extractor extractor, std::string_view text);

// Stands between the labels of a reference that admits more than one answer (see ReferenceAnswers).
inline constexpr char kAlternative = '\x1e';

// A reference made of labels that the extractor has a use for (label.h), joined by kAlternative. Empty for no label.
std::string LabelText(Extractor extractor, const std::vector<std::string>& labels);

// The answers that a reference admits: one, or one for each label of a LabelText. Empty when there is none.
std::vector<std::string> ReferenceAnswers(Extractor extractor, std::string_view reference);

// A generated text with its kAlternative characters as spaces: what a model wrote can never admit several answers.
std::string WithoutAlternatives(std::string_view text);

}  // namespace autodidact::answers
