#include "mathematics/calculus.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "mathematics/collection.h"
#include "mathematics/derivative.h"
#include "mathematics/exact.h"
#include "mathematics/limit.h"
#include "mathematics/tree.h"
#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

using MaybeNode = std::optional<Node>;

bool IsInfinity(const Node& node, bool negative) {
  if (negative) return node.op == Op::kNegate && IsInfinity(node.args[0], false);
  return IsSymbol(node, "\\infty");
}

MaybeNode OfLimit(const Node& call, Trial& trial) {
  const Side side = call.name == "\\lim" ? Side::kBoth : call.name == "\\lim+" ? Side::kAbove : Side::kBelow;
  return LimitOf(call.args[1], call.args[0].name, call.args[2], side, trial);
}

// ∫ e^(−a x²) over all reals, or half of them.
MaybeNode GaussianIntegral(const Node& call, Trial& trial) {
  const bool from_zero = IsNumber(call.args[2], 0);
  if (!IsInfinity(call.args[3], false) || !(from_zero || IsInfinity(call.args[2], true))) return std::nullopt;
  const Node& body = call.args[1];
  const bool natural = body.op == Op::kPower && IsSymbol(body.args[0], "e");
  if (!natural && !(body.op == Op::kCall && body.name == "\\exp")) return std::nullopt;
  const std::string& x = call.args[0].name;
  const Node& exponent = body.args[natural ? 1 : 0];
  // −x² a for one number a > 0
  const Node a = Minus(Integer(0), Substituted(exponent, x, Integer(1)));
  const Node square = Times(Minus(Integer(0), a), ToPower(call.args[0], Integer(2)));
  if (HasVariables(a) || !IsLess(Integer(0), a, trial)) return std::nullopt;
  if (SameValue(exponent, square, trial) != ValueEquality::kSame) return std::nullopt;
  Node root = MakeNode(Op::kRoot, "", {Over(MakeNode(Op::kSymbol, "\\pi"), a), Integer(2)});
  return from_zero ? Over(std::move(root), Integer(2)) : std::move(root);
}

// The p of c x^p.
MaybeNode ExponentOf(const Node& power, const std::string& x, Trial& trial) {
  const MaybeNode slope = Derivative(power, x);
  if (!slope) return slope;
  const Node exponent = Over(Substituted(*slope, x, Integer(1)), Substituted(power, x, Integer(1)));
  const Node expected = Times(exponent, power);
  const bool is_power = !DependsOn(exponent, x) && !HasVariables(exponent) &&
                        SameValue(Times(MakeNode(Op::kSymbol, x), *slope), expected, trial) == ValueEquality::kSame;
  return is_power ? MaybeNode(exponent) : std::nullopt;
}

// A sum of c x^p from 0 ≤ a to b or ∞.
MaybeNode IntegralOfPowers(const Node& body, const Node& call, Trial& trial) {
  if (body.op == Op::kAdd || body.op == Op::kSubtract) {
    MaybeNode left = IntegralOfPowers(body.args[0], call, trial);
    MaybeNode right = left ? IntegralOfPowers(body.args[1], call, trial) : left;
    if (!right) return right;
    return body.op == Op::kAdd ? Plus(std::move(*left), std::move(*right)) : Minus(std::move(*left), std::move(*right));
  }
  const std::string& x = call.args[0].name;
  const Node& lower = call.args[2];
  const Node& upper = call.args[3];
  const bool from_zero = IsNumber(lower, 0), to_infinity = IsInfinity(upper, false);
  const bool is_ordered = !HasVariables(lower) && (from_zero || IsLess(Integer(0), lower, trial)) &&
                          (to_infinity || (!HasVariables(upper) && IsLess(lower, upper, trial)));
  const MaybeNode exponent = is_ordered ? ExponentOf(body, x, trial) : std::nullopt;
  if (!exponent) return exponent;
  const Node next = Plus(*exponent, Integer(1));
  const bool grows = IsLess(Integer(0), next, trial);
  if ((from_zero && !grows) || (to_infinity && !IsLess(next, Integer(0), trial))) return std::nullopt;
  if (!grows && !IsLess(next, Integer(0), trial)) return std::nullopt;
  const auto at = [&](const Node& end) { return Over(Times(end, Substituted(body, x, end)), next); };
  return Minus(to_infinity ? Integer(0) : at(upper), from_zero ? Integer(0) : at(lower));
}

