#include "mathematics/tokens.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "mathematics/names.h"
#include "mathematics/text.h"

namespace autodidact::mathematics {
namespace {

using Replacement = std::pair<std::string_view, std::string_view>;

// Commands that change how something looks and not what it is.
constexpr std::string_view kInvisible[] = {
    "left",         "right",     "big",   "Big",   "bigg",   "Bigg",  "bigl",       "bigr",      "Bigl",      "Bigr",
    "displaystyle", "textstyle", "quad",  "qquad", "limits", "hfill", "space",      "thinspace", "hspace",    "rm",
    "bf",           "it",        "hline", "boxed", "fbox",   "bm",    "boldsymbol", "pmb",       "underline", "large",
    "Large",        "LARGE",     "huge",  "Huge",  "small",  "tiny",  "normalsize", "mathstrut", "nolimits"};

// Commands that print nothing of the group that follows.
constexpr std::string_view kSilent[] = {"color", "textcolor", "phantom", "hphantom", "vphantom", "label"};

constexpr std::string_view kTextCommands[] = {"text",   "mbox",   "textbf",     "textit", "mathrm",       "textrm",
                                              "mathit", "textsf", "textnormal", "texttt", "operatorname", "hbox"};

// Names that are read as commands although nothing marks them.
constexpr std::string_view kPlainNames[] = {"sin",    "cos",   "tan",  "cot",   "sec",    "csc", "arcsin", "arccos",
                                            "arctan", "sinh",  "cosh", "tanh",  "ln",     "log", "lg",     "exp",
                                            "sqrt",   "gcd",   "lcm",  "max",   "min",    "abs", "pi",     "infty",
                                            "theta",  "alpha", "beta", "gamma", "lambda", "phi", "omega",  "sigma",
                                            "frac",   "floor", "ceil", "cis",   "arccot", "cbrt"};

// What a word after a number multiplies it with.
constexpr Replacement kNumberWords[] = {
    {"hundred", "100"},        {"thousand", "1000"},          {"million", "1000000"},
    {"billion", "1000000000"}, {"trillion", "1000000000000"}, {"dozen", "12"}};

constexpr std::string_view kDoubledCommands[] = {"frac",  "dfrac", "tfrac", "sqrt",  "text", "pi",     "cdot",
                                                 "times", "left",  "right", "infty", "circ", "mathrm", "pm"};

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
    if (base::IsSpace(c) || c == '~') {
      space_ = true;
      ++at_;
    } else if (c == '\\') {
      Command();
    } else if (base::IsDigit(c) || (c == '.' && base::IsDigit(Peek(1)))) {
      Number();
    } else if (base::IsLetter(c)) {
      Letters();
    } else {
      Push(TokenKind::kSymbol, std::string(1, c));
      ++at_;
    }
  }

  void Command() {
    const char next = Peek(1);
    if (!base::IsLetter(next)) {
      EscapedCharacter(next);
      return;
    }
    std::size_t end = at_ + 1;
    while (end < text_.size() && base::IsLetter(text_[end])) ++end;
    const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end;
    if (name == "left" || name == "right") {
      if (Peek(0) == '.') ++at_;  // an invisible bracket
      if (name == "left" && OpensBrace()) at_ += 2;
      return;
    }
    if (base::Contains(kSilent, name)) {
      Group();
      return;
    }
    if (name == "lor" || name == "vee" || name == "land" || name == "wedge") {
      Push(TokenKind::kText, name == "lor" || name == "vee" ? "or" : "and");
      return;
    }
    if (base::Contains(kInvisible, name)) return;
    if (base::Contains(kTextCommands, name)) {
      Words(name, Group());
      return;
    }
    PushCommand(name);
  }

  // "\\left\\{ … \\right.": a brace that stands before equations and belongs to no set.
  bool OpensBrace() const {
    if (Peek(0) != '\\' || Peek(1) != '{') return false;
    const std::size_t open_end = text_.find("\\right.", at_), set_end = text_.find("\\right\\}", at_);
    return open_end < set_end;
  }

