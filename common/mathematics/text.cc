#include "mathematics/text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"

namespace autodidact::mathematics {
namespace {

using Replacement = std::pair<std::string_view, std::string_view>;

// Characters of other alphabets as the LaTeX that they stand for.
constexpr Replacement kUnicode[] = {
    {"\u2212", "-"},
    {"\u2013", "-"},
    {"\u00d7", "\\times "},
    {"\u00b7", "\\cdot "},
    {"\u22c5", "\\cdot "},
    {"\u00f7", "/"},
    {"\u03c0", "\\pi "},
    {"\u03b8", "\\theta "},
    {"\u03b1", "\\alpha "},
    {"\u03b2", "\\beta "},
    {"\u221a", "\\sqrt "},
    {"\u221b", "\\sqrt[3] "},
    {"\u2248", "\\approx "},
    {"\u221e", "\\infty "},
    {"\u00b0", "\\degree "},
    {"\u2264", "\\le "},
    {"\u2265", "\\ge "},
    {"\u2260", "\\ne "},
    {"\u222a", "\\cup "},
    {"\u2229", "\\cap "},
    {"\u2208", "\\in "},
    {"\u00b1", "\\pm "},
    {"\u00bd", "\\frac12 "},
    {"\u00bc", "\\frac14 "},
    {"\u00be", "\\frac34 "},
    {"\u2153", "\\frac13 "},
    {"\u2154", "\\frac23 "},
    {"\u2155", "\\frac15 "},
    {"\u2156", "\\frac25 "},
    {"\u2157", "\\frac35 "},
    {"\u2158", "\\frac45 "},
    {"\u2159", "\\frac16 "},
    {"\u215a", "\\frac56 "},
    {"\u215b", "\\frac18 "},
    {"\u215c", "\\frac38 "},
    {"\u215d", "\\frac58 "},
    {"\u215e", "\\frac78 "},
    {"\u2044", "/"},
    {"\u2215", "/"},
    {"\u2014", "-"},
    {"\u2217", "*"},
    {"\u2022", "\\cdot "},
    {"\u221c", "\\sqrt[4] "},
    {"\u230a", "\\lfloor "},
    {"\u230b", "\\rfloor "},
    {"\u2308", "\\lceil "},
    {"\u2309", "\\rceil "},
    {"\u27e8", "\\langle "},
    {"\u27e9", "\\rangle "},
    {"\u2228", "\\lor "},
    {"\u2227", "\\land "},
    {"\u2216", "\\setminus "},
    {"\u2261", "\\equiv "},
    {"\u2220", "\\angle "},
    {"\u25b3", "\\triangle "},
    {"\u2032", "'"},
    {"\u2019", "'"},
    {"\u2026", "\\ldots "},
    {"\u2124", "\\mathbb{Z}"},
    {"\u2115", "\\mathbb{N}"},
    {"\u2102", "\\mathbb{C}"},
    {"\u211a", "\\mathbb{Q}"},
    {"\u03b3", "\\gamma "},
    {"\u03bb", "\\lambda "},
    {"\u03c6", "\\phi "},
    {"\u03c9", "\\omega "},
    {"\u00a5", "\\text{yen}"},
    {"\u20b9", "\\text{rupee}"},
    {"\u00a2", "\\text{ cent}"},
    {"\u202f", " "},
    {"\u2061", ""},
    {"\u200b", ""},
    {"\ufeff", ""},
    {"\uff0c", ","},
    {"\uff1a", ":"},
    {"\uff08", "("},
    {"\uff09", ")"},
    {"...", "\\ldots "},
    {"per cent", "percent"},
    {"^{\\prime}", "'"},
    {"\\not=", "\\ne "},
    {"\\not =", "\\ne "},
    {"^\\prime", "'"},
    {"a.m.", "am"},
    {"p.m.", "pm"},
    {" a.m", " am"},
    {" p.m", " pm"},
    {"A.M.", "AM"},
    {"P.M.", "PM"},
    {"\u2205", "\\emptyset "},
    {"\u211d", "\\mathbb{R}"},
    {"\u00a0", " "},
    {"\u2009", " "},
    {"**", "^"},
    {"<=", "\\le "},
    {">=", "\\ge "},
    {"!=", "\\ne "},
    {"\u20ac", "\\text{euro}"},
    {"\u00a3", "\\text{pound}"},
};

// Raised and lowered characters, with what they are on the line.
constexpr Replacement kRaised[] = {{"\u2070", "0"}, {"\u00b9", "1"}, {"\u00b2", "2"}, {"\u00b3", "3"}, {"\u2074", "4"},
                                   {"\u2075", "5"}, {"\u2076", "6"}, {"\u2077", "7"}, {"\u2078", "8"}, {"\u2079", "9"},
                                   {"\u207b", "-"}, {"\u207a", "+"}, {"\u207f", "n"}, {"\u02e3", "x"}, {"\u1d4f", "k"}};
constexpr Replacement kLowered[] = {{"\u2080", "0"}, {"\u2081", "1"}, {"\u2082", "2"}, {"\u2083", "3"},
                                    {"\u2084", "4"}, {"\u2085", "5"}, {"\u2086", "6"}, {"\u2087", "7"},
                                    {"\u2088", "8"}, {"\u2089", "9"}, {"\u2099", "n"}};

bool StripPair(std::string_view& text, std::string_view open, std::string_view close) {
  if (text.size() < open.size() + close.size() || !text.starts_with(open) || !text.ends_with(close)) return false;
  const std::string_view inside = text.substr(open.size(), text.size() - open.size() - close.size());
  // An escaped dollar sign is a currency, and no end of the formula.
  const bool is_dollar = open.front() == '$';
  if (is_dollar && inside.ends_with('\\')) return false;
  for (const std::string_view mark : {open, close}) {
    for (std::size_t at = inside.find(mark); at != std::string_view::npos; at = inside.find(mark, at + 1)) {
      if (!is_dollar || at == 0 || inside[at - 1] != '\\') return false;
    }
  }
  text = base::Trim(inside);
  return true;
}

bool StripBox(std::string_view& text, std::string_view box) {
  if (!text.starts_with(box) || !text.ends_with("}")) return false;
  std::size_t depth = 0;
  for (std::size_t i = box.size() - 1; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0 && i + 1 != text.size()) return false;
  }
  text = base::Trim(text.substr(box.size(), text.size() - box.size() - 1));
  return true;
}

// "\\mathbf{A}" and "\\mathbf{(A)}" as a choice.
bool StripBoldLetter(std::string_view& text) {
  constexpr std::string_view kBold = "\\mathbf{";
  if (!text.starts_with(kBold) || !text.ends_with("}")) return false;
  std::string_view inside = text.substr(kBold.size(), text.size() - kBold.size() - 1);
  if (inside.size() == 3 && inside.front() == '(' && inside.back() == ')') inside = inside.substr(1, 1);
  if (inside.size() != 1 || inside[0] < 'A' || inside[0] > 'J') return false;
  text = inside;
  return true;
}

// Formulas among words ("$28$ percent", "$1$ or $2$") without the signs around them; one sign alone is a currency.
std::string WithoutDollars(std::string_view text) {
  const auto is_sign = [&](std::size_t at) { return text[at] == '$' && (at == 0 || text[at - 1] != '\\'); };
  std::size_t signs = 0;
  for (std::size_t at = 0; at < text.size(); ++at) signs += is_sign(at) ? 1 : 0;
  std::string plain(text);
  if (signs == 0 || signs % 2 != 0) return plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_sign(at)) plain[at] = ' ';
  }
  return plain;
}

