#include "answers/math_tokens.h"

#include <algorithm>
#include <array>
#include <utility>

#include "answers/text_util.h"

namespace autodidact::answers {
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
    {"\u00b2", "^2"},
    {"\u00b3", "^3"},
    {"\u00b1", "\\pm "},
    {"\u00bd", "\\frac12 "},
    {"\u00bc", "\\frac14 "},
    {"\u00be", "\\frac34 "},
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

// Commands that change how something looks and not what it is.
constexpr std::string_view kInvisible[] = {"left",   "right", "big",    "Big",   "bigg",         "Bigg",
                                           "bigl",   "bigr",  "Bigl",   "Bigr",  "displaystyle", "textstyle",
                                           "quad",   "qquad", "limits", "hfill", "space",        "thinspace",
                                           "hspace", "rm",    "bf",     "it",    "hline"};

constexpr std::string_view kTextCommands[] = {"text",   "mbox",   "textbf",     "textit", "mathrm",       "textrm",
                                              "mathit", "textsf", "textnormal", "texttt", "operatorname", "hbox"};

// Names that are read as commands although nothing marks them.
constexpr std::string_view kPlainNames[] = {
    "sin",  "cos",   "tan",   "cot",   "sec",  "csc",   "arcsin", "arccos", "arctan", "sinh",  "cosh",
    "tanh", "ln",    "log",   "lg",    "exp",  "sqrt",  "gcd",    "lcm",    "max",    "min",   "abs",
    "pi",   "infty", "theta", "alpha", "beta", "gamma", "lambda", "phi",    "omega",  "sigma", "frac"};

constexpr std::string_view kDoubledCommands[] = {"frac",  "dfrac", "tfrac", "sqrt",  "text", "pi",     "cdot",
                                                 "times", "left",  "right", "infty", "circ", "mathrm", "pm"};

// Commands that are other spellings of one that the parser knows.
std::string_view Canonical(std::string_view command) {
  static constexpr Replacement kSame[] = {{"dfrac", "frac"},
                                          {"tfrac", "frac"},
                                          {"cfrac", "frac"},
                                          {"leq", "le"},
                                          {"leqslant", "le"},
                                          {"geq", "ge"},
                                          {"geqslant", "ge"},
                                          {"neq", "ne"},
                                          {"lt", "<"},
                                          {"gt", ">"},
                                          {"ast", "*"},
                                          {"cdot", "*"},
                                          {"times", "*"},
                                          {"div", "/"},
                                          {"varnothing", "emptyset"},
                                          {"degrees", "degree"},
                                          {"lbrace", "{"},
                                          {"rbrace", "}"},
                                          {"lbrack", "["},
                                          {"rbrack", "]"},
                                          {"infinity", "infty"},
                                          {"inf", "infty"},
                                          {"dbinom", "binom"},
                                          {"tbinom", "binom"},
                                          {"vert", "|"},
                                          {"mid", "|"},
                                          {"colon", ":"},
                                          {"asin", "arcsin"},
                                          {"acos", "arccos"},
                                          {"atan", "arctan"},
                                          {"dots", "ldots"},
                                          {"cdots", "ldots"},
                                          {"varphi", "phi"},
                                          {"backslash", "setminus"},
                                          {"smallsetminus", "setminus"},
                                          {"lparen", "("},
                                          {"rparen", ")"},
                                          {"epsilon", "varepsilon"}};
  for (const auto& [from, to] : kSame) {
    if (command == from) return to;
  }
  return command;
}

class Lexer {
 public:
  Lexer(std::string_view text, bool thousands)
      : text_(text), thousands_(thousands), has_rows_(text.find("\\begin") != std::string_view::npos) {}

