#include "answers/automatic.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "answers/extract.h"
#include "answers/formula_chain.h"
#include "answers/markdown.h"
#include "answers/stated_text.h"
#include "base/strings.h"

namespace autodidact::answers {
namespace {

// Every closed box, from left to right; nothing where one is not closed.
std::optional<std::vector<std::string>> Boxes(std::string_view text) {
  std::vector<std::string> boxes;
  while (true) {
    const std::size_t at = std::min(text.find("\\boxed"), text.find("\\fbox"));
    if (at == std::string_view::npos) return boxes;
    const std::size_t next = std::min(text.find("\\boxed", at + 1), text.find("\\fbox", at + 1));
    // A box inside a box is the same one.
    std::string_view part = text.substr(at, next == std::string_view::npos ? next : next - at);
    auto box = Extract(Extractor::kBoxed, part);
    if (!box && next != std::string_view::npos)
      box = Extract(Extractor::kBoxed, text.substr(at, text.find('\n', at) - at));
    if (box) {
      if (std::find(boxes.begin(), boxes.end(), *box) == boxes.end()) boxes.push_back(std::move(*box));
    }
    text.remove_prefix(at + 5);
  }
}

// What follows the thoughts; nothing where they are not closed.
std::optional<std::string_view> AfterThoughts(std::string_view text) {
  static constexpr std::string_view kClosing[] = {"</think>", "</thinking>", "</thought>", "</reasoning>",
                                                  "<|channel|>final<|message|>"};
  static constexpr std::string_view kOpening[] = {"<think>", "<thinking>", "<thought>", "<reasoning>"};
  std::size_t begin = 0;
  for (const std::string_view mark : kClosing) {
    if (const std::size_t at = text.rfind(mark); at != std::string_view::npos)
      begin = std::max(begin, at + mark.size());
  }
  text.remove_prefix(begin);
  for (const std::string_view mark : kOpening) {
    if (text.find(mark) != std::string_view::npos) return std::nullopt;
  }
  return text;
}

// The contents of the last <answer>, to the end where it is not closed; the text where there is none.
std::string_view InTag(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view name : {"answer>", "final_answer>", "final>"}) {
    const std::string open = "<" + std::string(name), close = "</" + std::string(name);
    const std::size_t at = small.rfind(open);
    if (at == std::string::npos) continue;
    const std::size_t begin = at + open.size();
    return text.substr(begin, std::min(small.find(close, begin), text.size()) - begin);
  }
  return text;
}

std::string WithoutQuotes(std::string_view text) {
  return base::ReplaceAll(base::ReplaceAll(base::ReplaceAll(text, "\u201C", ""), "\u201D", ""), "\"", "");
}

// Whether a text names something by words of its own: a unit, or what it counts.
bool HasWords(std::string_view text) {
  std::size_t letters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool command = text[at] == '\\';
    if (command) {
      const std::string_view rest = text.substr(at);
      if (rest.starts_with("\\text") || rest.starts_with("\\mathrm") || rest.starts_with("\\mbox")) return true;
      while (at + 1 < text.size() && base::IsLetter(text[at + 1])) ++at;
    }
    letters = !command && base::IsLetter(text[at]) ? letters + 1 : 0;
    if (letters > 1) return true;
  }
  return false;
}

Sameness CompareOne(Comparator comparator, const StatedAnswer& answer, const StatedAnswer& label) {
  const Sameness whole = Compare(comparator, answer.text, label.text);
  const auto equal = [&](const std::string& left, const std::string& right) { return Equal(comparator, left, right); };
  if (whole == Sameness::kEqual) return whole;
  if (comparator == Comparator::kMathematics && label.text.find('=') == std::string::npos) {
    for (const std::string& said : {answer.text, answer.bare}) {
      const auto side = LastSide(said);
      if (side && equal(*side, label.text)) return Sameness::kEqual;
    }
  }
  if (!answer.bare.empty() && !HasWords(label.text) && equal(answer.bare, label.text)) return Sameness::kEqual;
  if (!label.bare.empty() && !HasWords(answer.text) && equal(answer.text, label.bare)) return Sameness::kEqual;
  if (answer.boxes.empty() || comparator != Comparator::kMathematics) return whole;
  std::string set;
  for (const std::string& box : answer.boxes) set += (set.empty() ? "" : ", ") + box;
  return equal("\\{" + set + "\\}", label.text) || equal(set, label.text) ? Sameness::kEqual : whole;
}

}  // namespace

std::optional<StatedAnswer> FindStated(std::string_view text) {
  const auto said = AfterThoughts(text);
  if (!said) return std::nullopt;
  const std::string_view tagged = InTag(*said);
  if (tagged.find("\\boxed") != std::string_view::npos || tagged.find("\\fbox") != std::string_view::npos) {
    auto last = Extract(Extractor::kBoxed, tagged);
    if (!last) return std::nullopt;
    StatedAnswer answer{std::move(*last), {}, {}};
    auto boxes = Boxes(tagged);
    if (boxes && boxes->size() > 1) answer.boxes = std::move(*boxes);
    return answer;
  }
  if (const std::string_view lines = base::Trim(tagged); lines.substr(lines.rfind('\n') + 1).starts_with("####")) {
    if (auto last = Extract(Extractor::kAfterHashes, lines)) return StatedAnswer{std::move(*last), {}, {}};
  }
  std::string plain = WithoutDrawings(tagged);
  const std::string_view whole = base::Trim(plain);
  const bool is_object = whole.starts_with("{\"") && whole.ends_with("}") && whole.find('\n') == std::string_view::npos;
  if (is_object) plain = std::string(whole.substr(1, whole.size() - 2));
  return StatedIn(WithoutQuotes(WithoutMarkdown(plain)));
}

std::optional<StatedAnswer> LabelStated(std::string_view label) {
  auto stated = FindStated(label);
  if (!stated || stated->boxes.empty()) return stated;
  std::string set;
  for (const std::string& box : stated->boxes) set += (set.empty() ? "" : ", ") + box;
  return StatedAnswer{"\\{" + set + "\\}", {}, {}};
}

Sameness CompareStated(Comparator comparator, const StatedAnswer& answer, const std::vector<StatedAnswer>& labels) {
  Sameness best = Sameness::kUnequal;
  for (const StatedAnswer& label : labels) {
    const Sameness sameness = CompareOne(comparator, answer, label);
    if (sameness == Sameness::kEqual) return sameness;
    if (sameness == Sameness::kUndecided) best = sameness;
  }
  return best;
}

}  // namespace autodidact::answers
