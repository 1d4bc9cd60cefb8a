#include "json/spelled_number.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "base/strings.h"

namespace autodidact::json {
namespace {

constexpr std::uint8_t kSubtype = 1;  // of the binary values that hold digits

// A number as sign, significant digits and the power of ten of the last one: the same for "1e3", "1000.0" and "1000".
struct Exact {
  bool negative = false;
  std::string digits;  // empty for zero
  std::int64_t exponent = 0;
  bool operator==(const Exact&) const = default;
};

// Nothing sensible for a text that is not a JSON number.
Exact ReadExactly(std::string_view text) {
  Exact exact;
  exact.negative = text.starts_with('-');
  bool after_point = false;
  for (std::size_t at = exact.negative ? 1 : 0; at < text.size(); ++at) {
    if (text[at] == 'e' || text[at] == 'E') {
      const std::size_t begin = at + (at + 1 < text.size() && text[at + 1] == '+' ? 2 : 1);
      std::int64_t power = 0;
      std::from_chars(text.data() + begin, text.data() + text.size(), power);
      exact.exponent += power;
      break;
    }
    if (text[at] == '.') {
      after_point = true;
      continue;
    }
    if (!exact.digits.empty() || text[at] != '0') exact.digits.push_back(text[at]);
    exact.exponent -= after_point;
  }
  while (!exact.digits.empty() && exact.digits.back() == '0') {
    exact.digits.pop_back();
    ++exact.exponent;
  }
  if (exact.digits.empty()) return {};
  return exact;
}

// The end of the JSON number that starts at `at`; `at` where there is none.
std::size_t NumberEnd(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  const auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && base::IsDigit(text[at])) ++at;
    return at > first;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const bool zero = at < text.size() && text[at] == '0';
  const std::size_t whole = at;
  if (!digits() || (zero && at - whole > 1)) return begin;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return begin;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return begin;
  }
  return at;
}

template <class Integer>
bool Holds(std::string_view number) {
  Integer value{};
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  return error == std::errc() && end == number.data() + number.size();
}

bool Changes(const std::string& number) {
  if (number.find_first_of(".eE") == std::string::npos) {
    return !Holds<std::int64_t>(number) && !Holds<std::uint64_t>(number);
  }
  const double value = std::strtod(number.c_str(), nullptr);
  // What is too large for a double is left to the parser, which refuses it.
  return std::isfinite(value) && ReadExactly(Dump(Json(value))) != ReadExactly(number);
}

}  // namespace

std::map<std::size_t, std::string> TakeSpelledNumbers(std::string& text) {
  std::map<std::size_t, std::string> taken;
  std::size_t number = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (in_string && c == '\\') {
      at += 2;
      continue;
    }
    if (c == '"') in_string = !in_string;
    const std::size_t end = in_string || !(base::IsDigit(c) || c == '-') ? at : NumberEnd(text, at);
    if (end == at) {
      ++at;
      continue;
    }
    std::string digits = text.substr(at, end - at);
    if (Changes(digits)) {
      text.replace(at, end - at, "0" + std::string(end - at - 1, ' '));
      taken.emplace(number, std::move(digits));
    }
    ++number;
    at = end;
  }
  return taken;
}

Json SpelledValue(const std::string& digits) {
  return Json::binary({digits.begin(), digits.end()}, kSubtype);
}

std::string SpelledNumber(const Json& value) {
  if (!value.is_binary()) return {};
  const auto& digits = value.get_binary();
  return {digits.begin(), digits.end()};
}

bool IsNumber(const Json& value) {
  return value.is_number() || value.is_binary();
}

bool IsInteger(const Json& value) {
  return value.is_number_integer() ||
         (value.is_binary() && SpelledNumber(value).find_first_of(".eE") == std::string::npos);
}

}  // namespace autodidact::json