  std::vector<MathToken> Run() {
    while (at_ < text_.size()) Next();
    Push(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  void Push(TokenKind kind, std::string text) {
    tokens_.push_back({kind, std::move(text), space_});
    space_ = false;
  }
  char Peek(std::size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void Next() {
    const char c = text_[at_];
    if (IsSpace(c) || c == '~') {
      space_ = true;
      ++at_;
    } else if (c == '\\') {
      Command();
    } else if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) {
      Number();
    } else if (IsLetter(c)) {
      Letters();
    } else {
      Push(TokenKind::kSymbol, std::string(1, c));
      ++at_;
    }
  }

  void Command() {
    const char next = Peek(1);
    if (!IsLetter(next)) {
      EscapedCharacter(next);
      return;
    }
    std::size_t end = at_ + 1;
    while (end < text_.size() && IsLetter(text_[end])) ++end;
    const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end;
    if (name == "left" || name == "right") {
      if (Peek(0) == '.') ++at_;  // an invisible bracket
      return;
    }
    if (Contains(kInvisible, name)) return;
    if (Contains(kTextCommands, name)) {
      Words(name, Group());
      return;
    }
    PushCommand(name);
  }

  void PushCommand(std::string_view name) {
    const std::string_view canonical = Canonical(name);
    if (IsLetter(canonical.front())) {
      Push(TokenKind::kCommand, "\\" + std::string(canonical));
    } else if (canonical == "{" || canonical == "}") {
      Push(TokenKind::kCommand, "\\" + std::string(canonical));
    } else {
      Push(TokenKind::kSymbol, std::string(canonical));
    }
  }

  void EscapedCharacter(char c) {
    at_ += c == '\0' ? 1 : 2;
    switch (c) {
      case '\\':
        // Two backslashes before a command's name are one that was escaped, but where there are rows to separate.
        if (!has_rows_ && StartsCommand()) {
          --at_;
        } else if (has_rows_) {
          Push(TokenKind::kSymbol, "\\\\");
        }
        return;
      case '{':
      case '}':
        Push(TokenKind::kCommand, std::string("\\") + c);
        return;
      case '|':
      case '%':
      case '$':
        Push(TokenKind::kSymbol, std::string(1, c));
        return;
      case '!':
        return;
      default:
        space_ = true;  // \, \; \: and the like
    }
  }

  bool StartsCommand() const {
    std::size_t end = at_;
    while (end < text_.size() && IsLetter(text_[end])) ++end;
    return Contains(kDoubledCommands, text_.substr(at_, end - at_));
  }

  // The contents of the braces that follow (nested ones included), or the next character.
  std::string_view Group() {
    while (at_ < text_.size() && (IsSpace(text_[at_]) || text_[at_] == '*')) ++at_;
    if (Peek(0) != '{') {
      const std::size_t begin = at_;
      at_ = std::min(at_ + 1, text_.size());
      return text_.substr(begin, at_ - begin);
    }
    std::size_t depth = 0;
    const std::size_t begin = at_ + 1;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '{') ++depth;
      if (text_[at_] == '}' && --depth == 0) return text_.substr(begin, at_++ - begin);
    }
    return text_.substr(begin);
  }

  void Words(std::string_view command, std::string_view raw) {
    const bool has_amount = raw.find("\\$") != std::string_view::npos;
    const std::string plain = ReplaceAll(raw, has_amount ? "\\$" : "$", has_amount ? "$" : "");
    std::string words = Fold(ReplaceAll(ReplaceAll(plain, "\\ ", " "), "~", " "));
    if (Contains(kPlainNames, words)) {
      PushCommand(words);
    } else if (!words.empty() && (IsDigit(words[0]) || words[0] == '$')) {
      // A number that was set as text.
      for (MathToken& token : Lexer(words, thousands_).Run()) {
        if (token.kind != TokenKind::kEnd) tokens_.push_back(std::move(token));
      }
    } else if (command == "mathrm" && (words == "e" || words == "i")) {
      Push(TokenKind::kLetter, std::move(words));
    } else {
      PushWords(words);
    }
  }

  // Words with commas between them are a list.
  void PushWords(std::string_view words) {
    for (std::size_t begin = 0; begin <= words.size();) {
      const std::size_t end = std::min(words.find(',', begin), words.size());
      if (const std::string_view item = Trim(words.substr(begin, end - begin)); !item.empty()) {
        Push(TokenKind::kText, std::string(item));
      }
      if (end < words.size()) Push(TokenKind::kSymbol, ",");
      begin = end + 1;
    }
  }

  void Letters() {
    std::size_t end = at_;
    while (end < text_.size() && IsLetter(text_[end])) ++end;
    const std::string_view run = text_.substr(at_, end - at_);
    if (Contains(kPlainNames, run) || Canonical(run) == "infty" || run == "degrees" || run == "degree") {
      at_ = end;
      PushCommand(run);
    } else if (IsWord(run)) {
      at_ = end;
      Push(TokenKind::kText, std::string(run));
    } else {
      for (; at_ < end; ++at_) Push(TokenKind::kLetter, std::string(1, text_[at_]));
    }
  }

  // Longer runs of letters are words; shorter ones products of variables, but for units after a number.
  bool IsWord(std::string_view run) const {
    static constexpr std::string_view kShort[] = {"or", "and"};
    static constexpr std::string_view kUnits[] = {"cm", "mm",  "km", "kg",  "ft",  "mi", "mph", "lbs",
                                                  "lb", "hrs", "hr", "min", "sec", "mL", "ml",  "oz",
                                                  "in", "am",  "pm", "AM",  "PM",  "pct"};
    if (run.size() >= 4 || Contains(kShort, run)) return true;
    return !tokens_.empty() && tokens_.back().kind == TokenKind::kNumber && Contains(kUnits, run);
  }

