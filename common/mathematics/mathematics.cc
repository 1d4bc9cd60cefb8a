#include "mathematics/mathematics.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "mathematics/calculus.h"
#include "mathematics/node.h"
#include "mathematics/parse.h"
#include "mathematics/same.h"
#include "mathematics/text.h"
#include "mathematics/tokens.h"
#include "mathematics/words.h"

namespace autodidact::mathematics {
namespace {

// Longer texts are no short answers: they are compared as texts.
constexpr std::size_t kMaxLength = 2000;

// The tokens of a text, between spaces: what is left to compare where a text cannot be parsed.
std::string Spelling(std::string_view text) {
  std::string spelling;
  for (const MathToken& token : Tokenize(text, false)) spelling += token.text + ' ';
  return spelling;
}

std::vector<Node> Readings(std::string_view text, bool words, Trial& trial) {
  std::vector<Node> readings;
  for (const bool thousands : {false, true}) {
    auto node = Parse(text, {thousands, words});
    if (node) readings.push_back(HasCalculus(*node) ? Evaluated(std::move(*node), trial) : std::move(*node));
  }
  return readings;
}

// Equal where any pair of readings is.
Sameness BestSameness(const std::vector<Node>& left, const std::vector<Node>& right, Trial& trial) {
  Sameness best = Sameness::kUnequal;
  for (const Node& a : left) {
    for (const Node& b : right) {
      const Sameness sameness = SameAnswer(a, b, trial);
      if (sameness == Sameness::kEqual) return sameness;
      if (sameness == Sameness::kUndecided) best = sameness;
    }
  }
  return best;
}

// "2024-05-06" and "5/6/2024" are dates, and no calculations.
bool IsDate(std::string_view text) {
  text = WithoutWrapping(text);
  std::string form;
  for (const char c : text) form.push_back(base::IsDigit(c) ? '0' : c);
  static constexpr std::string_view kForms[] = {"0000-00-00", "0000-0-0",   "00/00/0000", "0/0/0000",  "00/0/0000",
                                                "0/00/0000",  "00.00.0000", "0.0.0000",   "00-00-0000"};
  return base::Contains(kForms, form);
}

// "\\textbf{(A)}\\ 5", "(A) 5" and "A. 5": a choice and what it says.
struct Choice {
  std::string letter;
  std::string said;
};

std::optional<Choice> ChoiceOf(std::string_view text) {
  text = WithoutWrapping(text);
  bool in_group = false;
  for (const std::string_view start : {"\\textbf{", "\\text{", "\\mathrm{", "\\mathbf{", "\\textrm{"}) {
    if (!text.starts_with(start)) continue;
    text.remove_prefix(start.size());
    in_group = true;
    break;
  }
  const bool in_brackets = text.starts_with('(');
  if (in_brackets) text.remove_prefix(1);
  if (text.size() < 2 || text[0] < 'A' || text[0] > 'J' || (text[1] != ')' && (in_brackets || text[1] != '.'))) {
    return std::nullopt;
  }
  const bool is_spaced = text.size() > 2 && (text[2] == ' ' || text[2] == '}');
  if (!in_brackets && !is_spaced) return std::nullopt;
  Choice choice{std::string(1, text[0]), {}};
  text = base::Trim(text.substr(2));
  if (in_group) {
    if (!text.starts_with('}')) return std::nullopt;
    text = base::Trim(text.substr(1));
  }
  for (const std::string_view space : {"\\quad", "\\ ", "\\,", "\\;", "~", ":"}) {
    if (text.starts_with(space)) text = base::Trim(text.substr(space.size()));
  }
  choice.said = std::string(text);
  return choice;
}

// "(B) and (C)" and "B, C".
bool SameChoices(std::string_view left, std::string_view right) {
  const auto letters = [](std::string_view text) {
    std::string plain(WithoutWrapping(text));
    for (const std::string_view mark : {"\\textbf{", "\\text{", "\\mathrm{", "\\mathbf{", "}", "\\"}) {
      plain = base::ReplaceAll(plain, mark, "");
    }
    return LettersOfChoices(plain);
  };
  const auto both = letters(left);
  return both && both == letters(right);
}

bool IsText(const std::vector<Node>& readings) {
  return !readings.empty() && readings.front().op == Op::kText;
}

// Of two different texts of bounded length.
Sameness CompareWhole(std::string_view left, std::string_view right) {
  // What takes too much is given up at some place, which must be the same place both ways round.
  if (right < left) std::swap(left, right);
  const std::string spelling = Spelling(left);
  if (spelling.size() > 1 && spelling == Spelling(right)) return Sameness::kEqual;
  Trial trial(left, right);
  const std::vector<Node> left_readings = Readings(left, true, trial), right_readings = Readings(right, true, trial);
  const Sameness sameness = BestSameness(left_readings, right_readings, trial);
  // "xy" is a product where the other side is no words.
  if (sameness == Sameness::kEqual || IsText(left_readings) == IsText(right_readings)) return sameness;
  const Sameness without_words = BestSameness(Readings(left, false, trial), Readings(right, false, trial), trial);
  return without_words == Sameness::kUnequal ? sameness : without_words;
}

}  // namespace

Sameness Compare(std::string_view left, std::string_view right) {
  if (base::FoldSpaces(left) == base::FoldSpaces(right)) return Sameness::kEqual;
  if (left.size() > kMaxLength || right.size() > kMaxLength) return Sameness::kUnequal;
  if (IsDate(left) || IsDate(right)) {
    return WithoutWrapping(left) == WithoutWrapping(right) ? Sameness::kEqual : Sameness::kUnequal;
  }
  if (SameChoices(left, right)) return Sameness::kEqual;
  const auto left_choice = ChoiceOf(left), right_choice = ChoiceOf(right);
  const bool left_says = left_choice && !left_choice->said.empty();
  const bool right_says = right_choice && !right_choice->said.empty();
  if (left_says && right_says) {
    if (left_choice->letter != right_choice->letter) return Sameness::kUnequal;
    return Compare(left_choice->said, right_choice->said);
  }
  const Sameness sameness = CompareWhole(left, right);
  if (sameness == Sameness::kEqual || !(left_says || right_says)) return sameness;
  // The letter alone, or what it stands for.
  const Choice& choice = left_says ? *left_choice : *right_choice;
  const std::string_view other = left_says ? right : left;
  return CompareWhole(choice.letter, other) == Sameness::kEqual ? Sameness::kEqual : CompareWhole(choice.said, other);
}

bool SaysSomething(std::string_view answer) {
  if (answer.size() > kMaxLength) return true;
  Trial trial(answer, answer);
  const std::vector<Node> readings = Readings(answer, true, trial);
  return readings.empty() ||
         std::any_of(readings.begin(), readings.end(), [&](const Node& node) { return HasValues(node, trial); });
}

}  // namespace autodidact::mathematics
