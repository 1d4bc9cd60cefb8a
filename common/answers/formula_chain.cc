#include "answers/formula_chain.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/strings.h"

namespace autodidact::answers {
namespace {

constexpr std::string_view kArrows[] = {"\\Rightarrow", "\\implies", "\\Longrightarrow", "\\therefore",
                                        "\\iff",        "\\to",      "\\Leftrightarrow", "\u21d2"};

std::string_view CommandAt(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && base::IsLetter(text[end])) ++end;
  return text.substr(at, std::max(end, std::min(at + 2, text.size())) - at);
}

// Where the marks that part a formula stand, outside of all brackets.
struct Marks {
  std::vector<std::size_t> equals;
  std::size_t after_arrow = 0;
  std::size_t approximate = std::string_view::npos;
  bool is_other = false;  // a list, an inequality, words
};

// "or", but not "AB", "xy" within a formula, or "sin".
bool IsWord(std::string_view run) {
  static constexpr std::string_view kShort[] = {"or", "if", "is", "to", "of", "in", "so"};
  static constexpr std::string_view kFunctions[] = {"sin",  "cos", "tan", "log", "exp",
                                                    "sqrt", "max", "min", "gcd", "lcm"};
  if (run.size() < 3) return base::Contains(kShort, run);
  const bool is_lower = std::any_of(run.begin(), run.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return is_lower && !base::Contains(kFunctions, run);
}

Marks MarksOf(std::string_view text) {
  static constexpr std::string_view kOther[] = {
      "\\le",   "\\ge",   "\\leq",      "\\geq",      "\\ne",  "\\neq",  "\\in",   "\\lt",    "\\gt", "\\pm",
      "\\text", "\\mbox", "\\leqslant", "\\geqslant", "\\cup", "\\pmod", "\\quad", "\\qquad", "\\lor"};
  Marks marks;
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\') {
      const std::string_view command = CommandAt(text, at);
      if (depth == 0) {
        if (base::Contains(kArrows, command)) {
          marks = {};
          marks.after_arrow = at + command.size();
        } else if (command == "\\approx") {
          marks.approximate = std::min(marks.approximate, at);
        } else if (base::Contains(kOther, command)) {
          marks.is_other = true;
        }
      }
      if (command == "\\begin" || command == "\\{") ++depth;
      if (command == "\\end" || command == "\\}") --depth;
      at += command.size() - 1;
    } else if (base::IsLetter(c)) {
      std::size_t end = at;
      while (end < text.size() && base::IsLetter(text[end])) ++end;
      marks.is_other = marks.is_other || (depth == 0 && IsWord(text.substr(at, end - at)));
      at = end - 1;
    } else if (c == '{' || c == '(' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ')' || c == ']') {
      --depth;
    } else if (depth == 0 && c == '=') {
      marks.equals.push_back(at);
    } else if (depth == 0 && (c == ',' || c == ';' || c == '<' || c == '>' || c == ':')) {
      marks.is_other = true;
    }
  }
  return marks;
}

// "a + b", "f(2)", "A_1": no number but in an index or an argument.
bool IsOfNames(std::string_view side) {
  bool has_name = false;
  int depth = 0;
  for (std::size_t at = 0; at < side.size(); ++at) {
    const char c = side[at];
    if (c == '_') {
      at += at + 1 < side.size() && side[at + 1] == '{' ? side.substr(at).find('}') : 1;
      if (at >= side.size()) break;
      continue;
    }
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (depth == 0 && base::IsDigit(c)) return false;
    has_name = has_name || base::IsLetter(c);
  }
  return has_name;
}

bool HasLetter(std::string_view side) {
  return std::any_of(side.begin(), side.end(), base::IsLetter);
}

std::string_view WithoutEnd(std::string_view text) {
  text = base::Trim(text);
  while (!text.empty() && (text.back() == '.' || text.back() == ',' || text.back() == ';') && !text.ends_with("\\,")) {
    text = base::Trim(text.substr(0, text.size() - 1));
  }
  return text;
}

