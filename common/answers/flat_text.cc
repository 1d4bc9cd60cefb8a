#include "answers/flat_text.h"

#include <algorithm>
#include <cctype>

#include "answers/formula_chain.h"
#include "base/strings.h"

namespace autodidact::answers {
namespace {

constexpr std::string_view kFunctions[] = {"sqrt", "pi",  "log", "ln",  "sin",    "cos",    "tan",    "cot",
                                           "sec",  "csc", "exp", "mod", "arcsin", "arccos", "arctan", "infinity",
                                           "inf",  "cup", "gcd", "lcm", "max",    "min",    "choose"};
constexpr std::string_view kFormattingCommands[] = {"\\text",   "\\textbf", "\\mathrm",       "\\mathbf",
                                                    "\\textit", "\\mbox",   "\\operatorname", "\\textrm"};

struct Span {
  std::size_t begin = 0;  // of the contents
  std::size_t end = 0;
  std::size_t after = 0;  // the closing mark
};

// Whether the contents between two dollar signs are words, the signs being of currency.
bool IsProse(std::string_view text) {
  std::size_t letters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      while (at + 1 < text.size() && base::IsLetter(text[at + 1])) ++at;
      if (at + 1 < text.size() && text[at + 1] == '{') {
        while (at < text.size() && text[at] != '}') ++at;
      }
      letters = 0;
    } else {
      letters = base::IsLetter(text[at]) ? letters + 1 : 0;
      if (letters > 2) return true;
    }
  }
  return false;
}

constexpr std::string_view kEnvironments[] = {"align*",   "align",       "aligned",   "equation*",
                                              "equation", "gather*",     "gather",    "eqnarray*",
                                              "eqnarray", "displaymath", "multline*", "multline"};

// "\\begin{align*} … \\end{align*}"
bool EnvironmentAt(std::string_view text, std::size_t at, Span* span) {
  if (!text.substr(at).starts_with("\\begin{")) return false;
  for (const std::string_view name : kEnvironments) {
    const std::string open = "\\begin{" + std::string(name) + "}", close = "\\end{" + std::string(name) + "}";
    if (!text.substr(at).starts_with(open)) continue;
    const std::size_t end = text.find(close, at);
    if (end == std::string_view::npos) return false;
    *span = {at + open.size(), end, end + close.size()};
    return true;
  }
  return false;
}

// What a formula says: of rows of equations the last.
std::string Said(std::string_view formula, bool has_rows) {
  formula = base::Trim(formula);
  Span inner;
  if (EnvironmentAt(formula, 0, &inner) && base::Trim(formula.substr(inner.after)).size() < 2) {
    const std::string row = LastRow(formula.substr(inner.begin, inner.end - inner.begin));
    return row + std::string(formula.substr(inner.after));
  }
  return has_rows ? LastRow(formula) : std::string(formula);
}

