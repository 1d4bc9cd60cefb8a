#include "answers/math_value.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "answers/math_field.h"
#include "answers/math_numeric.h"
#include "answers/text_util.h"

namespace autodidact::answers {
namespace {

constexpr std::int64_t kSmall = 1'000'000'000;
constexpr std::uint32_t kFieldPoints = 2;
constexpr std::uint32_t kNumericPoints = 12;
constexpr int kEnoughPoints = 4;
constexpr std::size_t kManyDigits = 12;

std::optional<SmallRational> Reduced(std::int64_t above, std::int64_t below) {
  if (below == 0) return std::nullopt;
  const std::int64_t divisor = std::gcd(above, below) * (below < 0 ? -1 : 1);
  above /= divisor;
  below /= divisor;
  if (std::abs(above) > kSmall || below > kSmall) return std::nullopt;
  return SmallRational{above, below};
}

std::optional<SmallRational> SmallNumber(std::string_view text) {
  if (text.size() > 9) return std::nullopt;
  std::int64_t above = 0, below = 1;
  bool after_point = false;
  for (const char c : text) {
    if (c == '.') {
      after_point = true;
    } else if (IsDigit(c)) {
      above = above * 10 + (c - '0');
      if (after_point) below *= 10;
    } else {
      return std::nullopt;
    }
  }
  return Reduced(above, below);
}

std::optional<SmallRational> SmallPower(const SmallRational& base, const SmallRational& exponent) {
  if (exponent.second != 1 || std::abs(exponent.first) > 30) return std::nullopt;
  std::optional<SmallRational> result = SmallRational{1, 1};
  for (std::int64_t i = 0; i < std::abs(exponent.first) && result; ++i) {
    result = Reduced(result->first * base.first, result->second * base.second);
  }
  if (result && exponent.first < 0) result = Reduced(result->second, result->first);
  return result;
}

// Both values in every field at every point, as long as both have one.
template <class Compare>
std::optional<bool> InFields(const Node& left, const Node& right, Compare compare) {
  for (const PrimeField& field : kFields) {
    for (std::uint32_t point = 0; point < kFieldPoints; ++point) {
      const auto a = ValueInField(left, field, point);
      const auto b = a ? ValueInField(right, field, point) : a;
      if (!b) return std::nullopt;
      if (!compare(*a, *b, field)) return false;
    }
  }
  return true;
}

// Both values at several points; nothing when there are too few points at which both are defined.
template <class Compare>
std::optional<bool> Numerically(const Node& left, const Node& right, Compare compare) {
  int defined = 0;
  for (std::uint32_t point = 0; point < kNumericPoints; ++point) {
    const auto a = NumericValue(left, point);
    const auto b = a ? NumericValue(right, point) : a;
    if (!b) return std::nullopt;
    if (!a->IsFinite() || !b->IsFinite()) continue;
    if (!compare(*a, *b)) return false;
    ++defined;
  }
  if (defined < kEnoughPoints) return std::nullopt;
  return true;
}

}  // namespace

std::optional<SmallRational> ToSmallRational(const Node& node) {
  if (node.op == Op::kNumber) return SmallNumber(node.name);
  if (node.op == Op::kNegate) {
    const auto value = ToSmallRational(node.args[0]);
    return value ? Reduced(-value->first, value->second) : value;
  }
  if (node.args.size() != 2) return std::nullopt;
  const auto left = ToSmallRational(node.args[0]);
  const auto right = left ? ToSmallRational(node.args[1]) : left;
  if (!right) return std::nullopt;
  const auto [a, b] = *left;
  const auto [c, d] = *right;
  switch (node.op) {
    case Op::kAdd:
      return Reduced(a * d + c * b, b * d);
    case Op::kSubtract:
      return Reduced(a * d - c * b, b * d);
    case Op::kMultiply:
      return Reduced(a * c, b * d);
    case Op::kDivide:
      return Reduced(a * d, b * c);
    case Op::kPower:
      return SmallPower(*left, *right);
    default:
      return std::nullopt;
  }
}

std::optional<bool> SameValue(const Node& left, const Node& right) {
  const auto exactly =
      InFields(left, right, [](std::uint64_t a, std::uint64_t b, const PrimeField&) { return a == b; });
  if (exactly) return exactly;
  return Numerically(left, right, MayBeEqual);
}

bool IsRoundedTo(const Node& decimal, const Node& value) {
  const Node& number = decimal.op == Op::kNegate ? decimal.args[0] : decimal;
  const Node& other = value.op == Op::kNegate ? value.args[0] : value;
  if (number.op != Op::kNumber || other.op == Op::kNumber || HasVariables(value)) return false;
  const std::size_t point = number.name.find('.');
  if (point == std::string::npos || number.name.find_first_not_of("0123456789.") != std::string::npos) return false;
  const std::size_t first = number.name.find_first_of("123456789");
  if (first == std::string::npos || number.name.size() - first - (first < point ? 1 : 0) < kManyDigits) return false;
  const auto a = NumericValue(decimal, 0), b = NumericValue(value, 0);
  if (!a || !b || !a->IsFinite() || !b->IsFinite()) return false;
  const auto last_place = std::pow(10.0L, -static_cast<long double>(number.name.size() - point - 1));
  return std::abs(a->value - b->value) <= last_place + a->error + b->error;
}

std::optional<bool> Proportional(const Node& left, const Node& right, bool positive) {
  // In a field a factor has no sign: the numerical comparison decides about it.
  std::optional<std::uint64_t> factors[std::size(kFields)];
  const auto same_factor = [&](std::uint64_t a, std::uint64_t b, const PrimeField& field) {
    const auto inverse = InverseInField(b, field);
    if (!inverse || a == 0) return a == 0 && b == 0;
    auto& factor = factors[&field - kFields];
    const std::uint64_t ratio = MultiplyInField(a, *inverse, field);
    if (!factor) factor = ratio;
    return *factor == ratio;
  };
  const auto exactly = InFields(left, right, same_factor);
  if (exactly && !*exactly) return false;
  std::optional<Approximate> factor;
  return Numerically(left, right, [&](const Approximate& a, const Approximate& b) {
    const Approximate ratio = Divide(a, b);
    if (!ratio.IsFinite() || ratio.value == std::complex<long double>(0)) return false;
    if (positive && !(ratio.value.imag() == 0 && ratio.value.real() > 0)) return false;
    if (!factor) factor = ratio;
    return MayBeEqual(*factor, ratio);
  });
}

bool HasVariables(const Node& node) {
  if (node.op == Op::kSymbol) {
    return node.name != "\\pi" && node.name != "e" && node.name != "i" && node.name != "\\infty";
  }
  return std::any_of(node.args.begin(), node.args.end(), HasVariables);
}

bool HasPlusMinus(const Node& node) {
  return node.op == Op::kPlusMinus || std::any_of(node.args.begin(), node.args.end(), HasPlusMinus);
}

std::pair<Node, Node> Alternatives(const Node& node) {
  std::pair<Node, Node> both = {node, node};
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    auto [upper, lower] = Alternatives(node.args[i]);
    both.first.args[i] = std::move(upper);
    both.second.args[i] = std::move(lower);
  }
  if (node.op == Op::kPlusMinus) {
    both.first.op = node.name == "+" ? Op::kAdd : Op::kSubtract;
    both.second.op = node.name == "+" ? Op::kSubtract : Op::kAdd;
  }
  return both;
}

}  // namespace autodidact::answers
