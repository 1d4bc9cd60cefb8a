#include "launch/config/rules.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "base/format.h"

namespace autodidact::launch {
namespace {

constexpr std::size_t kShownBytes = 60;

// What other programs call a choice.
constexpr std::pair<const char*, const char*> kOtherNames[] = {{"bf16", "bfloat16"},
                                                               {"fp16", "bfloat16"},
                                                               {"half", "bfloat16"},
                                                               {"float16", "bfloat16"},
                                                               {"fp32", "float32"},
                                                               {"float", "float32"},
                                                               {"true", "group"},
                                                               {"false", "none"},
                                                               {"off", "none"},
                                                               {"vote", "majority"},
                                                               {"ttrl", "majority"},
                                                               {"self_consistency", "majority"},
                                                               {"cat", "synthesis"},
                                                               {"oracle", "ground_truth"},
                                                               {"labels", "ground_truth"},
                                                               {"best_of_n", "self_select"},
                                                               {"sympy", "math"},
                                                               {"symbolic", "math"},
                                                               {"string", "exact"},
                                                               {"python", "code"},
                                                               {"gsm8k", "hashes"},
                                                               {"none", "whole"},
                                                               {"llm", "model_as_judge"},
                                                               {"openai", "endpoint"},
                                                               {"api", "endpoint"},
                                                               {"local", "model"},
                                                               {"ppo", "grpo"},
                                                               {"drgrpo", "dr_grpo"},
                                                               {"cosine_with_min_lr", "cosine"},
                                                               {"constant_with_warmup", "constant"},
                                                               {"random", "given"}};

template <class T>
bool ParseWhole(const std::string& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// "010" is 8 to one reader of YAML and 10 to another.
bool HasLeadingZero(const std::string& text) {
  const std::size_t sign = text.starts_with("-") ? 1 : 0;
  return text.size() > sign + 1 && text[sign] == '0' && text[sign + 1] >= '0' && text[sign + 1] <= '9';
}

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool Cut(std::string& text, const std::string& end) {
  if (!text.ends_with(end)) return false;
  text.resize(text.size() - end.size());
  return true;
}

void Replace(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// What a unit behind a number multiplies it by, in the rule's own unit.
std::optional<double> Factor(const std::string& unit, const std::string& of) {
  using Units = std::vector<std::pair<const char*, double>>;
  static const Units kSeconds = {{"ms", 1e-3},    {"s", 1},       {"sec", 1},     {"secs", 1},    {"second", 1},
                                 {"seconds", 1},  {"m", 60},      {"min", 60},    {"mins", 60},   {"minute", 60},
                                 {"minutes", 60}, {"h", 3600},    {"hr", 3600},   {"hour", 3600}, {"hours", 3600},
                                 {"d", 86400},    {"day", 86400}, {"days", 86400}};
  static const Units kMebibytes = {{"m", 1}, {"mb", 1}, {"mib", 1}, {"g", 1024}, {"gb", 1024}, {"gib", 1024}};
  static const Units kGibibytes = {{"g", 1}, {"gb", 1}, {"gib", 1}, {"mb", 1.0 / 1024}, {"mib", 1.0 / 1024}};
  const Units& units = of == "seconds" ? kSeconds : of == "MiB" ? kMebibytes : of == "GiB" ? kGibibytes : Units();
  for (const auto& [name, factor] : units) {
    if (unit == name) return factor;
  }
  if (unit == of || unit + "s" == of) return 1;
  return std::nullopt;
}

// What a person means by a text that is not written as a number here.
std::optional<double> Meant(const std::string& written, const std::string& unit) {
  std::string text = Lower(written);
  Replace(text, "−", "-");  // the minus sign of typesetting
  Replace(text, "_", "");
  Replace(text, " ", "");
  if (text.starts_with("+")) text.erase(0, 1);
  double factor = 1;
  if (Cut(text, "%")) factor = 0.01;
  std::int64_t whole = 0;
  for (const auto& [prefix, base] : {std::pair("0x", 16), std::pair("0o", 8), std::pair("0b", 2)}) {
    if (!text.starts_with(prefix)) continue;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), whole, base);
    if (error == std::errc() && end == text.data() + text.size()) return static_cast<double>(whole);
  }
  const std::size_t last = text.find_last_of("0123456789.");
  if (last == std::string::npos) return std::nullopt;
  if (last + 1 < text.size()) {
    const auto of_unit = Factor(text.substr(last + 1), unit);
    if (!of_unit) return std::nullopt;
    factor *= *of_unit;
    text.resize(last + 1);
  }
  // "1,000" has thousands; any other single comma is a point.
  if (const auto comma = text.find(','); comma != std::string::npos) {
    if (text.size() - comma == 4 && text.find('.') == std::string::npos) {
      text.erase(comma, 1);
    } else {
      text[comma] = '.';
    }
  }
  double value = 0;
  if (!ParseWhole(text, value) || !std::isfinite(value)) return std::nullopt;
  return value * factor;
}

template <class Rule>
bool Allows(const Rule& rule, double value) {
  if constexpr (requires { rule.or_zero; }) {
    if (rule.or_zero && value == 0) return true;
  }
  return value >= static_cast<double>(rule.least) && value <= static_cast<double>(rule.most);
}

// What to write instead of a text that is no number here.
template <class Rule>
std::string Advice(const Scalar& scalar, const Rule& rule) {
  constexpr bool kWhole = std::is_same_v<Rule, Whole>;
  const auto meant = Meant(scalar.text, rule.unit);
  const bool known =
      meant && Allows(rule, *meant) && (!kWhole || (*meant == std::floor(*meant) && std::abs(*meant) < 1e15));
  if (!known) return kWhole ? ": write digits alone" : ": write digits, with a point or an exponent, as 0.5 or 1e-6";
  const std::string text =
      kWhole ? base::Format("{}", static_cast<std::int64_t>(*meant)) : base::Format("{:.12g}", *meant);
  return ": write " + text + (scalar.quoted ? " without quotes" : "");
}

template <class Rule>
std::string Refused(const Scalar& scalar, const Rule& rule) {
  std::string got = "got " + Quoted(scalar.text);
  if (scalar.quoted) got += " in quotes, which is a text";
  return got + ", expected " + Expected(rule) + Advice(scalar, rule);
}

// A number that is out of bounds: a percentage where a share is wanted, and the sign that other programs use for "off",
// are told.
template <class Rule>
std::string Outside(const std::string& text, double value, const Rule& rule) {
  const double least = static_cast<double>(rule.least);
  const double most = static_cast<double>(rule.most);
  std::string advice =
      value < least ? base::Format("write {} or more", rule.least) : base::Format("write {} or less", rule.most);
  if (most == 1 && least >= 0 && value > 1 && value <= 100) {
    advice = base::Format("write {:.12g} if per cent are meant", value / 100);
  } else if (value < 0 && std::string(rule.unit).find("0: ") != std::string::npos) {
    advice = "write 0";
  } else if (value == 0 && std::string(rule.unit) == "1: off") {
    advice = "write 1 to turn it off";
  }
  return "got " + text + ", expected " + Expected(rule) + ": " + advice;
}

template <class T, class Rule>
std::optional<std::string> ReadNumber(const Scalar& scalar, const Rule& rule, T& value) {
  T read = 0;
  if (scalar.quoted || HasLeadingZero(scalar.text)) return Refused(scalar, rule);
  const char* begin = scalar.text.data();
  const char* end = begin + scalar.text.size();
  const auto [stop, error] = std::from_chars(begin, end, read);
  if (error == std::errc::result_out_of_range && stop == end) {
    return Outside(scalar.text, std::strtod(begin, nullptr), rule);  // endless, or nothing but 0
  }
  if (error != std::errc() || stop != end) return Refused(scalar, rule);
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(read)) return Refused(scalar, rule);  // "nan" and "inf" are numbers to the parser
  }
  bool good = Allows(rule, static_cast<double>(read));
  if constexpr (!std::is_floating_point_v<T>) good = read >= rule.least && read <= rule.most;  // exactly
  if (!good) return Outside(scalar.text, static_cast<double>(read), rule);
  value = read;
  return std::nullopt;
}