MaybeNode OfIntegral(const Node& call, Trial& trial) {
  if (call.args.size() != 4) return std::nullopt;
  const std::string& x = call.args[0].name;
  const auto antiderivative = Antiderivative(call.args[1], x);
  if (!antiderivative) {
    auto gaussian = GaussianIntegral(call, trial);
    return gaussian ? gaussian : IntegralOfPowers(call.args[1], call, trial);
  }
  const auto at = [&](const Node& end) -> MaybeNode {
    const bool is_far = IsInfinity(end, false) || IsInfinity(end, true);
    if (!is_far) return Substituted(*antiderivative, x, end);
    auto limit = LimitOf(*antiderivative, x, end, Side::kBoth, trial);
    return limit && !IsInfinity(*limit, false) && !IsInfinity(*limit, true) ? limit : std::nullopt;
  };
  MaybeNode lower = at(call.args[2]), upper = at(call.args[3]);
  return lower && upper ? MaybeNode(Minus(std::move(*upper), std::move(*lower))) : std::nullopt;
}

Node Next(const Node& node, const std::string& k) {
  return Substituted(node, k, Plus(MakeNode(Op::kSymbol, k), Integer(1)));
}

// The constant factor between each term and the next.
MaybeNode Factor(const Node& term, const Node& index, const Node& first, Trial& trial) {
  const std::string& k = index.name;
  const Node at_first = Substituted(term, k, first), at_second = Substituted(term, k, Plus(first, Integer(1)));
  const Node factor = Over(at_second, at_first);
  if (SameValue(Times(Next(term, k), at_first), Times(term, at_second), trial) != ValueEquality::kSame)
    return std::nullopt;
  return HasValue(factor, trial) ? MaybeNode(factor) : std::nullopt;
}

// An exact number as a tree.
Node NumberOf(const Rational& value) {
  const auto digits = [](const fmpz* integer) {
    char* const text = fmpz_get_str(nullptr, 10, integer);
    Node number = MakeNode(Op::kNumber, text[0] == '-' ? text + 1 : text);
    flint_free(text);
    return number;
  };
  Node number = Over(digits(fmpq_numref(value.Raw())), digits(fmpq_denref(value.Raw())));
  return value.Sign() < 0 ? MakeNode(Op::kNegate, "", {std::move(number)}) : number;
}

bool IsZeta(const Node& term, const Node& index, Trial& trial, Node* power) {
  // k^(−s): s from two terms.
  const auto at = [&](std::int64_t k) { return Substituted(term, index.name, Integer(k)); };
  for (std::int64_t s = 2; s <= 20; ++s) {
    const Node expected = ToPower(index, Integer(-s));
    if (SameValue(term, Times(at(1), expected), trial) != ValueEquality::kSame) continue;
    *power = Integer(s);
    return true;
  }
  return false;
}

MaybeNode InfiniteSum(const Node& call, Trial& trial) {
  const Node& index = call.args[0];
  const Node& term = call.args[1];
  const Node& first = call.args[2];
  if (HasVariables(first)) return std::nullopt;
  const Node at_first = Substituted(term, index.name, first);
  if (const auto factor = Factor(term, index, first, trial)) {
    if (HasVariables(*factor) || !IsLess(Apply("\\abs", *factor), Integer(1), trial)) return std::nullopt;
    return Over(at_first, Minus(Integer(1), *factor));
  }
  Node power;
  if (IsNumber(first, 1) && IsZeta(term, index, trial, &power)) return Times(at_first, Apply("\\zeta", power));
  // c x^k / k!
  const Node with_factorial = Times(term, MakeNode(Op::kFactorial, "", {index}));
  if (!IsNumber(first, 0) || term.op != Op::kDivide || !SameTree(term.args[1], with_factorial.args[1])) {
    return std::nullopt;
  }
  const auto factor = Factor(term.args[0], index, first, trial);
  if (!factor) return std::nullopt;
  return Times(at_first, MakeNode(Op::kPower, "", {MakeNode(Op::kSymbol, "e"), *factor}));
}

