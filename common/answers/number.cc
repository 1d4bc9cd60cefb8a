#include "answers/number.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <vector>

#include "answers/markdown.h"
#include "answers/number_literal.h"
#include "answers/plain_text.h"
#include "base/strings.h"

namespace autodidact::answers {
namespace {

// That may be attached to a number.
constexpr std::string_view kUnits[] = {
    "mm",    "cm",   "m",   "km",  "in",    "inch",  "inches",  "ft",      "foot",  "feet",    "yd", "yards", "mi",
    "miles", "mg",   "g",   "kg",  "lb",    "lbs",   "oz",      "ml",      "mL",    "L",       "s",  "sec",   "secs",
    "min",   "mins", "h",   "hr",  "hrs",   "hours", "minutes", "seconds", "days",  "am",      "pm", "AM",    "PM",
    "st",    "nd",   "rd",  "th",  "units", "unit",  "meters",  "metres",  "Hz",    "kJ",      "kW", "MB",    "GB",
    "KB",    "TB",   "mph", "kmh", "cents", "USD",   "EUR",     "dollars", "euros", "degrees", "deg"};

// Words that make more of the number before them, or of the one after.
constexpr std::string_view kWordsAfter[] = {
    "plus",      "minus",  "times",      "divided",     "multiplied", "modulo", "mod",    "squared",  "cubed",
    "factorial", "dozen",  "halves",     "thirds",      "quarters",   "fifths", "sixths", "sevenths", "eighths",
    "ninths",    "tenths", "hundredths", "thousandths", "choose",     "sqrt",   "pi"};
constexpr std::string_view kWordsBefore[] = {"plus", "times", "mod", "modulo", "base", "sqrt",  "log",
                                             "ln",   "sin",   "cos", "tan",    "exp",  "choose"};

struct Magnitude {
  std::string_view word;
  int power;
};
constexpr Magnitude kMagnitudes[] = {{"hundred", 2}, {"thousand", 3}, {"million", 6},  {"millions", 6},
                                     {"billion", 9}, {"billions", 9}, {"trillion", 12}};

// Commands between which and a number there is nothing but words and signs of equality.
constexpr std::string_view kHarmless[] = {"\\to",    "\\rightarrow", "\\Rightarrow",     "\\implies",   "\\therefore",
                                          "\\quad",  "\\square",     "\\blacksquare",    "\\checkmark", "\\equals",
                                          "\\cents", "\\\\",         "\\longrightarrow", "\\iff",       "\\leadsto"};

// A number of the text, and whether it is a part of more.
struct Found {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string value;
  bool part = false;
};

class NumberReader : private NumberText {
 public:
  explicit NumberReader(std::string_view text) : NumberText(PlainSpelling(WithoutMarkdown(text))) {}

  using NumberText::text;

  std::vector<Found> Read() {
    std::vector<Found> found;
    for (at_ = 0; at_ < text_.size();) {
      if (SkipWord()) continue;
      const bool fraction = HasFractionAt(at_);
      if (!fraction && !StartsNumber(at_)) {
        at_ += text_[at_] == '\\' ? Command(at_).size() : 1;
        continue;
      }
      Found number = ReadNumber();
      if (IsPowerOfUnit(number.begin)) continue;
      if (IsNameSuffix(number.begin)) continue;
      number.part = number.part || PartByLeft(number) || PartByRight(number.end);
      if (!found.empty() && IsList(found.back().end, number.begin)) number.part = true;
      found.push_back(std::move(number));
    }
    return found;
  }

 private:
  // Names with digits in them ("A7", "v5.2.1", "x_2") hold no number; nor do words.
  bool SkipWord() {
    if (!base::IsLetter(At(at_)) && !(At(at_) == '_' && IsLetterOrDigit(At(at_ + 1)))) return false;
    bool digits = false;
    while (true) {
      while (IsLetterOrDigit(At(at_)) || At(at_) == '_') digits |= base::IsDigit(At(at_++));
      if (!digits || At(at_) != '.' || !IsLetterOrDigit(At(at_ + 1))) return true;
      ++at_;
    }
  }