std::string Listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

// Levenshtein's distance.
std::size_t Distance(const std::string& left, const std::string& right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i - 1] != right[j - 1]);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

}  // namespace

std::string Quoted(const std::string& text) {
  if (text.size() <= kShownBytes) return "\"" + text + "\"";
  std::size_t end = kShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // no half character
  return "\"" + text.substr(0, end) + "…\"";
}

std::string Expected(const Whole& rule) {
  const std::string unit = *rule.unit ? base::Format(" ({})", rule.unit) : "";
  return base::Format("a whole number from {} to {}{}", rule.least, rule.most, unit);
}

std::string Expected(const Real& rule) {
  const std::string unit = *rule.unit ? base::Format(" ({})", rule.unit) : "";
  return base::Format("{}a number from {} to {}{}", rule.or_zero ? "0 or " : "", rule.least, rule.most, unit);
}

std::string Expected(const Choice& rule) {
  return "one of " + Listed(rule.names);
}

std::optional<std::string> Read(const Scalar& scalar, const Whole& rule, std::int64_t& value) {
  return ReadNumber(scalar, rule, value);
}

std::optional<std::string> Read(const Scalar& scalar, const Real& rule, double& value) {
  return ReadNumber(scalar, rule, value);
}

std::optional<std::string> Read(const Scalar& scalar, const Choice& rule, std::string& value) {
  if (std::find(rule.names.begin(), rule.names.end(), scalar.text) == rule.names.end()) {
    const std::string message = "got " + Quoted(scalar.text) + ", expected " + Expected(rule);
    auto nearest = Nearest(scalar.text, rule.names);
    for (const auto& [other, ours] : kOtherNames) {
      const bool offered = std::find(rule.names.begin(), rule.names.end(), ours) != rule.names.end();
      if (offered && Lower(scalar.text) == other) nearest = ours;
    }
    return message + (nearest ? "; did you mean " + *nearest + "?" : ": write one of these");
  }
  value = scalar.text;
  return std::nullopt;
}