// Runs of raised characters as "^{…}", one alone as "^2".
template <class Table>
std::string WithScripts(std::string_view text, const Table& table, std::string_view mark) {
  std::string result;
  std::size_t run = 0;  // where the run began in the result; 0 outside
  const auto end_run = [&] {
    if (run != 0 && result.size() - run == 1) {
      result.erase(run - 1, 1);
    } else if (run != 0) {
      result.push_back('}');
    }
    run = 0;
  };
  while (!text.empty()) {
    const auto found = std::find_if(std::begin(table), std::end(table),
                                    [&](const Replacement& entry) { return text.starts_with(entry.first); });
    const bool is_script = found != std::end(table);
    if (is_script && run == 0) {
      result += mark;
      run = result.size();
    } else if (!is_script) {
      end_run();
    }
    result += is_script ? found->second : text.substr(0, 1);
    text.remove_prefix(is_script ? found->first.size() : 1);
  }
  end_run();
  return result;
}

// "(mod 7)" and "(\\bmod 7)" as "\\pmod{7}".
std::string WithModulus(std::string text) {
  for (const std::string_view start : {"(mod ", "(\\bmod ", "(\\mod ", "(\\text{mod }", "(\\mathrm{mod}"}) {
    const std::size_t at = text.find(start);
    const std::size_t end = at == std::string::npos ? at : text.find(')', at);
    if (end == std::string::npos) continue;
    const std::string modulus(base::Trim(std::string_view(text).substr(at + start.size(), end - at - start.size())));
    text.replace(at, end + 1 - at, "\\pmod{" + modulus + "}");
  }
  return text;
}