  // What may stand after a literal and belongs to the number.
  void Continue(Found& number) {
    std::string& value = number.value;
    const bool integer = value.find_first_not_of("0123456789") == std::string::npos;
    if (const auto power = PowerOfTen(at_)) {
      value += "e" + *power;
      return;
    }
    if (At(at_) == '^' && DegreesEnd(at_) == at_) {
      const auto power = Exponent(at_);
      if (!power) {
        number.part = true;
      } else {
        value = value == "10" ? "1e" + *power : value + "^{" + *power + "}";
      }
      return;
    }
    std::size_t next = SpacesEnd(at_);
    if (integer && next > at_ - (At(at_) == '\\') && HasFractionAt(next)) {
      at_ = next;
      value += " " + *FractionAt(at_);
      return;
    }
    if (integer && next > at_ && base::IsDigit(At(next))) {  // 1 1/2
      const std::size_t above = DigitsEnd(next);
      const std::size_t below = DigitsEnd(above + 1);
      if (At(above) == '/' && below > above + 1 && At(below) != '/') {
        value += " " + text_.substr(next, below - next);
        at_ = below;
        return;
      }
    }
    if (At(next) == '/' && StartsNumber(SpacesEnd(next + 1))) {
      at_ = SpacesEnd(next + 1);
      value += "/" + Literal(at_, number.part);
      if (At(at_) == '/' && base::IsDigit(At(at_ + 1))) number.part = true;  // 1/2/2024
      return;
    }
    while (integer && At(at_) == ':' && base::IsDigit(At(at_ + 1))) {
      const std::size_t end = DigitsEnd(at_ + 1);
      value += text_.substr(at_, end - at_);
      at_ = end;
    }
  }

  void ContinueWithWords(Found& number) {
    if (DegreesEnd(SpacesEnd(at_)) != SpacesEnd(at_)) at_ = DegreesEnd(SpacesEnd(at_));
    const std::size_t next = SpacesEnd(at_);
    const std::string word = Word(next);
    const std::string& value = number.value;
    if (At(next) == '%') {
      number.value += "%";
      at_ = next + 1;
    } else if (word == "percent" || word == "per" || word == "pct") {
      const bool per_cent = word != "per" || Word(SpacesEnd(next + 3)) == "cent";
      if (!per_cent) return;
      number.value += "%";
      at_ = word == "per" ? SpacesEnd(next + 3) + 4 : next + word.size();
    } else if (value.find(':') != std::string::npos && (word == "pm" || word == "am")) {
      number.value = InDayHours(value, word == "pm");
      at_ = next + 2;
    } else {
      for (const Magnitude& magnitude : kMagnitudes) {
        if (word != magnitude.word) continue;
        if (value.find_first_not_of("0123456789.") != std::string::npos) number.part = true;
        number.value += "e" + std::to_string(magnitude.power);
        at_ = next + word.size();
      }
    }
  }

  static std::string InDayHours(const std::string& time, bool afternoon) {
    const std::size_t colon = time.find(':');
    int hours = colon > 2 ? 99 : std::stoi(time.substr(0, colon));
    if (hours > 12) return time;
    hours = hours % 12 + (afternoon ? 12 : 0);
    return std::to_string(hours) + time.substr(colon);
  }

  Found ReadNumber() {
    Found number;
    number.begin = at_;
    if (At(at_) == '\\') {
      number.value = *FractionAt(at_);
      if (At(at_) == '^') number.part = true;
    } else {
      number.value = Literal(at_, number.part);
      Continue(number);
    }
    ContinueWithWords(number);
    number.end = at_;
    return number;
  }

  // The place before `at` that is not a space or a dollar sign of its line, nor a brace or bracket that holds only the
  // number; one past it, 0 at the start.
  std::size_t Before(std::size_t at) const {
    while (at > 0 && (text_[at - 1] == ' ' || text_[at - 1] == '\t' || text_[at - 1] == '$')) --at;
    return at;
  }
  // The letters that end at `end`, with the backslash before them.
  std::string WordBefore(std::size_t end) const {
    std::size_t begin = end;
    while (begin > 0 && base::IsLetter(text_[begin - 1])) --begin;
    if (begin > 0 && text_[begin - 1] == '\\') --begin;
    return text_.substr(begin, end - begin);
  }

  // cm^2, m^{3}
  bool IsPowerOfUnit(std::size_t begin) const {
    std::size_t at = begin;
    if (at > 0 && text_[at - 1] == '{') --at;
    if (at == 0 || text_[at - 1] != '^') return false;
    const std::size_t end = Before(at - 1);
    const std::string word = WordBefore(end);
    const bool alone = end == word.size() || !IsLetterOrDigit(text_[end - word.size() - 1]);
    return base::Contains(kUnits, word) && (word.size() > 1 || (alone && end > word.size()));
  }

