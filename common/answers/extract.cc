#include "answers/extract.h"

#include <algorithm>

#include "answers/label.h"
#include "answers/number.h"
#include "base/error.h"
#include "base/format.h"
#include "base/strings.h"

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
  text = base::Trim(text);
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
  while (!rest.empty() && base::IsSpace(rest.front())) rest.remove_prefix(1);
  if (rest.empty() || rest.front() != '{') return std::nullopt;
  const std::size_t length = GroupLength(rest);
  if (length == 0) return std::nullopt;
  return NonEmpty(rest.substr(1, length - 2));
}

std::optional<std::string> AfterHashes(std::string_view text) {
  const std::size_t at = text.rfind("####");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = base::Trim(text.substr(at + 4));
  const std::string_view line = base::Trim(rest.substr(0, rest.find('\n')));
  if (line.empty()) return std::nullopt;
  if (auto amount = PlainAmount(line)) return amount;
  return std::string(line);
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

std::optional<std::string> Extract(Extractor extractor, std::string_view text) {
  switch (extractor) {
    case Extractor::kBoxed:
      return LastBoxed(text);
    case Extractor::kLastNumber:
      return LastWholeNumber(text);
    case Extractor::kAfterHashes:
      return AfterHashes(text);
    case Extractor::kWholeText:
      return NonEmpty(base::FoldSpaces(text));
  }
  return std::nullopt;
}

std::string WhyNoLabel(Extractor extractor, const std::string& label) {
  if (extractor == Extractor::kLastNumber) {
    const std::string why = WhyNotOneNumber(label);
    return why.empty() ? why : why + " (extractor last_number)";
  }
  if (Extract(extractor, LabelAs(extractor, WithoutAlternatives(label)))) return {};
  return base::Format("holds no answer (extractor {})", base::NameIn(extractor));
}

std::string LabelText(Extractor extractor, const std::vector<std::string>& labels) {
  std::string text;
  for (const std::string& label : labels) {
    if (!WhyNoLabel(extractor, label).empty()) continue;
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
