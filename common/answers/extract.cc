#include "answers/extract.h"

#include <algorithm>

#include "answers/text_util.h"
#include "base/error.h"
#include "base/format.h"

namespace autodidact::answers {
namespace {

// The length of the group that starts at text[0] == '{', both braces included; 0 when it is not closed.
std::size_t GroupLength(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;  // \{ and \} are printed braces
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

std::optional<std::string> NonEmpty(std::string_view text) {
  text = Trim(text);
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

std::optional<std::string> LastBoxed(std::string_view text) {
  static constexpr std::string_view kCommands[] = {"\\boxed", "\\fbox"};
  std::size_t begin = std::string_view::npos;
  std::string_view rest;
  for (const std::string_view command : kCommands) {
    const std::size_t at = text.rfind(command);
    if (at == std::string_view::npos || (begin != std::string_view::npos && at < begin)) continue;
    begin = at;
    rest = text.substr(at + command.size());
  }
  if (begin == std::string_view::npos) return std::nullopt;
  while (!rest.empty() && IsSpace(rest.front())) rest.remove_prefix(1);
  if (rest.empty() || rest.front() != '{') return std::nullopt;
  const std::size_t length = GroupLength(rest);
  if (length == 0) return std::nullopt;
  return NonEmpty(rest.substr(1, length - 2));
}

// Reads forward over digits from `at`, with thousands separators where groups of three follow the first one to three.
std::size_t IntegerEnd(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  while (at < text.size() && IsDigit(text[at])) ++at;
  if (at - begin == 0 || at - begin > 3) return at;
  const auto is_group = [&](std::size_t comma) {
    if (comma + 3 >= text.size() || text[comma] != ',') return false;
    if (!IsDigit(text[comma + 1]) || !IsDigit(text[comma + 2]) || !IsDigit(text[comma + 3])) return false;
    return comma + 4 >= text.size() || !IsDigit(text[comma + 4]);
  };
  while (is_group(at)) at += 4;
  return at;
}

// The end of the number (without sign) that starts at `at`: digits, or a point before digits.
std::size_t NumberEnd(std::string_view text, std::size_t at) {
  at = IntegerEnd(text, at);
  if (at + 1 < text.size() && text[at] == '.' && IsDigit(text[at + 1])) {
    ++at;
    while (at < text.size() && IsDigit(text[at])) ++at;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t exponent = at + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    std::size_t end = exponent;
    while (end < text.size() && IsDigit(text[end])) ++end;
    if (end > exponent && (end == text.size() || !IsLetter(text[end]))) at = end;
  }
  return at;
}

std::string WithoutCommas(std::string_view number) {
  std::string result(number);
  std::erase(result, ',');
  return result;
}

// A minus is a sign only where it does not stand between two operands ("3-5", "x-2").
bool IsSign(std::string_view text, std::size_t at) {
  if (text[at] != '-') return false;
  if (at == 0) return true;
  const char before = text[at - 1];
  return !IsDigit(before) && !IsLetter(before) && before != ')' && before != '}' && before != ']';
}

std::optional<std::string> LastNumber(std::string_view original) {
  const std::string text = ReplaceAll(original, "\u2212", "-");
  std::optional<std::string> last;
  for (std::size_t at = 0; at < text.size();) {
    const bool starts_with_point = text[at] == '.' && at + 1 < text.size() && IsDigit(text[at + 1]);
    if (!IsDigit(text[at]) && !starts_with_point) {
      ++at;
      continue;
    }
    const std::size_t end = NumberEnd(text, at);
    // "- $5": the sign may stand before a currency sign.
    std::size_t before = at;
    if (before > 0 && text[before - 1] == '$') --before;
    const bool negative = before > 0 && IsSign(text, before - 1);
    last = (negative ? "-" : "") + WithoutCommas(std::string_view(text).substr(at, end - at));
    at = end;
  }
  return last;
}

// "$1,234.50" as "1234.50"; anything that is not an amount as it stands.
std::string PlainAmount(std::string_view text) {
  std::string_view rest = text;
  std::string sign;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    if (rest.front() == '-') sign = "-";
    rest.remove_prefix(1);
  }
  if (!rest.empty() && rest.front() == '$') rest.remove_prefix(1);
  if (rest.empty() || (!IsDigit(rest.front()) && rest.front() != '.')) return std::string(text);
  const std::size_t end = NumberEnd(rest, 0);
  if (end == 0) return std::string(text);
  if (end != rest.size() && rest.substr(end) != ".") return std::string(text);
  return sign + WithoutCommas(rest.substr(0, end));
}

std::optional<std::string> AfterHashes(std::string_view text) {
  const std::size_t at = text.rfind("####");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = Trim(text.substr(at + 4));
  const std::string_view line = Trim(rest.substr(0, rest.find('\n')));
  if (line.empty()) return std::nullopt;
  return PlainAmount(line);
}

std::string LabelAs(Extractor extractor, const std::string& label) {
  if (Extract(extractor, label)) return label;
  switch (extractor) {
    case Extractor::kBoxed:
      return "\\boxed{" + label + "}";
    case Extractor::kAfterHashes:
      return "#### " + label;
    case Extractor::kLastNumber:
    case Extractor::kWholeText:
      break;
  }
  return label;
}

}  // namespace

Extractor ExtractorNamed(std::string_view name) {
  for (const Extractor extractor :
       {Extractor::kBoxed, Extractor::kLastNumber, Extractor::kAfterHashes, Extractor::kWholeText}) {
    if (name == Name(extractor)) return extractor;
  }
  base::ThrowBadInput(base::Format("unknown extractor '{}': expected boxed, last_number, hashes or whole", name));
}

const char* Name(Extractor extractor) {
  switch (extractor) {
    case Extractor::kBoxed:
      return "boxed";
    case Extractor::kLastNumber:
      return "last_number";
    case Extractor::kAfterHashes:
      return "hashes";
    case Extractor::kWholeText:
      return "whole";
  }
  return "unknown";
}

std::optional<std::string> Extract(Extractor extractor, std::string_view text) {
  switch (extractor) {
    case Extractor::kBoxed:
      return LastBoxed(text);
    case Extractor::kLastNumber:
      return LastNumber(text);
    case Extractor::kAfterHashes:
      return AfterHashes(text);
    case Extractor::kWholeText:
      return NonEmpty(Fold(text));
  }
  return std::nullopt;
}

std::string LabelText(Extractor extractor, const std::vector<std::string>& labels) {
  std::string text;
  for (const std::string& label : labels) {
    if (!text.empty()) text.push_back(kAlternative);
    text += LabelAs(extractor, WithoutAlternatives(label));
  }
  return text;
}

std::vector<std::string> ReferenceAnswers(Extractor extractor, std::string_view reference) {
  std::vector<std::string> answers;
  for (std::size_t begin = 0; begin <= reference.size();) {
    const std::size_t end = std::min(reference.find(kAlternative, begin), reference.size());
    if (auto answer = Extract(extractor, reference.substr(begin, end - begin))) answers.push_back(std::move(*answer));
    begin = end + 1;
  }
  return answers;
}

std::string WithoutAlternatives(std::string_view text) {
  std::string result(text);
  std::replace(result.begin(), result.end(), kAlternative, ' ');
  return result;
}

}  // namespace autodidact::answers
