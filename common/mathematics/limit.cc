#include "mathematics/limit.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "mathematics/tree.h"
#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

constexpr std::int64_t kTerms = 8;            // of each expansion
constexpr std::int64_t kMaxExponent = 20;     // of a power that is multiplied out
constexpr std::size_t kMaxCoefficient = 400;  // nodes
constexpr std::int64_t kMaxOrder = 60;

// ln(1/t), which grows more slowly than any power of 1/t.
constexpr std::string_view kLogarithm = "\\large";

// Thrown inside this file only.
struct NotFound {};

// Σ terms[i] t^(low + i), t > 0 and small, up to but without the power low + terms.size(). No terms: zero.
struct Expansion {
  std::int64_t low = 0;
  std::vector<Node> terms;

  bool IsZero() const { return terms.empty(); }
};

class Expander {
 public:
  // The variable is centre + sign · t^root, or sign / t^root without a centre.
  Expander(std::string variable, const Node* centre, int sign, std::int64_t root, Trial& trial)
      : variable_(std::move(variable)), centre_(centre), sign_(sign), root_(root), trial_(trial) {}

  Expansion Of(const Node& node) {
    if (!trial_.Spend(50)) throw NotFound();
    if (!DependsOn(node, variable_)) return Constant(node);
    switch (node.op) {
      case Op::kSymbol:
        if (node.name != variable_) throw NotFound();
        return Variable();
      case Op::kNegate:
        return Scaled(Of(node.args[0]), Integer(-1));
      case Op::kAdd:
        return Sum(Of(node.args[0]), Of(node.args[1]));
      case Op::kSubtract:
        return Sum(Of(node.args[0]), Scaled(Of(node.args[1]), Integer(-1)));
      case Op::kMultiply:
        return Product(Of(node.args[0]), Of(node.args[1]));
      case Op::kDivide:
        return Product(Of(node.args[0]), Power(Of(node.args[1]), {-1, 1}));
      case Op::kPower:
        return PowerOf(node);
      case Op::kRoot: {
        const auto degree = ToSmallRational(node.args[1]);
        if (!degree || degree->first <= 0) throw NotFound();
        return Power(Of(node.args[0]), {degree->second, degree->first});
      }
      case Op::kCall:
        return CallOf(node);
      default:
        throw NotFound();
    }
  }

  int SignOf(const Node& node) {
    if (HasVariables(node)) throw NotFound();
    if (IsLess(Integer(0), node, trial_)) return 1;
    if (IsLess(node, Integer(0), trial_)) return -1;
    throw NotFound();
  }

 private:
  bool IsZero(const Node& node) {
    if (const auto value = ToSmallRational(node)) return value->first == 0;
    if (CountNodes(node) > kMaxCoefficient) throw NotFound();
    switch (SameValue(node, Integer(0), trial_)) {
      case ValueEquality::kSame:
        return true;
      case ValueEquality::kDifferent:
        return false;
      default:
        throw NotFound();
    }
  }

  // Without zeros at its start; an expansion that is all zeros may still be none.
  Expansion Stripped(Expansion expansion) {
    while (!expansion.IsZero() && IsZero(expansion.terms.front())) {
      expansion.terms.erase(expansion.terms.begin());
      ++expansion.low;
      if (expansion.IsZero()) throw NotFound();
    }
    if (std::abs(expansion.low) > kMaxOrder) throw NotFound();
    return expansion;
  }

  Expansion Constant(const Node& node) {
    if (IsZero(node)) return {};
    Expansion constant{0, std::vector<Node>(static_cast<std::size_t>(kTerms), Integer(0))};
    constant.terms[0] = node;
    return constant;
  }

  Expansion Variable() {
    Expansion power{root_, std::vector<Node>(static_cast<std::size_t>(kTerms), Integer(0))};
    power.terms[0] = Integer(sign_);
    if (centre_ == nullptr) {
      power.low = -root_;
      return power;
    }
    return Sum(Constant(*centre_), std::move(power));
  }

  static Expansion Scaled(Expansion expansion, const Node& factor) {
    for (Node& term : expansion.terms) term = Times(std::move(term), factor);
    return expansion;
  }