std::optional<std::string> Read(const Scalar& scalar, bool& value) {
  if (!scalar.quoted && (scalar.text == "true" || scalar.text == "false")) {
    value = scalar.text == "true";
    return std::nullopt;
  }
  std::string message = "got " + Quoted(scalar.text);
  if (scalar.quoted) message += " in quotes, which is a text";
  message += ", expected true or false";
  const std::string lower = Lower(scalar.text);
  for (const char* yes : {"yes", "y", "on", "1", "true", "t"}) {
    if (lower == yes) return message + ": write true";
  }
  for (const char* no : {"no", "n", "off", "0", "false", "f"}) {
    if (lower == no) return message + ": write false";
  }
  return message + ": write one of these";
}

std::optional<std::string> Nearest(const std::string& name, const std::vector<std::string>& names) {
  // Case, and dashes for underscores, are no difference.
  const auto plain = [](std::string text) {
    text = Lower(std::move(text));
    std::erase_if(text, [](char c) { return c == '_' || c == '-' || c == ' '; });
    return text;
  };
  const std::string wanted = plain(name);
  if (wanted.size() < 3 || wanted.size() > 100) return std::nullopt;
  std::optional<std::string> best;
  std::size_t least = std::max<std::size_t>(2, wanted.size() / 3) + 1;
  for (const std::string& known : names) {
    const std::size_t distance = Distance(wanted, plain(known));
    if (distance >= least || distance >= std::max(wanted.size(), known.size())) continue;
    least = distance;
    best = known;
  }
  return best;
}

}  // namespace autodidact::launch
