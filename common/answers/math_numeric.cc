#include "answers/math_numeric.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

#include "answers/math_field.h"
#include "answers/math_value.h"

namespace autodidact::answers {
namespace {

using Complex = std::complex<long double>;
using Maybe = std::optional<Approximate>;

constexpr long double kEpsilon = std::numeric_limits<long double>::epsilon();
constexpr long double kPi = std::numbers::pi_v<long double>;

constexpr Approximate Undefined() {
  return {{std::numeric_limits<long double>::quiet_NaN(), 0.0L}, 0};
}

Approximate Rounded(Complex value, long double error) {
  if (!std::isfinite(value.real()) || !std::isfinite(value.imag()) || !std::isfinite(error)) return Undefined();
  error += 4 * kEpsilon * std::abs(value);
  // What is real within its error is real, so that no branch cut is crossed by a rounding error.
  if (std::abs(value.imag()) <= error) value = {value.real(), 0.0L};
  if (std::abs(value.real()) <= error) value = {0.0L, value.imag()};
  return {value, error};
}

Approximate Add(const Approximate& left, const Approximate& right, long double sign) {
  return Rounded(left.value + sign * right.value, left.error + right.error + kEpsilon * std::abs(left.value));
}

// The error of f(x) from how much f changes when x moves by its error.
template <class Function>
Approximate Apply(Function f, const Approximate& x) {
  if (!x.IsFinite()) return x;
  const Complex value = f(x.value);
  long double error = std::abs(f(x.value + x.error) - value);
  if (!std::isfinite(error)) error = 0;
  return Rounded(value, error);
}

bool IsReal(const Approximate& x) {
  return x.value.imag() == 0;
}

Approximate RealResult(long double value, long double error = 0) {
  return Rounded({value, 0.0L}, error);
}

// x^(p/q): the real root of a negative number where q is odd.
Approximate RationalPower(const Approximate& x, const SmallRational& exponent) {
  const auto [p, q] = exponent;
  const long double power = static_cast<long double>(p) / static_cast<long double>(q);
  const bool flips = IsReal(x) && x.value.real() < 0 && q % 2 != 0;
  const auto f = [&](Complex v) {
    if (q == 1 && std::abs(power) <= 64) {
      Complex result = 1;
      for (std::int64_t i = 0; i < std::abs(p); ++i) result *= v;
      return p < 0 ? Complex(1) / result : result;
    }
    if (q == 2 && p == 1) return std::sqrt(v);
    if (flips) return std::pow(-v, power) * (p % 2 == 0 ? 1.0L : -1.0L);
    return std::pow(v, power);
  };
  return Apply(f, x);
}

Approximate GeneralPower(const Approximate& base, const Approximate& exponent) {
  if (!exponent.IsFinite()) return exponent;
  const Approximate by_base = Apply([&](Complex v) { return std::pow(v, exponent.value); }, base);
  const Approximate by_exponent = Apply([&](Complex v) { return std::pow(base.value, v); }, exponent);
  return Rounded(by_base.value, by_base.error + by_exponent.error);
}

struct NamedFunction {
  const char* name;
  Complex (*function)(Complex);
};

constexpr NamedFunction kNamedFunctions[] = {
    {"\\sin", [](Complex x) { return std::sin(x); }},
    {"\\cos", [](Complex x) { return std::cos(x); }},
    {"\\tan", [](Complex x) { return std::tan(x); }},
    {"\\cot", [](Complex x) { return Complex(1) / std::tan(x); }},
    {"\\sec", [](Complex x) { return Complex(1) / std::cos(x); }},
    {"\\csc", [](Complex x) { return Complex(1) / std::sin(x); }},
    {"\\arcsin", [](Complex x) { return std::asin(x); }},
    {"\\arccos", [](Complex x) { return std::acos(x); }},
    {"\\arctan", [](Complex x) { return std::atan(x); }},
    {"\\sinh", [](Complex x) { return std::sinh(x); }},
    {"\\cosh", [](Complex x) { return std::cosh(x); }},
    {"\\tanh", [](Complex x) { return std::tanh(x); }},
    {"\\ln", [](Complex x) { return std::log(x); }},
    {"\\lg", [](Complex x) { return std::log(x) / std::log(10.0L); }},
    {"\\log", [](Complex x) { return std::log(x) / std::log(10.0L); }},
    {"\\exp", [](Complex x) { return std::exp(x); }},
    {"\\abs", [](Complex x) { return Complex(std::abs(x)); }},
};

// floor and ceil: a value within its error of an integer is that integer.
Maybe Stepped(const std::string& name, const Approximate& x) {
  if (!IsReal(x)) return std::nullopt;
  const long double value = x.value.real();
  const long double nearest = std::round(value);
  if (std::abs(value - nearest) <= 16 * x.error) return RealResult(nearest);
  return RealResult(name == "\\floor" ? std::floor(value) : std::ceil(value));
}

std::optional<std::int64_t> AsInteger(const Approximate& x) {
  const long double value = x.value.real();
  if (!IsReal(x) || std::abs(value) > 1e15L || std::abs(value - std::round(value)) > 16 * x.error) return std::nullopt;
  return static_cast<std::int64_t>(std::round(value));
}

Maybe Binomial(const Approximate& n, const Approximate& k) {
  const auto top = AsInteger(n), below = AsInteger(k);
  if (!top || !below || *below < 0 || *below > 1000 || *top < *below) return std::nullopt;
  long double value = 1;
  for (std::int64_t i = 1; i <= *below; ++i) {
    value *= static_cast<long double>(*top - *below + i) / static_cast<long double>(i);
  }
  return RealResult(value, kEpsilon * value * static_cast<long double>(2 * *below));
}

Maybe OfMany(const std::string& name, const std::vector<Approximate>& arguments) {
  if (!std::all_of(arguments.begin(), arguments.end(), IsReal)) return std::nullopt;
  const auto less = [](const Approximate& left, const Approximate& right) {
    return left.value.real() < right.value.real();
  };
  if (name == "\\max") return *std::max_element(arguments.begin(), arguments.end(), less);
  if (name == "\\min") return *std::min_element(arguments.begin(), arguments.end(), less);
  if (name != "\\gcd" && name != "\\lcm") return std::nullopt;
  std::int64_t result = name == "\\gcd" ? 0 : 1;
  for (const Approximate& argument : arguments) {
    const auto integer = AsInteger(argument);
    if (!integer || *integer == 0 || std::abs(*integer) > 1'000'000 || result > 1'000'000'000'000) return std::nullopt;
    result = name == "\\gcd" ? std::gcd(result, *integer) : std::lcm(result, *integer);
  }
  return RealResult(static_cast<long double>(result));
}

Maybe Call(const Node& node, std::uint32_t point) {
  std::vector<Approximate> arguments;
  for (const Node& argument : node.args) {
    const Maybe value = NumericValue(argument, point);
    if (!value) return value;
    arguments.push_back(*value);
  }
  if (arguments.empty()) return std::nullopt;
  if (arguments.size() == 1) {
    if (node.name == "\\floor" || node.name == "\\ceil") return Stepped(node.name, arguments[0]);
    for (const NamedFunction& named : kNamedFunctions) {
      if (node.name == named.name) return Apply(named.function, arguments[0]);
    }
  }
  if (node.name == "\\log" && arguments.size() == 2) {
    const auto log = [](Complex x) { return std::log(x); };
    return Divide(Apply(log, arguments[0]), Apply(log, arguments[1]));
  }
  if (node.name == "\\binom" && arguments.size() == 2) return Binomial(arguments[0], arguments[1]);
  return OfMany(node.name, arguments);
}

Maybe Symbol(const std::string& name, std::uint32_t point) {
  if (name == "\\pi") return RealResult(kPi);
  if (name == "e") return RealResult(std::numbers::e_v<long double>);
  if (name == "i") return Approximate{{0.0L, 1.0L}, 0};
  // Between 0.3 and 2.8, of either sign.
  const std::uint64_t bits = PointBits(name, point);
  const long double size = 0.3L + 2.5L * static_cast<long double>(bits >> 32) / 4294967296.0L;
  return RealResult((bits & 1) != 0 ? size : -size);
}

Maybe Number(const std::string& text) {
  const std::size_t open = text.find('(');
  if (open == std::string::npos) return RealResult(std::strtold(text.c_str(), nullptr));
  const std::size_t close = text.find(')');
  // Enough repetitions for the last bit.
  std::string digits = text.substr(0, open);
  while (digits.size() < 40) digits += text.substr(open + 1, close - open - 1);
  return RealResult(std::strtold((digits + text.substr(close + 1)).c_str(), nullptr));
}

Maybe PowerOf(const Node& node, std::uint32_t point) {
  const Maybe base = NumericValue(node.args[0], point);
  if (!base) return base;
  if (const auto exponent = ToSmallRational(node.args[1])) return RationalPower(*base, *exponent);
  const Maybe exponent = NumericValue(node.args[1], point);
  if (!exponent) return exponent;
  return GeneralPower(*base, *exponent);
}

Maybe RootOf(const Node& node, std::uint32_t point) {
  const Maybe radicand = NumericValue(node.args[0], point);
  if (!radicand) return radicand;
  const auto degree = ToSmallRational(node.args[1]);
  if (degree && degree->first > 0) return RationalPower(*radicand, {degree->second, degree->first});
  const Maybe general = NumericValue(node.args[1], point);
  if (!general) return general;
  return GeneralPower(*radicand, Divide(RealResult(1), *general));
}

Maybe FactorialOf(const Node& node, std::uint32_t point) {
  const Maybe argument = NumericValue(node.args[0], point);
  if (!argument || !IsReal(*argument)) return std::nullopt;
  return Apply([](Complex x) { return Complex(std::tgamma(x.real() + 1)); }, *argument);
}

}  // namespace

bool Approximate::IsFinite() const {
  return std::isfinite(value.real()) && std::isfinite(value.imag()) && std::isfinite(error);
}

Approximate Multiply(const Approximate& left, const Approximate& right) {
  return Rounded(left.value * right.value, std::abs(left.value) * right.error + std::abs(right.value) * left.error);
}

Approximate Divide(const Approximate& left, const Approximate& right) {
  if (std::abs(right.value) <= right.error || right.value == Complex(0)) {
    return Undefined();
  }
  const Complex quotient = left.value / right.value;
  return Rounded(quotient, (left.error + std::abs(quotient) * right.error) / std::abs(right.value));
}

bool MayBeEqual(const Approximate& left, const Approximate& right) {
  return std::abs(left.value - right.value) <= 16 * (left.error + right.error);
}

std::optional<Approximate> NumericValue(const Node& node, std::uint32_t point) {
  switch (node.op) {
    case Op::kNumber:
      return Number(node.name);
    case Op::kSymbol:
      return Symbol(node.name, point);
    case Op::kPower:
      return PowerOf(node, point);
    case Op::kRoot:
      return RootOf(node, point);
    case Op::kFactorial:
      return FactorialOf(node, point);
    case Op::kCall:
      return Call(node, point);
    default:
      break;
  }
  const bool is_degree = node.op == Op::kUnit && node.name == "degree";
  const bool is_group = node.op == Op::kTuple && node.args.size() == 1 && node.name != "{}";
  if (node.op == Op::kNegate || is_degree || is_group) {
    const Maybe value = NumericValue(node.args[0], point);
    if (!value || is_group) return value;
    return is_degree ? Multiply(*value, RealResult(kPi / 180)) : Rounded(-value->value, value->error);
  }
  if (node.op != Op::kAdd && node.op != Op::kSubtract && node.op != Op::kMultiply && node.op != Op::kDivide) {
    return std::nullopt;
  }
  const Maybe left = NumericValue(node.args[0], point);
  const Maybe right = left ? NumericValue(node.args[1], point) : left;
  if (!right) return right;
  if (node.op == Op::kMultiply) return Multiply(*left, *right);
  if (node.op == Op::kDivide) return Divide(*left, *right);
  return Add(*left, *right, node.op == Op::kAdd ? 1.0L : -1.0L);
}

}  // namespace autodidact::answers