  // COVID-19
  bool IsNameSuffix(std::size_t begin) const {
    return begin > 1 && text_[begin - 1] == '-' && WordBefore(begin - 1).size() > 1 && WordBefore(begin - 1)[0] != '\\';
  }

  // Whether an operand ends before `at`: what comes after it is then an operator, not a sign.
  bool EndsOperand(std::size_t at) const {
    if (at == 0) return false;
    const char c = text_[at - 1];
    if (base::IsDigit(c) || c == ')' || c == ']' || c == '}' || c == '%') return true;
    const std::string word = WordBefore(at);
    if (word.empty()) return false;
    return word[0] == '\\' ? !base::Contains(kHarmless, word)
                           : word.size() == 1 && word != "a" && word != "A" && word != "I";
  }

  bool PartByLeft(Found& number) {
    std::size_t at = number.begin;
    bool negative = false;
    // The sign, with a dollar sign on either side.
    const std::size_t sign = Before(at);
    if (sign > 0 && (text_[sign - 1] == '-' || text_[sign - 1] == '+')) {
      const std::size_t before = Before(sign - 1);
      const bool attached = sign == at || text_[sign] == '$';
      if (EndsOperand(before)) return true;
      const bool at_start = before == 0 || !(base::IsLetter(text_[before - 1]) || text_[before - 1] == '.');
      const std::string word = WordBefore(before);
      const bool said = word == "is" || word == "equals" || word == "be" || word == "are";
      if (attached || at_start || said) {
        negative = text_[sign - 1] == '-';
        at = sign - 1;
      }  // "the answer - 5" has a dash
    }
    const std::size_t end = Before(at);
    const std::string word = WordBefore(end);
    if (word == "minus" || word == "negative" || word == "Minus" || word == "Negative") {
      if (EndsOperand(Before(end - word.size()))) return true;
      negative = true;
    } else if (base::Contains(kWordsBefore, word) || (word.starts_with('\\') && !base::Contains(kHarmless, word))) {
      return true;
    }
    if (negative) number.value = number.value[0] == '-' ? number.value.substr(1) : "-" + number.value;
    if (end == 0 || text_[end - 1] == '\n') return false;
    return PartByCharacter(end, at, number.end);
  }

  // By the character before a number (with its sign) that begins at `begin`.
  bool PartByCharacter(std::size_t end, std::size_t begin, std::size_t number_end) const {
    const char c = text_[end - 1];
    const char before = end > 1 ? text_[end - 2] : ' ';
    switch (c) {
      case '+':
      case '/':
      case '^':
      case '_':
      case '<':
      case '>':
      case '*':
        return true;
      case '-':
        return EndsOperand(Before(end - 1));
      case '(':
      case '[':
        return IsLetterOrDigit(before) || before == ')' || before == '}' || before == ']';
      case '{':
        return before == '^' || before == '_' || before == '}' || before == ']' || base::IsLetter(before);
      case '}':
      case ')':
        return end == begin;  // (x+1)5
      case '|':
        return end == begin && At(number_end) == '|';
      case '!':
      case '\\':
        return end == begin;
      default:
        // "log_2 8", "7 C 3"
        return base::IsDigit(c) || IsOtherDigit(end) || (WordBefore(end).size() == 1 && EndsOperand(Before(end - 1)));
    }
  }

  // Whether the bytes before `end` are a digit of another script.
  bool IsOtherDigit(std::size_t end) const {
    if (end > text_.size()) return false;
    if (end >= 3 && text_[end - 3] == '\xEF' && text_[end - 2] == '\xBC') return true;
    return end >= 2 && (text_[end - 2] == '\xD9' || text_[end - 2] == '\xDB') &&
           static_cast<unsigned char>(text_[end - 1]) >= 0xA0;
  }