// The formula that opens at `at`, if one does.
bool FormulaAt(std::string_view text, std::size_t at, Span* span) {
  if (EnvironmentAt(text, at, span)) return true;
  struct Marks {
    std::string_view open;
    std::string_view close;
  };
  static constexpr Marks kMarks[] = {{"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}};
  for (const Marks& marks : kMarks) {
    if (!text.substr(at).starts_with(marks.open)) continue;
    std::size_t end = text.find(marks.close, at + marks.open.size());
    while (end != std::string_view::npos && marks.close[0] == '$' && text[end - 1] == '\\') {
      end = text.find(marks.close, end + 1);
    }
    if (end == std::string_view::npos) return false;
    *span = {at + marks.open.size(), end, end + marks.close.size()};
    const std::string_view contents = text.substr(span->begin, end - span->begin);
    if (marks.open == "$") {
      if (contents.find("\n\n") != std::string_view::npos || IsProse(contents) || base::Trim(contents).empty())
        return false;
    }
    return true;
  }
  return false;
}

// The length of a mathematical sign or Greek letter in UTF-8 at the start; 0 for another character.
std::size_t SignLength(std::string_view text) {
  static constexpr std::string_view kSigns[] = {"\u00B0", "\u00B1", "\u00B2", "\u00B3", "\u00B7", "\u00B9", "\u00BC",
                                                "\u00BD", "\u00BE", "\u00D7", "\u00F7", "\u2013", "\u211D", "\u2032"};
  for (const std::string_view sign : kSigns) {
    if (text.starts_with(sign)) return sign.size();
  }
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (byte(0) == 0xCE || byte(0) == 0xCF) return 2;                     // Greek
  if (byte(0) == 0xE2 && byte(1) >= 0x88 && byte(1) <= 0x8B) return 3;  // operators
  if (byte(0) == 0xE2 && (byte(1) == 0x81 || byte(1) == 0x82 || byte(1) == 0x85))
    return 3;  // powers, indices, fractions
  return 0;
}

// One past the brace that closes the group at text[at] == '{'; `at` when none does.
std::size_t GroupEnd(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return at;
}

bool IsCapital(std::string_view text, std::size_t at) {
  while (at < text.size() && base::IsSpace(text[at])) ++at;
  return at < text.size() && text[at] >= 'A' && text[at] <= 'Z';
}

// Numbers that say how many: "one" is also a pronoun.
constexpr std::string_view kNumbers[] = {
    "two",    "three",  "four",     "five",     "six",     "seven",   "eight",     "nine",     "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty", "thirty", "forty",    "fifty",    "sixty",   "seventy", "eighty",    "ninety",   "zero"};
constexpr std::string_view kBeforeNumbers[] = {"is", "are", "be", "equals", "exactly", "was", "were", "has", "have"};

// A text's own byte of that value stands for no formula.
char WithoutMark(char c) {
  return c == FlatText::kFormula ? ' ' : c;
}

}  // namespace

FlatText::FlatText(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    Span span;
    if (FormulaAt(text, at, &span)) {
      flat_ += kFormula;
      const std::string said = Said(text.substr(span.begin, span.end - span.begin), text[at + 1] == 'b');
      std::string_view formula = base::Trim(said);
      if (formula.ends_with('.') && formula.size() > 1) {  // ends the sentence
        formula.remove_suffix(1);
        flat_ += ". ";
      } else if (formula.ends_with(',') && !formula.ends_with("\\,") && formula.size() > 1) {
        formula.remove_suffix(1);
        flat_ += ", ";
      } else if (span.after < text.size() && text[at + 1] == 'b' && IsCapital(text, span.after)) {
        flat_ += ". ";  // a formula on a line of its own, and the next sentence
      }
      formulas_.emplace_back(formula);
      at = span.after;
    } else if (text[at] == '\\' && at + 1 < text.size()) {
      flat_ += '\\';
      flat_ += WithoutMark(text[at + 1]);
      at += 2;
    } else {
      flat_ += WithoutMark(text[at]);
      ++at;
    }
  }
  small_ = flat_;
  for (char& c : small_) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

std::string FlatText::Restored(std::size_t begin, std::size_t end) const {
  auto formula =
      static_cast<std::size_t>(std::count(flat_.begin(), flat_.begin() + static_cast<std::ptrdiff_t>(begin), kFormula));
  std::string text;
  for (std::size_t at = begin; at < end; ++at) {
    if (flat_[at] == kFormula) {
      text += formulas_[formula++];
    } else {
      text += flat_[at];
    }
  }
  std::string_view trimmed = base::Trim(text);
  while (!trimmed.empty() && !trimmed.ends_with("...") &&
         (trimmed.back() == '.' || trimmed.back() == ',' || trimmed.back() == ';')) {
    trimmed = base::Trim(trimmed.substr(0, trimmed.size() - 1));
  }
  return std::string(trimmed);
}

std::size_t FlatText::SentenceEnd(std::size_t at) const {
  for (; at < flat_.size(); ++at) {
    const char c = flat_[at];
    if (c == '\n') return at;
    if (c != '.' && c != '!' && c != '?') continue;
    if (c == '.' && at > 1 && (small_.substr(at - 2, 2) == ".e" || small_.substr(at - 2, 2) == ".g")) continue;
    const char next = At(at + 1);
    if (next == '\0' || base::IsSpace(next) || next == '"' || next == ')' || next == '\'') return at;
  }
  return flat_.size();
}

std::size_t FlatText::WordEnd(std::size_t at) const {
  while (base::IsLetter(At(at))) ++at;
  return at;
}

bool FlatText::IsNumberInWords(std::size_t at, std::size_t end) const {
  if (!base::Contains(kNumbers, small_.substr(at, end - at))) return false;
  std::size_t before = at;
  while (before > 0 && flat_[before - 1] == ' ') --before;
  if (before == 0 || flat_[before - 1] == ':' || flat_[before - 1] == '\n') return true;
  if (before == at) return flat_[at - 1] == '-';  // forty-two
  std::size_t begin = before;
  while (begin > 0 && base::IsLetter(flat_[begin - 1])) --begin;
  return base::Contains(kBeforeNumbers, small_.substr(begin, before - begin));
}

bool FlatText::StartsValue(std::size_t at) const {
  constexpr std::size_t kMostBrackets = 8;
  const std::size_t first = at;
  while (at - first < kMostBrackets && At(at) != '\0' &&
         std::string_view("([{|").find(At(at)) != std::string_view::npos)
    ++at;
  const char c = At(at);
  if (at > first && c == '-') return true;
  if (c == kFormula || base::IsDigit(c)) return true;
  if (c == '-' || c == '+' || c == '.' || c == '$')
    return base::IsDigit(At(at + 1)) || At(at + 1) == '\\' || At(at + 1) == '$' ||
           (c != '.' && base::IsLetter(At(at + 1)) && WordEnd(at + 1) == at + 2);
  if (c == '\\') return base::IsLetter(At(at + 1)) || At(at + 1) == '{' || At(at + 1) == '$';
  if (base::IsLetter(c)) {
    const std::size_t end = WordEnd(at);
    if (end - at > 1) return base::Contains(kFunctions, small_.substr(at, end - at)) || IsNumberInWords(at, end);
    if ((c == 'a' || c == 'A' || c == 'I') && At(end) == ' ' && base::IsLetter(At(end + 1)) &&
        WordEnd(end + 1) > end + 2)
      return false;
    return At(end) != '\'';
  }
  return SignLength(std::string_view(flat_).substr(std::min(at, flat_.size()))) > 0;
}

// The end of one more token of a value that began at `begin`; `at` where the value ends.
std::size_t FlatText::ValueTokenEnd(std::size_t at, std::size_t begin) const {
  const char c = At(at);
  const auto after_spaces = [&](std::size_t from) {
    while (At(from) == ' ') ++from;
    return from;
  };
  if (c == '\0' || c == '\n') return at;
  if (c == ' ' || c == '\t') return at + 1;
  if (base::IsLetter(c)) {
    const std::size_t end = WordEnd(at);
    const std::string word = small_.substr(at, end - at);
    if (word == "and" || word == "or") return at > begin && StartsValue(after_spaces(end)) ? end : at;
    if (StartsValue(at)) return end;
    const bool attached = at > begin && (base::IsDigit(flat_[at - 1]) ||
                                         std::string_view("+-*/^_=()").find(flat_[at - 1]) != std::string_view::npos);
    return attached && end - at < 3 ? end : at;
  }
  if (c == ',' || c == ';') {
    const std::size_t next = after_spaces(at + 1);
    const bool joined = small_.compare(next, 4, "and ") == 0 || small_.compare(next, 3, "or ") == 0;
    return StartsValue(joined ? after_spaces(WordEnd(next)) : next) ? at + 1 : at;
  }
  if (c == '\\') {
    const std::size_t end = std::max(WordEnd(at + 1), std::min(at + 2, flat_.size()));
    if (!base::Contains(kFormattingCommands, std::string_view(flat_).substr(at, end - at)) || At(end) != '{')
      return end;
    return std::max(GroupEnd(flat_, end), end);
  }
  if (c == '.' || c == ':') return base::IsDigit(At(at + 1)) ? at + 1 : at;
  if (c == '!') return At(at + 1) == '\0' || base::IsSpace(At(at + 1)) ? at : at + 1;
  if (c == '-') return At(at + 1) == ' ' && !StartsValue(after_spaces(at + 1)) ? at : at + 1;
  if (c == '(' || c == '[') return StartsValue(after_spaces(at + 1)) ? at + 1 : at;
  if (c == kFormula || base::IsDigit(c) || std::string_view("+*/^_=<>)]{}|%&~'$").find(c) != std::string_view::npos)
    return at + 1;
  return at + SignLength(std::string_view(flat_).substr(at));
}

std::size_t FlatText::ValueEnd(std::size_t at) const {
  if (!StartsValue(at)) return at;
  std::size_t end = at;
  std::size_t reach = at;  // the end without spaces behind
  for (std::size_t next = ValueTokenEnd(end, at); next != end; next = ValueTokenEnd(end, at)) {
    if (!base::IsSpace(flat_[next - 1])) reach = next;
    end = next;
  }
  return reach;
}

}  // namespace autodidact::answers
