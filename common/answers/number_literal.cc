#include "answers/number_literal.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace autodidact::answers {

std::size_t NumberText::DigitsEnd(std::size_t at) const {
  while (base::IsDigit(At(at))) ++at;
  return at;
}
std::size_t NumberText::SpacesEnd(std::size_t at) const {
  while (At(at) == ' ' || At(at) == '\t') ++at;
  return at;
}
std::string NumberText::Word(std::size_t at) const {
  std::string word;
  for (; base::IsLetter(At(at)); ++at) word += static_cast<char>(std::tolower(static_cast<unsigned char>(At(at))));
  return word;
}
std::string NumberText::Command(std::size_t at) const {
  std::size_t end = at + 1;
  while (base::IsLetter(At(end))) ++end;
  return text_.substr(at, std::max(end, at + 2) - at);
}

// Digits in groups of three (or as in India) between separators; the value without them. Nothing when a comma
// parts what are no groups.
std::string NumberText::GroupedDigits(std::size_t& at, bool& part) const {
  const std::size_t first = DigitsEnd(at);
  std::string digits = text_.substr(at, first - at);
  const char separator = At(first);
  const bool groups = std::string_view(", '_.").find(separator) != std::string_view::npos && separator != '\0';
  std::size_t end = first;
  std::vector<std::size_t> sizes;
  std::string all = digits;
  while (groups && At(end) == separator && base::IsDigit(At(end + 1))) {
    const std::size_t next = DigitsEnd(end + 1);
    if (separator == ' ' && next - end != 4) break;
    sizes.push_back(next - end - 1);
    all += text_.substr(end + 1, next - end - 1);
    end = next;
  }
  at = first;
  if (sizes.empty() || digits.empty()) return digits;
  const auto all_are = [&](std::size_t count, std::size_t size) {
    return std::all_of(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(count),
                       [size](std::size_t found) { return found == size; });
  };
  const bool thousands = digits.size() <= 3 && all_are(sizes.size(), 3) && (digits[0] != '0');
  const bool lakhs =
      separator == ',' && digits.size() <= 2 && sizes.size() >= 2 && sizes.back() == 3 && all_are(sizes.size() - 1, 2);
  if (separator == '.') {
    const bool decimal_comma = At(end) == ',' && base::IsDigit(At(end + 1));
    if (!thousands || (sizes.size() == 1 && !decimal_comma)) {
      part = sizes.size() > 1;
      return digits;
    }
    at = end;
    if (decimal_comma) {
      at = DigitsEnd(end + 1);
      all += "." + text_.substr(end + 1, at - end - 1);
    }
    return all;
  }
  if (thousands || lakhs) {
    at = end;
    return all;
  }
  if (separator == ' ') return digits;
  part = true;
  at = end;
  return digits;
}

// Digits with separators, a point and decimals, an exponent.
std::string NumberText::Literal(std::size_t& at, bool& part) const {
  std::string value = GroupedDigits(at, part);
  if (value.find('.') == std::string::npos && At(at) == '.' && base::IsDigit(At(at + 1))) {
    const std::size_t end = DigitsEnd(at + 1);
    value += text_.substr(at, end - at);
    at = end;
    while (At(at) == '.' && base::IsDigit(At(at + 1))) {  // 1.2.3
      part = true;
      at = DigitsEnd(at + 1);
    }
    if ((At(at) == ',' && base::IsDigit(At(at + 1))) || Is(at, "..") || Is(at, "\u2026") || Is(at, "\\dots") ||
        Is(at, "\\ldots")) {
      part = true;
    }
  }
  if (At(at) == 'e' || At(at) == 'E') {
    const std::size_t digits = at + (At(at + 1) == '+' || At(at + 1) == '-' ? 2 : 1);
    const std::size_t end = DigitsEnd(digits);
    if (end > digits && !base::IsLetter(At(end))) {
      value += text_.substr(at, end - at);
      at = end;
    }
  }
  return value;
}

// A number in braces or one digit, as \frac takes them.
std::optional<std::string> NumberText::Argument(std::size_t& at) const {
  at = SpacesEnd(at);
  if (At(at) != '{') {
    if (!base::IsDigit(At(at))) return std::nullopt;
    return std::string(1, At(at++));
  }
  std::size_t end = SpacesEnd(at + 1);
  const bool negative = At(end) == '-';
  if (negative) end = SpacesEnd(end + 1);
  bool part = false;
  if (!StartsNumber(end)) return std::nullopt;
  std::string value = Literal(end, part);
  end = SpacesEnd(end);
  if (part || At(end) != '}') return std::nullopt;
  at = end + 1;
  return (negative ? "-" : "") + value;
}

// "a/b" of the \frac at `at`, which goes to its end; nothing when it holds more than numbers.
std::optional<std::string> NumberText::FractionAt(std::size_t& at) const {
  std::size_t end = at + 5;
  const auto above = Argument(end);
  const auto below = above ? Argument(end) : std::nullopt;
  if (!below) return std::nullopt;
  at = end;
  return below->front() == '-' ? "-" + *above + "/" + below->substr(1) : *above + "/" + *below;
}

// The integer exponent after the '^' at `at`, which goes to its end.
std::optional<std::string> NumberText::Exponent(std::size_t& at) const {
  std::size_t end = SpacesEnd(at + 1);
  const char open = At(end);
  if (open == '{' || open == '(') end = SpacesEnd(end + 1);
  std::string sign;
  if (At(end) == '-' || At(end) == '+') sign = At(end++) == '-' ? "-" : "";
  const std::size_t digits = end;
  end = DigitsEnd(end);
  if (end == digits) return std::nullopt;
  const std::string value = sign + text_.substr(digits, end - digits);
  if (open == '{' || open == '(') {
    end = SpacesEnd(end);
    if (At(end) != (open == '{' ? '}' : ')')) return std::nullopt;
    ++end;
  }
  at = end;
  return value;
}

// "× 10^n" and its kin after a number.
std::optional<std::string> NumberText::PowerOfTen(std::size_t& at) const {
  std::size_t end = SpacesEnd(at);
  const auto skip = [&](std::string_view sign) {
    if (!Is(end, sign)) return false;
    end = SpacesEnd(end + sign.size());
    return true;
  };
  if (!skip("\\times") && !skip("\\cdot") && !skip("*") && !skip("x") && !skip("X")) return std::nullopt;
  if (Is(end, "{10}")) end += 2;
  const std::size_t caret = Is(end, "10") ? end + 2 + (At(end + 2) == '}' ? 1 : 0) : end;
  if (caret == end || At(caret) != '^') return std::nullopt;
  end = caret;
  auto power = Exponent(end);
  if (power) at = end;
  return power;
}

std::size_t NumberText::DegreesEnd(std::size_t at) const {
  for (const std::string_view degrees : {"^\\circ", "^{\\circ}", "^{\\circ }", "^ \\circ"}) {
    if (Is(at, degrees)) return at + degrees.size();
  }
  return at;
}

}  // namespace autodidact::answers