  Expansion Sum(Expansion left, Expansion right) {
    if (left.IsZero()) return right;
    if (right.IsZero()) return left;
    if (left.low > right.low) std::swap(left, right);
    const std::int64_t end = std::min(End(left), End(right));
    if (end <= left.low) throw NotFound();
    left.terms.resize(static_cast<std::size_t>(end - left.low));
    for (std::int64_t i = right.low; i < end; ++i) {
      Node& term = left.terms[static_cast<std::size_t>(i - left.low)];
      term = Plus(std::move(term), right.terms[static_cast<std::size_t>(i - right.low)]);
    }
    return Stripped(std::move(left));
  }

  static std::int64_t End(const Expansion& expansion) {
    return expansion.low + static_cast<std::int64_t>(expansion.terms.size());
  }

  static Expansion Product(const Expansion& left, const Expansion& right) {
    if (left.IsZero() || right.IsZero()) return {};
    Expansion product{left.low + right.low, {}};
    product.terms.resize(std::min(left.terms.size(), right.terms.size()), Integer(0));
    for (std::size_t i = 0; i < product.terms.size(); ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        product.terms[i] = Plus(std::move(product.terms[i]), Times(left.terms[j], right.terms[i - j]));
      }
      if (CountNodes(product.terms[i]) > kMaxCoefficient) throw NotFound();
    }
    return product;
  }

  // (c t^low (1 + u))^(p/q) by the recurrence of its coefficients.
  Expansion Power(const Expansion& base, const SmallRational& exponent) {
    const auto [p, q] = exponent;
    if (base.IsZero()) {
      if (p <= 0) throw NotFound();
      return {};
    }
    if (base.low * p % q != 0) throw NotFound();
    const Node power = Over(Integer(p), Integer(q));
    Node leading = base.terms[0];
    if (q != 1) {
      const bool is_negative = SignOf(leading) < 0;
      if (is_negative && q % 2 == 0) throw NotFound();
      if (is_negative) leading = Minus(Integer(0), std::move(leading));
      leading = MakeNode(Op::kRoot, "", {std::move(leading), Integer(q)});
      if (is_negative) leading = Minus(Integer(0), std::move(leading));
    }
    Expansion result{base.low * p / q, {ToPower(std::move(leading), Integer(p))}};
    for (std::size_t n = 1; n < base.terms.size(); ++n) {
      Node sum = Integer(0);
      for (std::size_t k = 1; k <= n; ++k) {
        // (power k − n + k) b_k r_(n−k)
        const Node weight =
            Minus(Times(power, Integer(static_cast<std::int64_t>(k))), Integer(static_cast<std::int64_t>(n - k)));
        sum = Plus(std::move(sum), Times(weight, Times(base.terms[k], result.terms[n - k])));
      }
      result.terms.push_back(Over(std::move(sum), Times(Integer(static_cast<std::int64_t>(n)), base.terms[0])));
      if (CountNodes(result.terms.back()) > kMaxCoefficient) throw NotFound();
    }
    return result;
  }

  Expansion PowerOf(const Node& node) {
    const Node& base = node.args[0];
    const Node& exponent = node.args[1];
    if (const auto power = ToSmallRational(exponent)) {
      if (std::abs(power->first) > kMaxExponent || power->second > kMaxExponent) throw NotFound();
      return Power(Of(base), *power);
    }
    if (base.op == Op::kSymbol && base.name == "e") return Exponential(Of(exponent));
    return Exponential(Product(Of(exponent), Logarithm(Of(base))));
  }

  // y' = x' y
  Expansion Exponential(const Expansion& x) {
    if (x.IsZero()) return Constant(Integer(1));
    if (x.low < 0) {
      if (SignOf(x.terms[0]) > 0) throw NotFound();
      return {};  // smaller than every power of t
    }
    if (x.low == 0 && DependsOn(x.terms[0], kLogarithm)) throw NotFound();
    const Node start = x.low == 0 ? MakeNode(Op::kPower, "", {MakeNode(Op::kSymbol, "e"), x.terms[0]}) : Integer(1);
    Expansion result{0, {start}};
    for (std::int64_t n = 1; n < Regular(x); ++n) {
      Node sum = Integer(0);
      for (std::int64_t k = 1; k <= n; ++k) {
        sum = Plus(std::move(sum), Times(Times(Integer(k), Term(x, k)), Term(result, n - k)));
      }
      result.terms.push_back(Over(std::move(sum), Integer(n)));
      if (CountNodes(result.terms.back()) > kMaxCoefficient) throw NotFound();
    }
    return result;
  }

  // How many coefficients from t^0 on are known of an expansion without negative powers.
  static std::int64_t Regular(const Expansion& x) {
    if (x.low < 0) throw NotFound();
    return std::min(kTerms, End(x));
  }
  static Node Term(const Expansion& x, std::int64_t power) {
    return power < x.low ? Integer(0) : x.terms[static_cast<std::size_t>(power - x.low)];
  }

  // The expansion with this start and this derivative, up to t^terms.
  Expansion Integrated(const Node& start, const Expansion& slope) {
    Expansion result{0, {start}};
    for (std::int64_t n = 1; n <= std::min(kTerms, End(slope)); ++n) {
      result.terms.push_back(Over(Term(slope, n - 1), Integer(n)));
    }
    return Stripped(std::move(result));
  }

  // Of an expansion without negative powers.
  static Expansion Slope(const Expansion& x) {
    Expansion slope{x.low - 1, x.terms};
    for (std::size_t i = 0; i < slope.terms.size(); ++i) {
      slope.terms[i] = Times(std::move(slope.terms[i]), Integer(x.low + static_cast<std::int64_t>(i)));
    }
    if (x.low == 0) {
      slope.terms.erase(slope.terms.begin());
      slope.low = 0;
    }
    if (slope.IsZero()) throw NotFound();
    return slope;
  }

  Expansion Logarithm(const Expansion& x) {
    if (x.IsZero() || SignOf(x.terms[0]) < 0) throw NotFound();
    const Expansion scaled{0, x.terms};
    const Node large = Times(Integer(-x.low), MakeNode(Op::kSymbol, std::string(kLogarithm)));
    return Integrated(Plus(Apply("\\ln", x.terms[0]), large), Product(Slope(scaled), Power(scaled, {-1, 1})));
  }

  Expansion SineOrCosine(const Expansion& x, bool sine) {
    if (x.IsZero()) return sine ? Expansion{} : Constant(Integer(1));
    Regular(x);
    const Node start = Term(x, 0);
    std::vector<Node> sines = {x.low == 0 ? Apply("\\sin", start) : Integer(0)};
    std::vector<Node> cosines = {x.low == 0 ? Apply("\\cos", start) : Integer(1)};
    for (std::int64_t n = 1; n < Regular(x); ++n) {
      Node s = Integer(0), c = Integer(0);
      for (std::int64_t k = 1; k <= n; ++k) {
        const Node weight = Times(Integer(k), Term(x, k));
        s = Plus(std::move(s), Times(weight, cosines[static_cast<std::size_t>(n - k)]));
        c = Minus(std::move(c), Times(weight, sines[static_cast<std::size_t>(n - k)]));
      }
      sines.push_back(Over(std::move(s), Integer(n)));
      cosines.push_back(Over(std::move(c), Integer(n)));
      if (CountNodes(sines.back()) + CountNodes(cosines.back()) > kMaxCoefficient) throw NotFound();
    }
    return Stripped({0, sine ? std::move(sines) : std::move(cosines)});
  }

  Expansion ArcTangent(const Expansion& x) {
    if (x.IsZero()) return {};
    if (x.low < 0) {
      const Node right_angle = Over(MakeNode(Op::kSymbol, "\\pi"), Integer(2));
      const Expansion rest = Scaled(ArcTangent(Power(x, {-1, 1})), Integer(-1));
      return Sum(Constant(SignOf(x.terms[0]) > 0 ? right_angle : Minus(Integer(0), right_angle)), rest);
    }
    const Expansion below = Sum(Constant(Integer(1)), Product(x, x));
    return Integrated(x.low == 0 ? Apply("\\arctan", x.terms[0]) : Integer(0),
                      Product(Slope(x), Power(below, {-1, 1})));
  }

  Expansion ArcSine(const Expansion& x) {
    if (x.IsZero()) return {};
    Regular(x);
    const Expansion below = Sum(Constant(Integer(1)), Scaled(Product(x, x), Integer(-1)));
    return Integrated(x.low == 0 ? Apply("\\arcsin", x.terms[0]) : Integer(0),
                      Product(Slope(x), Power(below, {-1, 2})));
  }

  Expansion CallOf(const Node& node) {
    if (node.name == "\\log" && node.args.size() == 2) {
      return Product(Logarithm(Of(node.args[0])), Power(Logarithm(Of(node.args[1])), {-1, 1}));
    }
    if (node.args.size() != 1) throw NotFound();
    const Expansion x = Of(node.args[0]);
    const std::string& name = node.name;
    const auto inverse = [&](const Expansion& below) { return Power(below, {-1, 1}); };
    if (name == "\\exp") return Exponential(x);
    if (name == "\\ln") return Logarithm(x);
    if (name == "\\log" || name == "\\lg") return Scaled(Logarithm(x), Over(Integer(1), Apply("\\ln", Integer(10))));
    if (name == "\\sin") return SineOrCosine(x, true);
    if (name == "\\cos") return SineOrCosine(x, false);
    if (name == "\\tan") return Product(SineOrCosine(x, true), inverse(SineOrCosine(x, false)));
    if (name == "\\cot") return Product(SineOrCosine(x, false), inverse(SineOrCosine(x, true)));
    if (name == "\\sec") return inverse(SineOrCosine(x, false));
    if (name == "\\csc") return inverse(SineOrCosine(x, true));
    if (name == "\\arctan") return ArcTangent(x);
    if (name == "\\arcsin") return ArcSine(x);
    if (name == "\\arccos") {
      return Sum(Constant(Over(MakeNode(Op::kSymbol, "\\pi"), Integer(2))), Scaled(ArcSine(x), Integer(-1)));
    }
    if (name == "\\abs") return x.IsZero() || SignOf(x.terms[0]) > 0 ? x : Scaled(x, Integer(-1));
    throw NotFound();
  }

  const std::string variable_;
  const Node* const centre_;
  const int sign_;
  const std::int64_t root_;
  Trial& trial_;
};