// Σ C(n, k) c r^k from 0 to n
MaybeNode BinomialSum(const Node& call, Trial& trial) {
  const Node& index = call.args[0];
  const Node& upper = call.args[3];
  if (!IsNumber(call.args[2], 0)) return std::nullopt;
  const Node binomial = MakeNode(Op::kCall, "\\binom", {upper, index});
  Node rest = Integer(1);
  bool found = false;
  const auto collect = [&](const auto& self, const Node& node) -> void {
    if (!found && SameTree(node, binomial)) {
      found = true;
    } else if (node.op == Op::kMultiply) {
      self(self, node.args[0]);
      self(self, node.args[1]);
    } else {
      rest = Times(std::move(rest), node);
    }
  };
  collect(collect, call.args[1]);
  if (!found) return std::nullopt;
  const auto factor = DependsOn(rest, index.name) ? Factor(rest, index, Integer(0), trial) : Integer(1);
  if (!factor) return std::nullopt;
  return Times(Substituted(rest, index.name, Integer(0)), ToPower(Plus(Integer(1), *factor), upper));
}

// Many terms that are rational, added up or multiplied.
MaybeNode ExactSeries(const Node& call, Trial& trial) {
  constexpr std::int64_t kMaxTerms = 20'000;
  constexpr std::int64_t kCostOfTerm = 20;
  const auto lower = ToSmallRational(call.args[2]), upper = ToSmallRational(call.args[3]);
  if (!lower || !upper || lower->second != 1 || upper->second != 1) return std::nullopt;
  if (upper->first < lower->first || upper->first - lower->first > kMaxTerms) return std::nullopt;
  const bool sum = call.name == "\\sum";
  Rational result(sum ? 0 : 1);
  for (std::int64_t k = lower->first; k <= upper->first; ++k) {
    const auto term = ExactValue(Substituted(call.args[1], call.args[0].name, Integer(k)));
    if (!term || !trial.Spend(kCostOfTerm + result.Bits() / 16) || result.Bits() > kMaxTerms) return std::nullopt;
    (sum ? fmpq_add : fmpq_mul)(result.Raw(), result.Raw(), term->Raw());
  }
  return NumberOf(result);
}

MaybeNode OfSeries(const Node& call, Trial& trial) {
  if (auto exact = ExactSeries(call, trial)) return exact;
  if (call.name == "\\sum" && IsInfinity(call.args[3], false)) return InfiniteSum(call, trial);
  return call.name == "\\sum" ? BinomialSum(call, trial) : std::nullopt;
}

// "f(x)" reads as a product, but is none where it matters.
bool HasUnknownFunction(const Node& node, const std::string& variable) {
  constexpr std::string_view kNames = "fghuvFGHPQ";
  const bool is_one = node.op == Op::kMultiply && node.args[0].op == Op::kSymbol &&
                      kNames.find(node.args[0].name[0]) != std::string_view::npos && DependsOn(node.args[1], variable);
  return is_one || std::any_of(node.args.begin(), node.args.end(),
                               [&](const Node& arg) { return HasUnknownFunction(arg, variable); });
}

// The bound variable as a free one, to be looked at at many points.
Node Opened(Node call) {
  const std::string name = call.args[0].name;
  if (!IsBound(name)) return call;
  const Node free = MakeNode(Op::kSymbol, "\\free");
  Substitute(call.args[1], name, free);
  call.args[0] = free;
  return call;
}

}  // namespace

bool IsCalculus(const Node& node) {
  static constexpr std::string_view kNames[] = {"\\sum", "\\prod", "\\int", "\\diff", "\\lim", "\\lim+", "\\lim-"};
  return node.op == Op::kCall && base::Contains(kNames, node.name);
}

bool HasCalculus(const Node& node) {
  return IsCalculus(node) || std::any_of(node.args.begin(), node.args.end(), HasCalculus);
}

Node Evaluated(Node node, Trial& trial) {
  for (Node& arg : node.args) arg = Evaluated(std::move(arg), trial);
  if (!IsCalculus(node) || node.args.size() < 2 || HasCalculus(node.args[1])) return node;
  const Node open = Opened(node);
  if (HasUnknownFunction(open.args[1], open.args[0].name)) return node;
  const bool has_values =
      std::all_of(open.args.begin() + 1, open.args.end(), [&](const Node& arg) { return HasValue(arg, trial); });
  if (!has_values) return node;
  MaybeNode value;
  if (node.name == "\\diff") {
    value = Derivative(open.args[1], open.args[0].name);
  } else if (node.name == "\\int") {
    value = OfIntegral(open, trial);
  } else if (node.name == "\\sum" || node.name == "\\prod") {
    value = OfSeries(open, trial);
  } else {
    value = OfLimit(open, trial);
  }
  return value ? std::move(*value) : node;
}

}  // namespace autodidact::mathematics
