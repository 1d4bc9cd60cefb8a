#include "mathematics/words.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace autodidact::mathematics {
namespace {

using Named = std::pair<std::string_view, std::int64_t>;

constexpr Named kUnder20[] = {
    {"zero", 0},     {"one", 1},      {"two", 2},        {"three", 3},     {"four", 4},
    {"five", 5},     {"six", 6},      {"seven", 7},      {"eight", 8},     {"nine", 9},
    {"ten", 10},     {"eleven", 11},  {"twelve", 12},    {"thirteen", 13}, {"fourteen", 14},
    {"fifteen", 15}, {"sixteen", 16}, {"seventeen", 17}, {"eighteen", 18}, {"nineteen", 19},
};
constexpr Named kTens[] = {{"twenty", 20}, {"thirty", 30},  {"forty", 40},  {"fifty", 50},
                           {"sixty", 60},  {"seventy", 70}, {"eighty", 80}, {"ninety", 90}};
constexpr Named kParts[] = {{"half", 2},    {"halves", 2},   {"third", 3},  {"thirds", 3},
                            {"quarter", 4}, {"quarters", 4}, {"fourth", 4}, {"fourths", 4},
                            {"fifth", 5},   {"fifths", 5},   {"sixth", 6},  {"sixths", 6},
                            {"eighth", 8},  {"eighths", 8},  {"tenth", 10}, {"tenths", 10}};

template <class Table>
std::optional<std::int64_t> ValueIn(const Table& table, std::string_view word) {
  for (const auto& [name, value] : table) {
    if (name == word) return value;
  }
  return std::nullopt;
}

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (base::IsSpace(c) || c == '-') {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back().push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// One number below a million in words, all of them.
std::optional<std::int64_t> WholeNumber(const std::vector<std::string>& words) {
  std::int64_t thousands = 0, hundreds = 0, rest = -1;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto unit = ValueIn(kUnder20, word), ten = ValueIn(kTens, word);
    if (word == "and") {
      if (i == 0 || i + 1 == words.size() || rest >= 0 || (hundreds == 0 && thousands == 0)) return std::nullopt;
    } else if (unit && (rest < 0 || (rest >= 20 && rest % 10 == 0 && *unit > 0 && *unit < 10))) {
      rest = std::max<std::int64_t>(rest, 0) + *unit;
    } else if (ten && rest < 0) {
      rest = *ten;
    } else if (word == "hundred" && rest > 0 && rest < 10 && hundreds == 0) {
      hundreds = 100 * rest;
      rest = -1;
    } else if (word == "thousand" && thousands == 0 && (rest > 0 || hundreds > 0)) {
      thousands = 1000 * (hundreds + std::max<std::int64_t>(rest, 0));
      hundreds = 0;
      rest = -1;
    } else {
      return std::nullopt;
    }
  }
  if (rest < 0 && hundreds == 0 && thousands == 0) return std::nullopt;
  return thousands + hundreds + std::max<std::int64_t>(rest, 0);
}

bool IsChoice(char c) {
  return c >= 'A' && c <= 'J';
}

}  // namespace

std::optional<std::string> NumberInWords(std::string_view text) {
  std::vector<std::string> words = WordsOf(text);
  if (words.empty() || words.size() > 12) return std::nullopt;
  const bool is_negative = words.front() == "minus" || words.front() == "negative";
  if (is_negative) words.erase(words.begin());
  const std::string sign = is_negative ? "-" : "";
  if (words.size() > 1) {
    if (const auto part = ValueIn(kParts, words.back())) {
      words.pop_back();
      const auto count = WholeNumber(words);
      return count ? std::optional(sign + std::to_string(*count) + "/" + std::to_string(*part)) : std::nullopt;
    }
  }
  const auto number = words.empty() ? std::nullopt : WholeNumber(words);
  return number ? std::optional(sign + std::to_string(*number)) : std::nullopt;
}

std::optional<std::string> LettersOfChoices(std::string_view text) {
  std::string letters;
  bool separated = true;
  for (std::size_t at = 0; at < text.size();) {
    if (base::IsSpace(text[at])) {
      ++at;
    } else if (text[at] == ',' || text[at] == '&' || text[at] == ';') {
      separated = true;
      ++at;
    } else if (text.substr(at).starts_with("and ")) {
      separated = true;
      at += 4;
    } else {
      const bool in_brackets = text[at] == '(';
      const std::size_t letter = at + (in_brackets ? 1 : 0);
      if (!separated || letter >= text.size() || !IsChoice(text[letter])) return std::nullopt;
      at = letter + 1;
      if (in_brackets && (at >= text.size() || text[at++] != ')')) return std::nullopt;
      if (at < text.size() && base::IsLetter(text[at])) return std::nullopt;
      letters.push_back(text[letter]);
      separated = false;
    }
  }
  if (letters.size() < 2 || separated) return std::nullopt;
  return letters;
}

}  // namespace autodidact::mathematics