std::optional<Node> LimitFrom(const Node& node, const std::string& variable, const Node* centre, int sign,
                              Trial& trial) {
  for (const std::int64_t root : {1, 2, 3, 6}) {
    try {
      Expander expander(variable, centre, sign, root, trial);
      const Expansion expansion = expander.Of(node);
      if (expansion.IsZero() || expansion.low > 0) return Integer(0);
      if (expansion.low == 0 && DependsOn(expansion.terms[0], kLogarithm)) return std::nullopt;
      if (expansion.low == 0) return expansion.terms[0];
      const Node infinity = MakeNode(Op::kSymbol, "\\infty");
      return expander.SignOf(expansion.terms[0]) > 0 ? infinity : MakeNode(Op::kNegate, "", {infinity});
    } catch (const NotFound&) {
      continue;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Node> LimitOf(const Node& node, const std::string& variable, const Node& target, Side side,
                            Trial& trial) {
  if (const int sign = SignOfInfinity(target); sign != 0) return LimitFrom(node, variable, nullptr, sign, trial);
  if (DependsOn(target, variable)) return std::nullopt;
  auto above = side == Side::kBelow ? std::nullopt : LimitFrom(node, variable, &target, 1, trial);
  if (side == Side::kAbove) return above;
  auto below = side == Side::kBoth && !above ? std::nullopt : LimitFrom(node, variable, &target, -1, trial);
  if (side == Side::kBelow || !below) return below;
  return SameValue(*above, *below, trial) == ValueEquality::kSame ? above : std::nullopt;
}

}  // namespace autodidact::mathematics