// "<1, 2>" as a vector.
std::string WithAngles(std::string text) {
  const bool is_vector =
      text.size() > 2 && text.front() == '<' && text.back() == '>' && text.find(',') != std::string::npos;
  if (!is_vector) return text;
  return "\\langle " + text.substr(1, text.size() - 2) + "\\rangle ";
}

}  // namespace

std::string_view WithoutWrapping(std::string_view text) {
  text = base::Trim(text);
  for (const std::string_view word : {"Option ", "option ", "Choice ", "choice ", "either ", "Either ", "= ",
                                      "\\therefore ", "\\Rightarrow ", "\\implies "}) {
    if (text.starts_with(word)) text = base::Trim(text.substr(word.size()));
  }
  for (bool changed = true; changed;) {
    changed = StripPair(text, "$$", "$$") || StripPair(text, "$", "$") || StripPair(text, "\\(", "\\)") ||
              StripPair(text, "\\[", "\\]") || StripPair(text, "**", "**") || StripPair(text, "__", "__") ||
              StripPair(text, "*", "*") || StripPair(text, "`", "`") || StripPair(text, "\"", "\"") ||
              StripPair(text, "\\begin{equation}", "\\end{equation}") ||
              StripPair(text, "\\begin{equation*}", "\\end{equation*}") ||
              StripPair(text, "\\begin{displaymath}", "\\end{displaymath}") || StripBoldLetter(text) ||
              StripBox(text, "\\boxed{") || StripBox(text, "\\fbox{");
    if (text.size() == 2 && base::IsLetter(text[0]) && text[1] == ')') text.remove_suffix(1);  // a choice: "A)"
    while (text.size() > 1 && (text.back() == '.' || text.back() == ',' || text.back() == ';') &&
           !text.ends_with("\\right.") && !text.ends_with("\\,") && !text.ends_with("\\;") && !text.ends_with("..")) {
      text = base::Trim(text.substr(0, text.size() - 1));
      changed = true;
    }
  }
  return text;
}

std::string PlainMathematics(std::string_view text) {
  std::string plain = WithoutDollars(WithoutWrapping(text));
  if (std::any_of(plain.begin(), plain.end(), [](char c) { return (c & 0x80) != 0; })) {
    plain = WithScripts(WithScripts(plain, kRaised, "^{"), kLowered, "_{");
    for (const auto& [from, to] : kUnicode) {
      if ((from.front() & 0x80) != 0) plain = base::ReplaceAll(plain, from, to);
    }
  }
  for (const auto& [from, to] : kUnicode) {
    if ((from.front() & 0x80) == 0) plain = base::ReplaceAll(plain, from, to);
  }
  return WithAngles(WithModulus(std::move(plain)));
}

}  // namespace autodidact::mathematics
