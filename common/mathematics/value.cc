#include "mathematics/value.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "base/strings.h"
#include "mathematics/ball.h"
#include "mathematics/exact.h"
#include "mathematics/field.h"
#include "mathematics/tree.h"

namespace autodidact::mathematics {
namespace {

constexpr std::int64_t kSmall = 1'000'000'000;
constexpr std::uint32_t kNearPoints = 10;
constexpr int kEnoughPoints = 4;
constexpr double kMaxNeeded = 3000;   // bits
constexpr double kPointDigits = 100;  // bits in which values at a random point agree
constexpr int kIntegerPoints = 4;
constexpr std::size_t kMaxCentres = 6;
constexpr std::int64_t kMaxFar = 40'000;
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
    } else if (base::IsDigit(c)) {
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

// Whether both have the same value in every field, as long as both have one.
std::optional<bool> SameInFields(const Node& left, const Node& right, Trial& trial, bool atoms) {
  for (std::size_t field = 0; field < Trial::kFields; ++field) {
    const FieldPlace place = {.field = field, .atoms = atoms};
    const auto a = ValueInField(left, trial, place);
    const auto b = a ? ValueInField(right, trial, place) : a;
    if (!b) return std::nullopt;
    if (*a != *b) return false;
  }
  return true;
}

// The values of the constant parts, where bends and jumps may be.
void CollectConstants(const Node& node, Trial& trial, std::vector<Rational>& constants) {
  if (constants.size() >= kMaxCentres) return;
  if (HasVariables(node)) {
    for (const Node& arg : node.args) CollectConstants(arg, trial, constants);
    return;
  }
  auto constant = ExactValue(node);
  if (!constant) {
    const auto value = BallValue(node, trial, {}, 128);
    if (!value || !value->IsFinite() || std::abs(value->LogUpper()) > kMaxFar) return;
    constant.emplace();
    arf_get_fmpq(constant->Raw(), arb_midref(acb_realref(value->Raw())));
  }
  if (std::find(constants.begin(), constants.end(), *constant) == constants.end()) {
    constants.push_back(std::move(*constant));
  }
}

// What has bends or jumps, which may lie where no random point is.
bool IsPiecewise(const Node& node) {
  static constexpr std::string_view kBent[] = {"\\abs", "\\max", "\\min", "\\floor", "\\ceil", "\\ln", "\\log", "\\lg"};
  if (node.op == Op::kRoot || (node.op == Op::kCall && base::Contains(kBent, node.name))) return true;
  if (node.op == Op::kPower && node.args[1].op != Op::kNumber) return true;
  return std::any_of(node.args.begin(), node.args.end(), IsPiecewise);
}

bool HasImaginary(const Node& node) {
  if (node.op == Op::kSymbol && node.name == "i") return true;
  return std::any_of(node.args.begin(), node.args.end(), HasImaginary);
}

// What two expressions with variables are at one point.
enum class AtPoint { kSameReal, kSameComplex, kDifferentReal, kDifferentComplex, kUnknown, kUnsupported };

// They are the same where their difference is smaller than 2^-`needed` times the larger of them and 1.
AtPoint CompareAt(const Node& left, const Node& right, Trial& trial, const Point& point, double needed) {
  if (needed > kMaxNeeded) return AtPoint::kUnknown;
  const auto most = static_cast<slong>(4 * (needed + 128));
  for (slong precision = 128; precision <= most; precision *= 2) {
    const auto a = BallValue(left, trial, point, precision);
    const auto b = a ? BallValue(right, trial, point, precision) : a;
    if (!b) return AtPoint::kUnsupported;
    if (!a->IsFinite() || !b->IsFinite()) continue;
    const Ball difference = Difference(*a, *b, precision);
    if (!difference.HasZero()) {
      return a->MayBeReal() || b->MayBeReal() ? AtPoint::kDifferentReal : AtPoint::kDifferentComplex;
    }
    if (difference.LogUpper() < std::max({a->LogUpper(), b->LogUpper(), 0.0}) - needed) {
      return a->MayBeReal() ? AtPoint::kSameReal : AtPoint::kSameComplex;
    }
  }
  return AtPoint::kUnknown;
}

std::vector<Point> PointsFor(const Node& left, const Node& right, const std::vector<Rational>& centres) {
  std::vector<Point> points;
  const auto add = [&](bool positive, int scale, const Rational* centre) {
    points.push_back({static_cast<std::uint32_t>(points.size()), positive, scale, centre});
  };
  for (std::uint32_t i = 0; i < kNearPoints; ++i) add(i % 2 == 0, 0, nullptr);
  if (!IsPiecewise(left) && !IsPiecewise(right)) return points;
  std::int64_t bits = 4;
  for (const Rational& centre : centres) bits += centre.Bits();
  const int far = static_cast<int>(std::min(bits, kMaxFar));
  for (const int scale : {far, -far, far / 2, 7, 14, 30, -7}) {
    add(true, scale, nullptr);
    add(false, scale, nullptr);
  }
  for (const Rational& centre : centres) {
    add(true, -12, &centre);
    add(false, -12, &centre);
  }
  for (int i = 0; i < kIntegerPoints; ++i) {
    add(i % 2 == 0, 0, nullptr);
    points.back().integer = true;
  }
  return points;
}

ValueEquality SameAtPoints(const Node& left, const Node& right, Trial& trial) {
  std::vector<Rational> centres;
  CollectConstants(left, trial, centres);
  CollectConstants(right, trial, centres);
  for (std::size_t i = 0, n = centres.size(); i < n; ++i) {
    Rational negative;
    fmpq_neg(negative.Raw(), centres[i].Raw());
    centres.push_back(std::move(negative));
  }
  const double bound = ZeroBoundOf(MakeNode(Op::kSubtract, "", {left, right}), trial);
  int same_real = 0, same_complex = 0;
  bool differs_where_complex = false;
  for (const Point& point : PointsFor(left, right, centres)) {
    const bool decides = same_real + same_complex < kEnoughPoints;
    switch (CompareAt(left, right, trial, point, decides ? bound : kPointDigits)) {
      case AtPoint::kSameReal:
        ++same_real;
        break;
      case AtPoint::kSameComplex:
        ++same_complex;
        break;
      case AtPoint::kDifferentReal:
        return ValueEquality::kDifferent;
      case AtPoint::kDifferentComplex:
        differs_where_complex = true;
        break;
      case AtPoint::kUnsupported:
        return ValueEquality::kUnsupported;
      case AtPoint::kUnknown:
        break;
    }
  }
  if (differs_where_complex && (same_real < kEnoughPoints || HasImaginary(left) || HasImaginary(right))) {
    return ValueEquality::kDifferent;
  }
  return same_real + same_complex >= kEnoughPoints ? ValueEquality::kSame : ValueEquality::kUndecided;
}

std::optional<bool> ProportionalInFields(const Node& left, const Node& right, Trial& trial) {
  for (std::size_t field = 0; field < Trial::kFields; ++field) {
    std::optional<std::uint64_t> factor;
    for (const std::uint32_t point : {0u, 1u}) {
      const FieldPlace place = {.field = field, .point = point};
      const auto a = ValueInField(left, trial, place);
      const auto b = a ? ValueInField(right, trial, place) : a;
      if (!b) return std::nullopt;
      const auto inverse = InverseInField(*b, trial.Field(field));
      if (!inverse || *a == 0) return false;
      const std::uint64_t ratio = MultiplyInField(*a, *inverse, trial.Field(field));
      if (factor && *factor != ratio) return false;
      factor = ratio;
    }
  }
  return true;
}

// At so many points at least, and at none another factor.
std::optional<bool> ProportionalAtPoints(const Node& left, const Node& right, bool positive, Trial& trial, int enough) {
  constexpr slong kPrecision = 512;
  std::optional<Ball> factor;
  int defined = 0;
  for (std::uint32_t i = 0; i < kNearPoints; ++i) {
    const Point point = {.number = i, .positive = i % 2 == 0};
    const auto a = BallValue(left, trial, point, kPrecision);
    const auto b = a ? BallValue(right, trial, point, kPrecision) : a;
    if (!b) return std::nullopt;
    const Ball ratio = Quotient(*a, *b, kPrecision);
    if (!ratio.IsFinite() || ratio.HasZero() || ratio.LogRadius() > ratio.LogUpper() - kPointDigits) continue;
    if (positive && arb_is_positive(acb_realref(ratio.Raw())) == 0) return false;
    if (factor && !Difference(*factor, ratio, kPrecision).HasZero()) return false;
    factor = ratio;
    ++defined;
  }
  if (defined < enough) return std::nullopt;
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

ValueEquality SameValue(const Node& left, const Node& right, Trial& trial) {
  const int left_sign = SignOfInfinity(left), right_sign = SignOfInfinity(right);
  if (left_sign != 0 || right_sign != 0) {
    if (left_sign == right_sign) return ValueEquality::kSame;
    return HasValue(left, trial) && HasValue(right, trial) ? ValueEquality::kDifferent : ValueEquality::kUndecided;
  }
  const bool constant = !HasVariables(left) && !HasVariables(right);
  if (constant) {
    const auto a = ExactValue(left);
    const auto b = a ? ExactValue(right) : a;
    if (b) return *a == *b ? ValueEquality::kSame : ValueEquality::kDifferent;
  }
  if (const auto exactly = SameInFields(left, right, trial, false)) {
    return *exactly ? ValueEquality::kSame : ValueEquality::kDifferent;
  }
  if (SameInFields(left, right, trial, true).value_or(false) && HasValue(left, trial) && HasValue(right, trial)) {
    return ValueEquality::kSame;
  }
  return constant ? CompareWithZero(MakeNode(Op::kSubtract, "", {left, right}), trial)
                  : SameAtPoints(left, right, trial);
}

bool HasValue(const Node& node, Trial& trial) {
  if (SignOfInfinity(node) != 0 || ValueInField(node, trial, {})) return true;
  for (std::uint32_t i = 0; i < kNearPoints; ++i) {
    for (const slong precision : {128, 1024}) {
      const auto value = BallValue(node, trial, {.number = i, .positive = i % 2 == 0}, precision);
      if (!value || (value->IsFinite() && value->LogRadius() < std::max(value->LogUpper(), 0.0) - 64)) return true;
    }
    if (!HasVariables(node)) break;
  }
  return false;
}

bool IsLess(const Node& left, const Node& right, Trial& trial) {
  const auto difference = BallValue(MakeNode(Op::kSubtract, "", {right, left}), trial, {}, 256);
  return difference && difference->IsFinite() && arb_is_zero(acb_imagref(difference->Raw())) != 0 &&
         arb_is_positive(acb_realref(difference->Raw())) != 0;
}

bool IsRoundedTo(const Node& decimal, const Node& value, Trial& trial) {
  const Node& number = decimal.op == Op::kNegate ? decimal.args[0] : decimal;
  const Node& other = value.op == Op::kNegate ? value.args[0] : value;
  if (number.op != Op::kNumber || other.op == Op::kNumber || HasVariables(value)) return false;
  const std::size_t point = number.name.find('.');
  if (point == std::string::npos || number.name.find_first_not_of("0123456789.") != std::string::npos) return false;
  const std::size_t first = number.name.find_first_of("123456789");
  if (first == std::string::npos || number.name.size() - first - (first < point ? 1 : 0) < kManyDigits) return false;
  const std::size_t places = number.name.size() - point - 1;
  // What a decimal of that length can say exactly is not rounded.
  if (const auto exact = ExactValue(value)) {
    Rational scaled = PowerOfTen(places);
    fmpq_mul(scaled.Raw(), scaled.Raw(), exact->Raw());
    if (scaled.IsInteger()) return false;
  }
  const auto precision = static_cast<slong>(64 + 4 * number.name.size());
  const auto a = BallValue(decimal, trial, {}, precision), b = BallValue(value, trial, {}, precision);
  if (!a || !b || !a->IsFinite() || !b->IsFinite()) return false;
  return Difference(*a, *b, precision).LogUpper() <= -std::log2(10.0) * static_cast<double>(places);
}

std::optional<bool> Proportional(const Node& left, const Node& right, bool positive, Trial& trial) {
  const auto exactly = ProportionalInFields(left, right, trial);
  if (exactly && (!*exactly || !positive)) return exactly;
  // In a field a factor has no sign.
  return ProportionalAtPoints(left, right, positive, trial, exactly ? 1 : kEnoughPoints);
}

int SignOfInfinity(const Node& node) {
  if (node.op == Op::kNegate) return -SignOfInfinity(node.args[0]);
  return node.op == Op::kSymbol && node.name == "\\infty" ? 1 : 0;
}

bool HasVariables(const Node& node) {
  if (node.op == Op::kSymbol) {
    return node.name != "\\pi" && node.name != "e" && node.name != "i" && node.name != "\\infty" && !IsBound(node.name);
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

}  // namespace autodidact::mathematics