  void PushCommand(std::string_view name) {
    if (name == "cbrt") {
      Push(TokenKind::kCommand, "\\sqrt");
      for (const char* const part : {"[", "3", "]"}) {
        Push(*part == '3' ? TokenKind::kNumber : TokenKind::kSymbol, part);
      }
      return;
    }
    const std::string_view canonical = CanonicalCommand(name);
    if (base::IsLetter(canonical.front()) || canonical == "{" || canonical == "}") {
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
        } else if (base::IsLetter(Peek(0)) && HasEquation()) {
          Push(TokenKind::kSymbol, ",");
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

  bool HasEquation() const {
    return std::any_of(tokens_.begin(), tokens_.end(), [](const MathToken& token) { return token.text == "="; });
  }

  bool StartsCommand() const {
    std::size_t end = at_;
    while (end < text_.size() && base::IsLetter(text_[end])) ++end;
    return base::Contains(kDoubledCommands, text_.substr(at_, end - at_));
  }

  // The contents of the braces that follow (nested ones included), or the next character.
  std::string_view Group() {
    while (at_ < text_.size() && (base::IsSpace(text_[at_]) || text_[at_] == '*')) ++at_;
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
    const std::string plain = base::ReplaceAll(raw, has_amount ? "\\$" : "$", has_amount ? "$" : "");
    std::string words = base::FoldSpaces(base::ReplaceAll(base::ReplaceAll(plain, "\\ ", " "), "~", " "));
    if (base::Contains(kPlainNames, words) || CanonicalCommand(words) == "infty") {
      PushCommand(words);
    } else if (!words.empty() && (base::IsDigit(words[0]) || words[0] == '$')) {
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

  bool AfterNumber() const { return !tokens_.empty() && tokens_.back().kind == TokenKind::kNumber; }
  bool AfterText() const { return !tokens_.empty() && tokens_.back().kind == TokenKind::kText; }

  // "million" and the like after a number, without what follows them.
  void TakeNumberWord(std::string_view& words) {
    if (!AfterNumber()) return;
    const std::string_view first = words.substr(0, words.find(' '));
    for (const auto& [word, factor] : kNumberWords) {
      if (first != word) continue;
      Push(TokenKind::kSymbol, "*");
      Push(TokenKind::kNumber, std::string(factor));
      words = base::Trim(words.substr(first.size()));
      return;
    }
  }

  // Words with commas between them are a list.
  void PushWords(std::string_view words) {
    TakeNumberWord(words);
    for (std::size_t begin = 0; begin <= words.size();) {
      const std::size_t end = std::min(words.find(',', begin), words.size());
      if (const std::string_view item = base::Trim(words.substr(begin, end - begin)); !item.empty()) {
        Push(TokenKind::kText, std::string(item));
      }
      if (end < words.size()) Push(TokenKind::kSymbol, ",");
      begin = end + 1;
    }
  }

  void Letters() {
    std::size_t end = at_;
    while (end < text_.size() && base::IsLetter(text_[end])) ++end;
    const std::string_view run = text_.substr(at_, end - at_);
    if (run == "min" && AfterNumber()) {
      at_ = end;
      Push(TokenKind::kText, std::string(run));
    } else if (base::Contains(kPlainNames, run) || CanonicalCommand(run) == "infty" || run == "degrees" ||
               run == "degree") {
      at_ = end;
      PushCommand(run);
    } else if (IsTimes(run, end)) {
      at_ = end;
      Push(TokenKind::kSymbol, "*");
    } else if (IsUnion(run, end)) {
      at_ = end;
      Push(TokenKind::kCommand, "\\cup");
    } else if (IsWord(run)) {
      at_ = end;
      std::string_view word = run;
      TakeNumberWord(word);
      if (!word.empty()) Push(TokenKind::kText, std::string(word));
    } else {
      for (; at_ < end; ++at_) Push(TokenKind::kLetter, std::string(1, text_[at_]));
    }
  }

  bool AfterUnitAndSlash() const {
    const std::size_t count = tokens_.size();
    return count >= 2 && tokens_[count - 1].text == "/" && tokens_[count - 2].kind == TokenKind::kText;
  }

  char NextSign(std::size_t place) const {
    while (place < text_.size() && base::IsSpace(text_[place])) ++place;
    return place < text_.size() ? text_[place] : '\0';
  }
  // The x of "1.5 x 10^3".
  bool IsTimes(std::string_view run, std::size_t end) const {
    if ((run != "x" && run != "X") || !AfterNumber()) return false;
    const std::string_view rest = base::Trim(text_.substr(end));
    return rest.starts_with("10^") || rest.starts_with("10**");
  }
  // The U of "(1,2) U (3,4)".
  bool IsUnion(std::string_view run, std::size_t end) const {
    if (run != "U" || tokens_.empty()) return false;
    const std::string& before = tokens_.back().text;
    const char next = NextSign(end);
    return (before == ")" || before == "]" || before == "\\}") && (next == '(' || next == '[' || next == '\\');
  }

  // Longer runs of letters are words; shorter ones products of variables, but for units after a number.
  bool IsWord(std::string_view run) const {
    static constexpr std::string_view kShort[] = {"or", "and"};
    if ((run == "to" && AfterNumber()) || (run == "per" && AfterText())) return true;
    static constexpr std::string_view kUnits[] = {"cm",  "mm", "km",  "kg",  "ft", "mi",  "mph", "lbs", "lb",
                                                  "hrs", "hr", "min", "sec", "mL", "ml",  "oz",  "in",  "am",
                                                  "pm",  "AM", "PM",  "pct", "sq", "USD", "mol", "Hz"};
    if (run.size() >= 4 || base::Contains(kShort, run)) return true;
    if ((AfterNumber() || AfterText() || AfterUnitAndSlash()) && base::Contains(kUnits, run)) return true;
    // One letter is a unit where a space stands before it and nothing but more of the unit behind.
    static constexpr std::string_view kLetterUnits[] = {"m", "g", "s", "h", "L", "J", "N", "W", "V"};
    const char next = NextSign(at_ + run.size());
    const bool ends = next == '\0' || next == '/' || next == '^' || next == ',' || next == '.';
    return base::Contains(kLetterUnits, run) && ends && (AfterUnitAndSlash() || (AfterNumber() && space_));
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
      if (base::IsDigit(Peek(1))) {
        digits.push_back('.');
        ++at_;
        TakeDigits(digits);
      } else if (RepeatingLength(at_ + 1) > 0 || (Peek(1) == '(' && base::IsDigit(Peek(2)))) {
        digits.push_back('.');
        ++at_;
      } else if (!base::IsLetter(Peek(1))) {
        ++at_;  // "5."
      }
    }
    if (digits.front() == '.') digits.insert(0, "0");
    TakeRepeating(digits);
    TakeExponent(digits);
    Push(TokenKind::kNumber, std::move(digits));
  }

  void TakeDigits(std::string& digits) {
    while (at_ < text_.size() && base::IsDigit(text_[at_])) digits.push_back(text_[at_++]);
  }

  // The length of a thousands separator here: three digits and no fourth must follow, one to three must come before.
  std::size_t SeparatorLength() const {
    std::size_t begin = at_;
    while (begin > 0 && base::IsDigit(text_[begin - 1])) --begin;
    if (at_ == begin || at_ - begin > 3) return 0;
    if (begin > 0 && text_[begin - 1] == '.') return 0;
    static constexpr std::string_view kAlways[] = {"{,}\\!", "{,}",    ",\\!\\!", ",\\! ", ",\\!",
                                                   "\\,",    "{,}\\,", "\\ ",     "~",     "'"};
    const std::string_view rest = text_.substr(at_);
    for (const std::string_view separator : kAlways) {
      if (rest.starts_with(separator) && ThreeDigitsAt(at_ + separator.size())) return separator.size();
    }
    if (thousands_ && (Peek(0) == ',' || Peek(0) == ' ' || Peek(0) == '_') && ThreeDigitsAt(at_ + 1)) return 1;
    return 0;
  }

  bool ThreeDigitsAt(std::size_t place) const {
    if (place + 3 > text_.size()) return false;
    if (!base::IsDigit(text_[place]) || !base::IsDigit(text_[place + 1]) || !base::IsDigit(text_[place + 2]))
      return false;
    return place + 3 == text_.size() || !base::IsDigit(text_[place + 3]);
  }

  // The length of the command that marks repeating digits, brace included; 0 when there is none.
  std::size_t RepeatingLength(std::size_t place) const {
    for (const std::string_view mark : {"\\overline{", "\\bar{", "\\dot{"}) {
      if (text_.substr(std::min(place, text_.size())).starts_with(mark)) return mark.size();
    }
    return 0;
  }

  // "0.1\overline{6}" as "0.1(6)", "0.\dot1\dot2" as "0.(12)", "0.(3)" as it stands.
  void TakeRepeating(std::string& digits) {
    if (digits.find('.') == std::string::npos) return;
    if (digits.back() == '.' && Peek(0) == '(') {
      TakeMarked(digits, 1, ')');
    } else if (text_.substr(at_).starts_with("\\ldots")) {
      TakeDots(digits);
    } else if (RepeatingLength(at_) > 0) {
      const bool dotted = text_.substr(at_).starts_with("\\dot");
      TakeMarked(digits, RepeatingLength(at_), '}');
      if (dotted) TakeSecondDot(digits);
    }
  }

  void TakeMarked(std::string& digits, std::size_t mark, char close) {
    std::size_t end = at_ + mark;
    const std::size_t begin = end;
    while (end < text_.size() && base::IsDigit(text_[end])) ++end;
    if (end == begin || end == text_.size() || text_[end] != close) return;
    digits.append("(").append(text_.substr(begin, end - begin)).append(")");
    at_ = end + 1;
  }

  // After the first dotted digit: those up to the next dotted one repeat too.
  void TakeSecondDot(std::string& digits) {
    std::size_t end = at_;
    while (end < text_.size() && base::IsDigit(text_[end])) ++end;
    const std::size_t mark = text_.substr(end).starts_with("\\dot{") ? RepeatingLength(end) : 0;
    if (mark == 0 || end + mark + 1 >= text_.size() || !base::IsDigit(text_[end + mark]) ||
        text_[end + mark + 1] != '}')
      return;
    digits.pop_back();
    digits.append(text_.substr(at_, end - at_)).append(text_.substr(end + mark, 1)).append(")");
    at_ = end + mark + 2;
  }

  // How often digits must have been written before they go on.
  static std::size_t Times(std::size_t period) { return period < 3 ? 3 : 2; }

  // "0.1666…" as "0.1(6)".
  void TakeDots(std::string& digits) {
    const std::size_t point = digits.find('.');
    const std::string_view places = std::string_view(digits).substr(point + 1);
    for (std::size_t period = 1; period * Times(period) <= places.size() && period <= 6; ++period) {
      const std::string_view last = places.substr(places.size() - period);
      bool repeats = true;
      for (std::size_t time = 2; time <= Times(period); ++time) {
        repeats = repeats && places.substr(places.size() - time * period, period) == last;
      }
      if (!repeats) continue;
      const std::string repeating(last);
      digits.resize(digits.size() - Times(period) * period);
      digits.append("(").append(repeating).append(")");
      at_ += std::string_view("\\ldots").size();
      return;
    }
  }

  void TakeExponent(std::string& digits) {
    if (Peek(0) != 'e' && Peek(0) != 'E') return;
    std::size_t end = at_ + 1;
    if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
    const std::size_t begin = end;
    while (end < text_.size() && base::IsDigit(text_[end])) ++end;
    if (end == begin || end - begin > 6 || (end < text_.size() && base::IsLetter(text_[end]))) return;
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

}  // namespace

std::vector<MathToken> Tokenize(std::string_view text, bool thousands) {
  const std::string plain = PlainMathematics(text);
  return Lexer(plain, thousands).Run();
}

}  // namespace autodidact::mathematics