  void Number() {
    std::string digits;
    TakeDigits(digits);
    while (true) {
      const std::size_t separator = SeparatorLength();
      if (separator == 0) break;
      at_ += separator;
      TakeDigits(digits);
    }
    if (Peek(0) == '.' && !(Peek(1) == '.')) {
      if (IsDigit(Peek(1))) {
        digits.push_back('.');
        ++at_;
        TakeDigits(digits);
      } else if (RepeatingLength(at_ + 1) > 0) {
        digits.push_back('.');
        ++at_;
      } else if (!IsLetter(Peek(1))) {
        ++at_;  // "5."
      }
    }
    if (digits.front() == '.') digits.insert(0, "0");
    TakeRepeating(digits);
    TakeExponent(digits);
    Push(TokenKind::kNumber, std::move(digits));
  }

  void TakeDigits(std::string& digits) {
    while (at_ < text_.size() && IsDigit(text_[at_])) digits.push_back(text_[at_++]);
  }

  // The length of a thousands separator here: three digits and no fourth must follow, one to three must come before.
  std::size_t SeparatorLength() const {
    std::size_t begin = at_;
    while (begin > 0 && IsDigit(text_[begin - 1])) --begin;
    if (at_ == begin || at_ - begin > 3) return 0;
    if (begin > 0 && text_[begin - 1] == '.') return 0;
    static constexpr std::string_view kAlways[] = {"{,}\\!", "{,}", ",\\!\\!", ",\\! ", ",\\!", "\\,", "{,}\\,"};
    const std::string_view rest = text_.substr(at_);
    for (const std::string_view separator : kAlways) {
      if (rest.starts_with(separator) && ThreeDigitsAt(at_ + separator.size())) return separator.size();
    }
    if (thousands_ && (Peek(0) == ',' || Peek(0) == ' ') && ThreeDigitsAt(at_ + 1)) return 1;
    return 0;
  }

  bool ThreeDigitsAt(std::size_t place) const {
    if (place + 3 > text_.size()) return false;
    if (!IsDigit(text_[place]) || !IsDigit(text_[place + 1]) || !IsDigit(text_[place + 2])) return false;
    return place + 3 == text_.size() || !IsDigit(text_[place + 3]);
  }

  // The length of the command that marks repeating digits, brace included; 0 when there is none.
  std::size_t RepeatingLength(std::size_t place) const {
    for (const std::string_view mark : {"\\overline{", "\\dot{"}) {
      if (text_.substr(std::min(place, text_.size())).starts_with(mark)) return mark.size();
    }
    return 0;
  }

  // "0.1\overline{6}" as "0.1(6)".
  void TakeRepeating(std::string& digits) {
    if (digits.find('.') == std::string::npos || RepeatingLength(at_) == 0) return;
    std::size_t end = at_ + RepeatingLength(at_);
    const std::size_t begin = end;
    while (end < text_.size() && IsDigit(text_[end])) ++end;
    if (end == begin || end == text_.size() || text_[end] != '}') return;
    digits += "(" + std::string(text_.substr(begin, end - begin)) + ")";
    at_ = end + 1;
  }

  void TakeExponent(std::string& digits) {
    if (Peek(0) != 'e' && Peek(0) != 'E') return;
    std::size_t end = at_ + 1;
    if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
    const std::size_t begin = end;
    while (end < text_.size() && IsDigit(text_[end])) ++end;
    if (end == begin || end - begin > 6 || (end < text_.size() && IsLetter(text_[end]))) return;
    digits += "e" + std::string(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end;
  }

  const std::string_view text_;
  const bool thousands_;
  const bool has_rows_;
  std::size_t at_ = 0;
  bool space_ = false;
  std::vector<MathToken> tokens_;
};

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
  text = Trim(inside);
  return true;
}

bool StripBox(std::string_view& text) {
  constexpr std::string_view kBox = "\\boxed{";
  if (!text.starts_with(kBox) || !text.ends_with("}")) return false;
  std::size_t depth = 0;
  for (std::size_t i = kBox.size() - 1; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0 && i + 1 != text.size()) return false;
  }
  text = Trim(text.substr(kBox.size(), text.size() - kBox.size() - 1));
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

}  // namespace

std::string_view WithoutWrapping(std::string_view text) {
  text = Trim(text);
  for (bool changed = true; changed;) {
    changed = StripPair(text, "$$", "$$") || StripPair(text, "$", "$") || StripPair(text, "\\(", "\\)") ||
              StripPair(text, "\\[", "\\]") || StripBox(text);
    while (text.size() > 1 && (text.back() == '.' || text.back() == ',') && !text.ends_with("\\right.") &&
           !text.ends_with("\\,") && !text.ends_with("..")) {
      text = Trim(text.substr(0, text.size() - 1));
      changed = true;
    }
  }
  return text;
}

std::vector<MathToken> Tokenize(std::string_view text, bool thousands) {
  std::string plain = WithoutDollars(WithoutWrapping(text));
  const bool ascii = std::all_of(plain.begin(), plain.end(), [](char c) { return (c & 0x80) == 0; });
  for (const auto& [from, to] : kUnicode) {
    if (ascii && (from.front() & 0x80) != 0) continue;
    plain = ReplaceAll(plain, from, to);
  }
  return Lexer(plain, thousands).Run();
}

}  // namespace autodidact::answers
