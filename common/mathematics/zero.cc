#include "mathematics/zero.h"

#include <flint/ulong_extras.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "mathematics/ball.h"
#include "mathematics/exact.h"
#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

constexpr double kMaxBound = 12'000;      // bits
constexpr slong kMaxPrecision = 24'576;   // bits
constexpr slong kEnoughForValue = 2'048;  // bits at which a value that is still not finite is taken for undefined
constexpr double kMargin = 320;           // bits, where something transcendental is in it
constexpr double kMarginOfNode = 16;
constexpr double kTooMuch = 1e9;

// An expression as the quotient U / L of algebraic integers: logarithms to base 2 of bounds of all their conjugates.
struct Height {
  double u = 0, l = 0;
};

// The degree of everything that is adjoined to the rationals: each root once.
class ZeroBound {
 public:
  explicit ZeroBound(Trial& trial) : trial_(trial) {}

  // −log2 of a bound below which nothing but zero lies.
  double Of(const Node& node) {
    const Height height = HeightOf(node);
    double degree = 1;
    for (const auto& [key, factor] : degrees_) degree *= factor;
    const double bound = (degree - 1) * height.u + height.l;
    return is_transcendental_ ? bound + kMargin + kMarginOfNode * nodes_ : bound;
  }

 private:
  static void AppendKey(const Node& node, std::string& key) {
    key.append(std::to_string(static_cast<int>(node.op))).append(node.name).push_back('(');
    for (const Node& arg : node.args) AppendKey(arg, key);
    key.push_back(')');
  }
  static std::string Key(const Node& node, std::string_view what) {
    std::string key(what);
    AppendKey(node, key);
    return key;
  }

  Height HeightOf(const Node& node) {
    nodes_ += 1;
    if (!trial_.Spend(2)) return {kTooMuch, kTooMuch};
    switch (node.op) {
      case Op::kNumber:
        return HeightOfNumber(node.name);
      case Op::kSymbol:
        if (node.name == "i") {
          degrees_["i"] = 2;
          return {};
        }
        is_transcendental_ = true;
        return {2, 0};
      case Op::kPower:
      case Op::kRoot:
        return HeightOfPower(node);
      case Op::kFactorial:
      case Op::kCall:
        return HeightOfCall(node);
      case Op::kUnit:
        is_transcendental_ = true;
        return {};
      default:
        return HeightOfArithmetic(node);
    }
  }

  static Height HeightOfNumber(const std::string& text) {
    const Decimal decimal = ReadDecimal(text);
    const double exponent = std::log2(10.0) * static_cast<double>(decimal.exponent);
    const auto bits = [](const fmpz* integer) { return static_cast<double>(fmpz_bits(integer)); };
    return {bits(fmpq_numref(decimal.mantissa.Raw())) + std::max(0.0, exponent),
            bits(fmpq_denref(decimal.mantissa.Raw())) + std::max(0.0, -exponent)};
  }

  Height HeightOfArithmetic(const Node& node) {
    if (node.args.empty()) return {kTooMuch, kTooMuch};
    const Height left = HeightOf(node.args[0]);
    if (node.args.size() == 1) return left;
    const Height right = HeightOf(node.args[1]);
    if (node.op == Op::kMultiply) return {left.u + right.u, left.l + right.l};
    if (node.op == Op::kDivide) return {left.u + right.l, left.l + right.u};
    return {std::max(left.u + right.l, left.l + right.u) + 1, left.l + right.l};
  }

  Height HeightOfPower(const Node& node) {
    auto exponent = ToSmallRational(node.args[1]);
    if (exponent && node.op == Op::kRoot) {
      exponent = exponent->first > 0 ? std::optional<SmallRational>({exponent->second, exponent->first}) : std::nullopt;
    }
    if (!exponent) return HeightOfCall(node);
    const auto [p, q] = *exponent;
    if (q > 1) degrees_[Key(node.args[0], std::to_string(q))] = static_cast<double>(q);
    const double power = std::abs(static_cast<double>(p)) / static_cast<double>(q);
    const Height base = HeightOf(node.args[0]);
    return p < 0 ? Height{base.l * power, base.u * power} : Height{base.u * power, base.l * power};
  }

  Height HeightOfCall(const Node& node) {
    if (node.op == Op::kCall && (node.name == "\\abs" || node.name == "\\max" || node.name == "\\min")) {
      Height all;
      if (node.name == "\\abs") degrees_[Key(node, "abs")] = 2;
      for (const Node& arg : node.args) {
        const Height height = HeightOf(arg);
        all = {std::max(all.u, height.u), all.l + height.l};
      }
      return all;
    }
    if (const auto turn = IsTrigonometric(node) ? MultipleOfPi(node.args[0]) : std::nullopt) {
      return HeightOfRootOfUnity(node, *turn);
    }
    Height height;
    for (const Node& arg : node.args) {
      const Height of_argument = HeightOf(arg);
      height = {height.u + of_argument.u, height.l + of_argument.l};
    }
    is_transcendental_ = true;
    constexpr slong kPrecision = 128;
    const auto value = BallValue(node, trial_, {}, kPrecision);
    if (!value || !value->IsFinite()) return {kTooMuch, kTooMuch};
    height.u += std::max(0.0, value->LogUpper());
    if (!value->HasZero()) height.l += std::max(0.0, -value->LogLower());
    return height;
  }

  static bool IsTrigonometric(const Node& node) {
    return node.op == Op::kCall && node.args.size() == 1 &&
           (node.name == "\\sin" || node.name == "\\cos" || node.name == "\\tan" || node.name == "\\cot" ||
            node.name == "\\sec" || node.name == "\\csc");
  }

  // 2 cos and 2 sin of r π are sums of two roots of unity.
  Height HeightOfRootOfUnity(const Node& node, const Rational& turn) {
    constexpr ulong kMaxOrder = 1'000'000;
    const fmpz* const below = fmpq_denref(turn.Raw());
    if (fmpz_cmp_ui(below, kMaxOrder) > 0) return {kTooMuch, kTooMuch};
    const ulong order = 4 * fmpz_get_ui(below);
    degrees_[Key(MakeNode(Op::kNumber, std::to_string(order)), "turn")] = static_cast<double>(n_euler_phi(order));
    if (node.name == "\\sin" || node.name == "\\cos") return {1, 1};
    return {2, 2};
  }

  Trial& trial_;
  std::map<std::string, double> degrees_;
  bool is_transcendental_ = false;
  double nodes_ = 0;
};

}  // namespace

double ZeroBoundOf(const Node& node, Trial& trial) {
  return ZeroBound(trial).Of(node);
}

ValueEquality CompareWithZero(const Node& node, Trial& trial) {
  std::optional<double> bound;
  for (slong precision = 64; precision <= kMaxPrecision; precision *= 2) {
    const auto value = BallValue(node, trial, {}, precision);
    if (!value) return ValueEquality::kUnsupported;
    if (!value->IsFinite()) {
      if (precision >= kEnoughForValue) return ValueEquality::kUndecided;
      continue;
    }
    if (!value->HasZero()) return ValueEquality::kDifferent;
    if (!bound) bound = ZeroBound(trial).Of(node);
    if (*bound <= kMaxBound && value->LogUpper() < -*bound - 1) return ValueEquality::kSame;
    if (*bound > kMaxBound && precision >= kEnoughForValue) return ValueEquality::kUndecided;
  }
  return ValueEquality::kUndecided;
}

}  // namespace autodidact::mathematics
