#include "mathematics/units.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace autodidact::mathematics {
namespace {

using Replacement = std::pair<std::string_view, std::string_view>;

constexpr Replacement kSameUnits[] = {{"cm", "centimeter"},
                                      {"centimetre", "centimeter"},
                                      {"m", "meter"},
                                      {"metre", "meter"},
                                      {"mm", "millimeter"},
                                      {"km", "kilometer"},
                                      {"kilometre", "kilometer"},
                                      {"in", "inch"},
                                      {"inche", "inch"},
                                      {"ft", "foot"},
                                      {"feet", "foot"},
                                      {"yd", "yard"},
                                      {"mi", "mile"},
                                      {"kg", "kilogram"},
                                      {"g", "gram"},
                                      {"lb", "pound"},
                                      {"oz", "ounce"},
                                      {"s", "second"},
                                      {"sec", "second"},
                                      {"min", "minute"},
                                      {"h", "hour"},
                                      {"hr", "hour"},
                                      {"mph", "mile/hour"},
                                      {"l", "liter"},
                                      {"litre", "liter"},
                                      {"ml", "milliliter"},
                                      {"°", "degree"},
                                      {"$", "dollar"},
                                      {"¢", "cent"},
                                      {"%", "percent"},
                                      {"pct", "percent"},
                                      {"percentage", "percent"},
                                      {"p.m", "pm"},
                                      {"euros", "euro"},
                                      {"usd", "dollar"}};

std::string OneWord(std::string word) {
  std::string power;
  if (const std::size_t at = word.find('^'); at != std::string::npos) {
    power = word.substr(at);
    word.erase(at);
  }
  const auto canonical = [](const std::string& name) {
    for (const auto& [from, to] : kSameUnits) {
      if (name == from) return std::string(to);
    }
    return name;
  };
  word = canonical(word);
  if (word.size() > 2 && word.ends_with('s') && !word.ends_with("ss"))
    word = canonical(word.substr(0, word.size() - 1));
  return word + power;
}

// Words between spaces; a quotient ("/", "per") as a word of its own.
std::vector<std::string> Split(std::string_view unit) {
  std::vector<std::string> words(1);
  for (const char c : unit) {
    if (base::IsSpace(c) || c == '/') {
      if (!words.back().empty()) words.emplace_back();
      if (c == '/') {
        words.back() = "/";
        words.emplace_back();
      }
    } else if (c != '.' && c != '(' && c != ')') {
      words.back().push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

}  // namespace

std::string CanonicalUnit(std::string_view unit) {
  std::string canonical;
  std::string power;
  for (const std::string& word : Split(unit)) {
    if (word == "square" || word == "sq") {
      power = "^2";
    } else if (word == "cubic" || word == "cu") {
      power = "^3";
    } else {
      if (!canonical.empty()) canonical.push_back(' ');
      canonical += word == "per" ? "/" : OneWord(word) + power;
      power.clear();
    }
  }
  canonical = base::ReplaceAll(canonical, " / ", "/");
  return canonical.starts_with("unit") ? std::string() : canonical;
}

}  // namespace autodidact::mathematics
