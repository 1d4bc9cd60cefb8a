#include "mathematics/exact.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace autodidact::mathematics {
namespace {

using MaybeRational = std::optional<Rational>;

constexpr std::int64_t kMaxBits = 1 << 15;

MaybeRational Limited(Rational value) {
  if (value.Bits() > kMaxBits) return std::nullopt;
  return value;
}

template <class Operation>
MaybeRational Combined(const Rational& left, const Rational& right, Operation operation) {
  Rational result;
  operation(result.Raw(), left.Raw(), right.Raw());
  return Limited(std::move(result));
}

MaybeRational ExactPower(const Rational& base, const Rational& exponent) {
  const auto power = exponent.AsInteger();
  if (!power || (base.IsZero() && *power <= 0)) return std::nullopt;
  if (fmpz_is_pm1(fmpq_numref(base.Raw())) && base.IsInteger()) {
    return Rational(base.Sign() < 0 && *power % 2 != 0 ? -1 : 1);
  }
  if (base.IsZero()) return Rational();
  if (std::abs(*power) > kMaxBits || base.Bits() * std::abs(*power) > 2 * kMaxBits) return std::nullopt;
  Rational result;
  fmpq_pow_si(result.Raw(), base.Raw(), *power);
  return Limited(std::move(result));
}

MaybeRational ExactFactorial(const Rational& argument) {
  constexpr std::int64_t kMaxFactorial = 5000;
  const auto n = argument.AsInteger();
  if (!n || *n < 0 || *n > kMaxFactorial) return std::nullopt;
  Rational result;
  fmpz_fac_ui(fmpq_numref(result.Raw()), static_cast<ulong>(*n));
  return Limited(std::move(result));
}

MaybeRational ExactBinomial(const Rational& above, const Rational& below) {
  const auto n = above.AsInteger(), k = below.AsInteger();
  if (!n || !k || *k < 0 || *n < *k) return std::nullopt;
  const std::int64_t least = std::min(*k, *n - *k);
  if (static_cast<double>(least) * std::log2(static_cast<double>(*n) + 1) > kMaxBits) return std::nullopt;
  Rational result;
  fmpz_bin_uiui(fmpq_numref(result.Raw()), static_cast<ulong>(*n), static_cast<ulong>(least));
  return result;
}

MaybeRational ExactOfMany(const std::string& name, const std::vector<Rational>& values) {
  const auto less = [](const Rational& a, const Rational& b) { return fmpq_cmp(a.Raw(), b.Raw()) < 0; };
  if (name == "\\max") return *std::max_element(values.begin(), values.end(), less);
  if (name == "\\min") return *std::min_element(values.begin(), values.end(), less);
  if (name != "\\gcd" && name != "\\lcm") return std::nullopt;
  Rational result(name == "\\gcd" ? 0 : 1);
  for (const Rational& value : values) {
    if (!value.IsInteger() || value.IsZero()) return std::nullopt;
    fmpz* const integer = fmpq_numref(result.Raw());
    (name == "\\gcd" ? fmpz_gcd : fmpz_lcm)(integer, integer, fmpq_numref(value.Raw()));
  }
  return Limited(std::move(result));
}

MaybeRational ExactRemainder(const Rational& value, const Rational& modulus) {
  if (!value.IsInteger() || !modulus.IsInteger() || modulus.Sign() <= 0) return std::nullopt;
  Rational result;
  fmpz_fdiv_r(fmpq_numref(result.Raw()), fmpq_numref(value.Raw()), fmpq_numref(modulus.Raw()));
  return result;
}

MaybeRational ExactCall(const Node& node) {
  std::vector<Rational> values;
  for (const Node& argument : node.args) {
    auto value = ExactValue(argument);
    if (!value) return value;
    values.push_back(std::move(*value));
  }
  if (values.empty()) return std::nullopt;
  if (node.name == "\\binom" && values.size() == 2) return ExactBinomial(values[0], values[1]);
  if (node.name == "\\mod") return ExactRemainder(values[0], values[1]);
  if (values.size() != 1) return ExactOfMany(node.name, values);
  Rational result;
  if (node.name == "\\abs") {
    fmpq_abs(result.Raw(), values[0].Raw());
  } else if (node.name == "\\floor" || node.name == "\\ceil") {
    const auto divide = node.name == "\\floor" ? fmpz_fdiv_q : fmpz_cdiv_q;
    divide(fmpq_numref(result.Raw()), fmpq_numref(values[0].Raw()), fmpq_denref(values[0].Raw()));
  } else {
    return std::nullopt;
  }
  return result;
}

bool IsGroup(const Node& node) {
  return node.op == Op::kTuple && node.args.size() == 1 && node.name != "{}";
}

}  // namespace

std::int64_t Rational::Bits() const {
  return static_cast<std::int64_t>(fmpz_bits(fmpq_numref(value_)) + fmpz_bits(fmpq_denref(value_)));
}

std::optional<std::int64_t> Rational::AsInteger() const {
  if (!IsInteger() || fmpz_bits(fmpq_numref(value_)) > 62) return std::nullopt;
  return fmpz_get_si(fmpq_numref(value_));
}

