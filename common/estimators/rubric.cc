#include "estimators/rubric.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "base/format.h"
#include "json/json.h"
#include "json/model_reply.h"
#include "text/substitute.h"

namespace autodidact::estimators {
namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

using Texts = std::vector<std::string>;

using json::Trimmed;

base::Failure Wrong(std::string reason) {
  return {base::ErrorKind::kBadInput, std::move(reason)};
}

// The inside of a ``` fence around the whole text, or the text itself.
std::string_view WithoutFence(std::string_view text) {
  constexpr std::string_view kFence = "```";
  if (text.size() < 2 * kFence.size() || !text.starts_with(kFence) || !text.ends_with(kFence)) return text;
  const std::size_t line_end = text.find('\n');
  if (line_end == std::string_view::npos || line_end + kFence.size() >= text.size()) return text;
  return Trimmed(text.substr(line_end, text.size() - line_end - kFence.size()));
}

// The list of criteria in a value: the value itself, or the one member of an object.
const json::Json* CriteriaIn(const json::Json& value) {
  const json::Json* list = value.is_object() && value.size() == 1 ? &value.front() : &value;
  return list->is_array() ? list : nullptr;
}

base::Outcome<Texts> FromJson(std::string_view text) {
  const json::FoundJson found = json::FindJson(text, "the rubric");
  const json::Json* list = nullptr;
  for (const json::Json& value : found.values) {
    const json::Json* criteria = CriteriaIn(value);
    if (!criteria) continue;
    if (list && *list != *criteria) return Wrong("it holds several lists that differ, expected one list of strings");
    list = criteria;
  }
  if (!list) return Wrong(found.fault.empty() ? "it holds no list, expected a list of strings" : found.fault);
  Texts criteria;
  for (const json::Json& item : *list) {
    if (!item.is_string()) return Wrong("the list holds " + json::Describe(item) + ", expected strings");
    criteria.push_back(item.get<std::string>());
  }
  return criteria;
}

// The criterion behind the marker of a line ("- ", "* ", "3. ", "3) "), and which marker it was ('1' for a number).
struct Marked {
  char marker = 0;
  std::size_t number = 0;
  std::string_view text;
};
std::optional<Marked> ReadMarker(std::string_view line) {
  if (line.starts_with("- ") || line.starts_with("* ")) return Marked{line.front(), 0, line.substr(2)};
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  const auto digits = static_cast<std::size_t>(end - line.data());
  if (error != std::errc() || line.size() < digits + 2) return std::nullopt;
  if ((line[digits] != '.' && line[digits] != ')') || line[digits + 1] != ' ') return std::nullopt;
  return Marked{'1', number, line.substr(digits + 2)};
}

base::Outcome<Texts> FromLines(std::string_view text) {
  Texts criteria;
  char marker = 0;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const auto marked = ReadMarker(line);
    if (!marked) return Wrong(base::Format("line {} is not a criterion behind \"- \", \"* \" or \"1. \"", number));
    if (marker != 0 && marked->marker != marker) return Wrong(base::Format("line {} has another marker", number));
    marker = marked->marker;
    criteria.emplace_back(marked->text);
    if (marker == '1' && marked->number != criteria.size()) {
      return Wrong(base::Format("line {} has the number {}, expected {}", number, marked->number, criteria.size()));
    }
  }
  return criteria;
}

Texts FromSeparated(std::string_view text, const std::string& separator) {
  text = Trimmed(text);
  if (text.starts_with(separator)) text.remove_prefix(separator.size());
  Texts criteria;
  while (true) {
    const std::size_t end = text.find(separator);
    criteria.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return criteria;
    text.remove_prefix(end + separator.size());
  }
}

// White space folded, lower case (ASCII), without a full stop at the end: what makes two criteria the same.
std::string Folded(std::string_view text) {
  std::string folded;
  for (const char c : text) {
    if (kSpace.find(c) == std::string_view::npos) {
      folded.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    } else if (!folded.empty() && folded.back() != ' ') {
      folded.push_back(' ');
    }
  }
  while (!folded.empty() && (folded.back() == '.' || folded.back() == ' ')) folded.pop_back();
  return folded;
}

}  // namespace

void Validate(const RubricConfig& config) {
  if (config.instruction.find("{reference}") == std::string::npos) {
    base::ThrowBadInput(base::Format("the rubric instruction '{}' has no {{reference}}", config.instruction));
  }
  if (config.format == RubricFormat::kSeparated && Trimmed(config.separator).empty()) {
    base::ThrowBadInput("the separator of criteria is empty");
  }
  if (config.min_criteria < 1 || config.max_criteria < config.min_criteria) {
    base::ThrowBadInput(base::Format("a rubric of {} to {} criteria: expected at least 1, and no more than the maximum",
                                     config.min_criteria, config.max_criteria));
  }
}

std::vector<schema::TokenId> EncodeRubricPrompt(const RubricConfig& config, const text::Tokenizer& tokenizer,
                                                const std::string& reference) {
  text::Chat chat;
  if (!config.system.empty()) chat.turns.emplace_back("system", text::MarkedText{config.system});
  chat.turns.emplace_back("user",
                          text::SubstituteMarked(config.instruction, {{"{reference}", text::Foreign(reference)}}));
  return config.chat.Encode(chat, tokenizer).ids;
}

std::size_t NeededCriteria(const RubricConfig& config, std::string_view reference) {
  if (config.words_per_criterion == 0) return config.min_criteria;
  std::size_t words = 0;
  bool inside = false;
  for (const char c : reference) {
    const bool space = kSpace.find(c) != std::string_view::npos;
    words += !space && !inside;
    inside = !space;
  }
  return std::min(config.min_criteria, std::max<std::size_t>(1, words / config.words_per_criterion));
}

base::Outcome<std::vector<schema::Criterion>> ParseRubric(const RubricConfig& config, std::string_view written,
                                                          std::size_t needed) {
  const std::string_view answer = json::WithoutThoughts(written);
  if (answer.empty())
    return Wrong(Trimmed(written).empty() ? "nothing was written" : "nothing was written behind the thoughts");
  base::Outcome<Texts> texts = config.format == RubricFormat::kJson    ? FromJson(written)
                               : config.format == RubricFormat::kLines ? FromLines(WithoutFence(answer))
                                                                       : FromSeparated(answer, config.separator);
  if (!texts.ok()) return texts.failure();
  std::vector<schema::Criterion> criteria;
  std::set<std::string> seen;
  for (const std::string& text : *texts) {
    const std::string_view trimmed = Trimmed(text);
    if (trimmed.empty()) return Wrong("a criterion is empty");
    if (trimmed.size() > kMaxCriterionBytes) return Wrong(base::Format("a criterion has {} bytes", trimmed.size()));
    if (seen.insert(Folded(trimmed)).second) criteria.push_back({std::string(trimmed)});
  }
  if (criteria.size() < needed) {
    return Wrong(base::Format("{} different criteria, expected at least {}", criteria.size(), needed));
  }
  criteria.resize(std::min(criteria.size(), config.max_criteria));
  return criteria;
}

}  // namespace autodidact::estimators