  bool PartByRight(std::size_t end) const {
    if (base::IsLetter(At(end))) {
      std::size_t after = end;
      while (base::IsLetter(At(after))) ++after;
      if (!base::Contains(kUnits, std::string_view(text_).substr(end, after - end))) return true;
      return base::IsDigit(At(after)) || (At(after) == '^' && after == end + 1);
    }
    if (IsOtherDigit(end + 3) || IsOtherDigit(end + 2)) return true;
    if (At(end) == '(' || At(end) == '[' || At(end) == '_') return true;
    std::size_t at = end;
    while (At(at) == ' ' || At(at) == '\t' || At(at) == '$' || At(at) == '}' || At(at) == ')') ++at;
    const bool closed = at > end && (At(at - 1) == ')' || At(at - 1) == '}');
    const char c = At(at);
    const char after = At(at + 1);
    if (closed && (c == '(' || c == '{' || (IsLetterOrDigit(c) && At(at - 1) == '}'))) return true;
    switch (c) {
      case '+':
        return after != ' ' || IsLetterOrDigit(At(at + 2)) || At(at + 2) == '\\';
      case '*':
        return IsLetterOrDigit(At(SpacesEnd(at + 1))) || At(SpacesEnd(at + 1)) == '\\' || At(SpacesEnd(at + 1)) == '(';
      case '^':
      case '<':
      case '>':
        return true;
      case '/':
        return !(base::IsLetter(after) && base::IsLetter(At(at + 2)));
      case '-':
        return IsOperandAfter(at + 1);
      case '\\':
        return !base::Contains(kHarmless, Command(at));
      case '|':
        return at == end && base::IsDigit(At(at + 1));
      case '!':
        return after == '=' || IsLetterOrDigit(after) || after == '/' || after == '*';
      default:
        break;
    }
    const std::string word = Word(at);
    if (at > end && word.size() == 1)
      return std::string_view("xyznki").find(word[0]) != std::string_view::npos && At(at + 1) != '.';
    if (word == "and") {
      const std::string next = Word(SpacesEnd(at + 3));
      return next == "a" && base::Contains(std::vector<std::string>{"half", "third", "quarter"},
                                           Word(SpacesEnd(SpacesEnd(at + 3) + 1)));
    }
    return base::Contains(kWordsAfter, word);
  }

  // Whether what follows a minus sign can be taken from the number: not the words after a dash.
  bool IsOperandAfter(std::size_t at) const {
    const std::size_t next = SpacesEnd(at);
    if (base::IsDigit(At(next)) || At(next) == '\\' || At(next) == '(') return true;
    return Word(next).size() == 1 && Word(next) != "a" && Word(next) != "i";
  }

  // Numbers with nothing but a comma, "and", "or" or a space between them.
  bool IsList(std::size_t end, std::size_t begin) const {
    std::string between;
    for (const char c : text_.substr(end, begin - end)) {
      if (c == '\n') return false;
      if (c != ' ' && c != '\t' && c != '$' && c != '-' && c != '\\' && c != '{' && c != '}') between += c;
    }
    static constexpr std::string_view kBetween[] = {"", ",", ";", "and", "or", ",and", ",or", "&"};
    return base::Contains(kBetween, between);
  }

  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::string> LastWholeNumber(std::string_view text) {
  auto found = NumberReader(text).Read();
  if (found.empty() || found.back().part) return std::nullopt;
  return std::move(found.back().value);
}

std::optional<std::string> PlainAmount(std::string_view text) {
  NumberReader reader(text);
  auto found = reader.Read();
  if (found.size() != 1 || found.front().part) return std::nullopt;
  const std::string& plain = reader.text();
  const std::string around = plain.substr(0, found.front().begin) + plain.substr(found.front().end);
  if (around.find_first_not_of(" \t\r$+-.") != std::string::npos) return std::nullopt;
  if (found.front().value.find_first_of("/:^ ") != std::string::npos) return std::nullopt;  // as it stands
  return std::move(found.front().value);
}

std::string WhyNotOneNumber(std::string_view label) {
  NumberReader reader(label);
  const auto found = reader.Read();
  if (found.empty()) return "holds no number";
  if (found.back().part) return "is more than a number";
  std::size_t words = 0;
  for (std::size_t i = 0; i < reader.text().size(); ++i) {
    words += base::IsLetter(reader.text()[i]) && (i == 0 || !base::IsLetter(reader.text()[i - 1]));
  }
  const bool worked = words > 5 || base::Trim(label).find('\n') != std::string_view::npos;
  if (!worked && found.size() > 1) return "holds more than one number";
  if (!worked && reader.text().find('!') != std::string::npos) return "is more than a number";
  return {};
}

}  // namespace autodidact::answers