// Without the arrows and spaces that a row begins with.
std::string_view WithoutLead(std::string_view row) {
  static constexpr std::string_view kSpaces[] = {"\\quad", "\\qquad", "\\ ", "\\,", "\\;", "\\:", "\\!"};
  for (bool changed = true; changed;) {
    row = base::Trim(row);
    changed = false;
    if (row.empty() || row[0] != '\\') break;
    const std::string_view command = CommandAt(row, 0);
    changed = base::Contains(kArrows, command) || base::Contains(kSpaces, command);
    if (changed) row.remove_prefix(command.size());
  }
  return row;
}

bool GoesOn(std::string_view row) {
  static constexpr std::string_view kSigns[] = {"=",       "+", "\\equiv", "\\approx", "\\cdot",
                                                "\\times", "<", ">",       "\\le",     "\\ge"};
  return std::any_of(std::begin(kSigns), std::end(kSigns),
                     [&](std::string_view sign) { return row.starts_with(sign); });
}

}  // namespace

std::optional<std::string> LastSide(std::string_view formula) {
  const std::string spelled =
      base::ReplaceAll(base::ReplaceAll(base::ReplaceAll(formula, "\\equiv", "="), ",\\!", ""), "{,}", "");
  Marks marks = MarksOf(spelled);
  if (marks.is_other) return std::nullopt;
  std::string_view chain = std::string_view(spelled).substr(0, std::min(marks.approximate, spelled.size()));
  std::vector<std::string_view> sides;
  std::size_t begin = marks.after_arrow;
  for (const std::size_t at : marks.equals) {
    if (at >= chain.size()) break;
    sides.push_back(base::Trim(chain.substr(begin, at - begin)));
    begin = at + 1;
  }
  if (begin > chain.size()) return std::nullopt;
  sides.push_back(WithoutEnd(chain.substr(begin)));
  if (sides.back().empty() || (sides.size() > 1 && sides.front() == sides.back())) return std::nullopt;
  if (sides.size() == 1) return marks.after_arrow > 0 ? std::optional(std::string(sides[0])) : std::nullopt;
  static constexpr std::string_view kToDo[] = {"\\int", "\\lim", "\\sum", "\\prod", "\\frac{d}"};
  const bool is_to_do = std::any_of(std::begin(kToDo), std::end(kToDo),
                                    [&](std::string_view command) { return sides[0].starts_with(command); });
  const bool is_calculation = sides.size() > 2 || is_to_do || IsOfNames(sides[0]);
  if (is_calculation) return std::string(sides.back());
  const bool is_conclusion = marks.after_arrow > 0 || !HasLetter(sides[0]);
  return is_conclusion ? std::optional(std::string(base::Trim(chain.substr(marks.after_arrow)))) : std::nullopt;
}

std::string LastRow(std::string_view text) {
  std::vector<std::string> rows(1);
  int inner = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      const std::string_view command = CommandAt(text, at);
      if (command == "\\begin") ++inner;
      if (command == "\\end") --inner;
      if (command == "\\\\" && inner == 0) {
        rows.emplace_back();
      } else {
        rows.back() += command;
      }
      at += command.size() - 1;
    } else if (text[at] != '&' || inner > 0) {
      rows.back() += text[at];
    }
  }
  std::string last;
  while (!rows.empty()) {
    const std::string row(WithoutLead(rows.back()));
    rows.pop_back();
    if (row.empty()) continue;
    last = last.empty() ? row : row + " " + last;
    if (!GoesOn(row)) break;
  }
  return std::string(base::Trim(last));
}

std::string WithoutDrawings(std::string_view text) {
  std::string plain(text);
  while (true) {
    const std::size_t begin = plain.find("[asy]");
    if (begin == std::string::npos) break;
    const std::size_t end = plain.find("[/asy]", begin);
    plain.erase(begin, end == std::string::npos ? end : end + 6 - begin);
  }
  for (const std::string_view mark : {"$\\blacksquare$", "$\\square$", "$\\Box$", "\\blacksquare", "\\qed", "\u220e",
                                      "\u25a0", "\u25a1", "QED", "Q.E.D."}) {
    const std::string_view trimmed = base::Trim(plain);
    if (trimmed.ends_with(mark)) plain = std::string(base::Trim(trimmed.substr(0, trimmed.size() - mark.size())));
  }
  return base::ReplaceAll(base::ReplaceAll(plain, "$\\therefore", "Therefore $"), "\u2234", "Therefore ");
}

}  // namespace autodidact::answers