Rational PowerOfTen(std::size_t exponent) {
  Rational power(10);
  fmpz_pow_ui(fmpq_numref(power.Raw()), fmpq_numref(power.Raw()), exponent);
  return power;
}

// "12.3(45)e-6": the digits before the repeating ones, plus those over 99…900…0.
Decimal ReadDecimal(std::string_view text) {
  Decimal decimal;
  if (const std::size_t at = text.find('e'); at != std::string_view::npos) {
    decimal.exponent = std::stoll(std::string(text.substr(at + 1)));
    text = text.substr(0, at);
  }
  std::string_view repeating;
  if (const std::size_t at = text.find('('); at != std::string_view::npos) {
    repeating = text.substr(at + 1, text.size() - at - 2);
    text = text.substr(0, at);
  }
  std::string digits(text);
  if (const std::size_t at = digits.find('.'); at != std::string::npos) {
    decimal.exponent -= static_cast<std::int64_t>(digits.size() - at - 1);
    digits.erase(at, 1);
  }
  if (digits.empty()) digits.push_back('0');
  fmpz_set_str(fmpq_numref(decimal.mantissa.Raw()), digits.c_str(), 10);
  if (repeating.empty()) return decimal;
  Rational fraction;
  fmpz_set_str(fmpq_numref(fraction.Raw()), std::string(repeating).c_str(), 10);
  fmpz_set(fmpq_denref(fraction.Raw()), fmpq_numref(PowerOfTen(repeating.size()).Raw()));
  fmpz_sub_ui(fmpq_denref(fraction.Raw()), fmpq_denref(fraction.Raw()), 1);
  fmpq_canonicalise(fraction.Raw());
  fmpq_add(decimal.mantissa.Raw(), decimal.mantissa.Raw(), fraction.Raw());
  return decimal;
}

std::optional<Rational> ExactValue(const Node& node) {
  if (IsGroup(node)) return ExactValue(node.args[0]);
  if (node.op == Op::kNumber) {
    const Decimal decimal = ReadDecimal(node.name);
    const auto scale = ExactPower(Rational(10), Rational(decimal.exponent));
    return scale ? Combined(decimal.mantissa, *scale, fmpq_mul) : scale;
  }
  if (node.op == Op::kCall) return ExactCall(node);
  const bool is_unary = node.op == Op::kNegate || node.op == Op::kFactorial;
  const bool is_binary = node.op == Op::kAdd || node.op == Op::kSubtract || node.op == Op::kMultiply ||
                         node.op == Op::kDivide || node.op == Op::kPower;
  if (!is_unary && !is_binary) return std::nullopt;
  const auto left = ExactValue(node.args[0]);
  if (!left) return left;
  if (node.op == Op::kFactorial) return ExactFactorial(*left);
  if (node.op == Op::kNegate) return Combined(Rational(), *left, fmpq_sub);
  const auto right = ExactValue(node.args[1]);
  if (!right) return right;
  if (node.op == Op::kAdd) return Combined(*left, *right, fmpq_add);
  if (node.op == Op::kSubtract) return Combined(*left, *right, fmpq_sub);
  if (node.op == Op::kMultiply) return Combined(*left, *right, fmpq_mul);
  if (node.op == Op::kPower) return ExactPower(*left, *right);
  return right->IsZero() ? std::nullopt : Combined(*left, *right, fmpq_div);
}

std::optional<Rational> MultipleOfPi(const Node& node) {
  if (node.op == Op::kSymbol && node.name == "\\pi") return Rational(1);
  if (IsGroup(node)) return MultipleOfPi(node.args[0]);
  if (node.op == Op::kUnit && node.name == "degree") {
    const auto degrees = ExactValue(node.args[0]);
    return degrees ? Combined(*degrees, Rational(180), fmpq_div) : degrees;
  }
  if (node.op == Op::kNegate) {
    const auto multiple = MultipleOfPi(node.args[0]);
    return multiple ? Combined(Rational(), *multiple, fmpq_sub) : multiple;
  }
  if (node.op == Op::kAdd || node.op == Op::kSubtract) {
    const auto left = MultipleOfPi(node.args[0]);
    const auto right = left ? MultipleOfPi(node.args[1]) : left;
    return right ? Combined(*left, *right, node.op == Op::kAdd ? fmpq_add : fmpq_sub) : right;
  }
  if (node.op == Op::kDivide) {
    const auto below = ExactValue(node.args[1]);
    const auto above = below && !below->IsZero() ? MultipleOfPi(node.args[0]) : std::nullopt;
    return above ? Combined(*above, *below, fmpq_div) : above;
  }
  if (node.op != Op::kMultiply) return std::nullopt;
  for (const std::size_t factor : {0u, 1u}) {
    const auto rational = ExactValue(node.args[factor]);
    const auto multiple = rational ? MultipleOfPi(node.args[1 - factor]) : rational;
    if (multiple) return Combined(*rational, *multiple, fmpq_mul);
  }
  return std::nullopt;
}

}  // namespace autodidact::mathematics
