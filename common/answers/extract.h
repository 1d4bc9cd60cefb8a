// The answer inside a text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace autodidact::answers {

enum class Extractor {
  kBoxed,       // the contents of the last \boxed{…}, braces balanced
  kLastNumber,  // the last number, thousands separators removed
  kAfterHashes, // what follows the last "####", trimmed
  kWholeText,   // the text, trimmed and with runs of white space folded
};

// "boxed", "last_number", "hashes", "whole"; Error(kBadInput) listing them otherwise.
Extractor ExtractorNamed(std::string_view name);

// Nothing when the text has no such answer, or an empty one.
std::optional<std::string> Extract(Extractor extractor, std::string_view text);

}  // namespace autodidact::answers
