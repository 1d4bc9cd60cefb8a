#include "mathematics/derivative.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "mathematics/tree.h"
#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

using MaybeNode = std::optional<Node>;

constexpr std::size_t kMaxDerivativeNodes = 20'000;
constexpr std::size_t kMaxDegree = 12;

Node Square(const Node& node) {
  return ToPower(node, Integer(2));
}

Node RootOf(Node node) {
  return MakeNode(Op::kRoot, "", {std::move(node), Integer(2)});
}

// The derivative of a function by its argument.
MaybeNode OuterDerivative(const std::string& name, const Node& x) {
  const auto apply = [&](const char* function) { return Apply(function, x); };
  if (name == "\\sin") return apply("\\cos");
  if (name == "\\cos") return Minus(Integer(0), apply("\\sin"));
  if (name == "\\tan") return Plus(Integer(1), Square(apply("\\tan")));
  if (name == "\\cot") return Minus(Integer(-1), Square(apply("\\cot")));
  if (name == "\\sec") return Times(apply("\\sec"), apply("\\tan"));
  if (name == "\\csc") return Minus(Integer(0), Times(apply("\\csc"), apply("\\cot")));
  if (name == "\\arcsin") return Over(Integer(1), RootOf(Minus(Integer(1), Square(x))));
  if (name == "\\arccos") return Over(Integer(-1), RootOf(Minus(Integer(1), Square(x))));
  if (name == "\\arctan") return Over(Integer(1), Plus(Integer(1), Square(x)));
  if (name == "\\sinh") return apply("\\cosh");
  if (name == "\\cosh") return apply("\\sinh");
  if (name == "\\tanh") return Minus(Integer(1), Square(apply("\\tanh")));
  if (name == "\\ln") return Over(Integer(1), x);
  if (name == "\\exp") return apply("\\exp");
  if (name == "\\lg" || name == "\\log") return Over(Integer(1), Times(x, Apply("\\ln", Integer(10))));
  if (name == "\\abs") return Over(x, apply("\\abs"));
  return std::nullopt;
}

MaybeNode OfCall(const Node& node, const std::string& variable) {
  if (node.name == "\\log" && node.args.size() == 2) {
    return Derivative(Over(Apply("\\ln", node.args[0]), Apply("\\ln", node.args[1])), variable);
  }
  if (node.args.size() != 1) return std::nullopt;
  MaybeNode outer = OuterDerivative(node.name, node.args[0]);
  MaybeNode inner = outer ? Derivative(node.args[0], variable) : std::nullopt;
  return inner ? MaybeNode(Times(std::move(*outer), std::move(*inner))) : inner;
}

MaybeNode OfPower(const Node& node, const Node& base, const Node& exponent, const std::string& variable) {
  const MaybeNode base_slope = Derivative(base, variable);
  if (!base_slope) return base_slope;
  if (!DependsOn(exponent, variable)) {
    return Times(Times(exponent, ToPower(base, Minus(exponent, Integer(1)))), *base_slope);
  }
  const MaybeNode exponent_slope = Derivative(exponent, variable);
  if (!exponent_slope) return exponent_slope;
  const bool natural = base.op == Op::kSymbol && base.name == "e";
  Node slope = natural ? *exponent_slope : Times(*exponent_slope, Apply("\\ln", base));
  if (DependsOn(base, variable)) slope = Plus(std::move(slope), Over(Times(exponent, *base_slope), base));
  return Times(node, std::move(slope));
}

MaybeNode OfArithmetic(const Node& node, const std::string& variable) {
  const MaybeNode left = Derivative(node.args[0], variable);
  if (!left || node.args.size() != 2) return std::nullopt;
  const MaybeNode right = Derivative(node.args[1], variable);
  if (!right) return right;
  const Node& a = node.args[0];
  const Node& b = node.args[1];
  switch (node.op) {
    case Op::kAdd:
      return Plus(*left, *right);
    case Op::kSubtract:
      return Minus(*left, *right);
    case Op::kMultiply:
      return Plus(Times(*left, b), Times(a, *right));
    case Op::kDivide:
      if (IsNumber(*right, 0)) return Over(*left, b);
      return Over(Minus(Times(*left, b), Times(a, *right)), Square(b));
    default:
      return std::nullopt;
  }
}

// The coefficients of a polynomial in the variable, from the constant on.
std::optional<std::vector<Node>> Coefficients(const Node& node, const std::string& variable) {
  if (!DependsOn(node, variable)) return std::vector<Node>{node};
  if (node.op == Op::kSymbol) {
    return node.name == variable ? std::optional(std::vector<Node>{Integer(0), Integer(1)}) : std::nullopt;
  }
  if (node.op == Op::kNegate) return Coefficients(Times(Integer(-1), node.args[0]), variable);
  if (node.op == Op::kPower) {
    const auto power = ToSmallRational(node.args[1]);
    if (!power || power->second != 1 || power->first < 1 || power->first > static_cast<std::int64_t>(kMaxDegree)) {
      return std::nullopt;
    }
    Node product = node.args[0];
    for (std::int64_t i = 1; i < power->first; ++i) product = MakeNode(Op::kMultiply, "", {product, node.args[0]});
    return Coefficients(product, variable);
  }
  if (node.args.size() != 2) return std::nullopt;
  auto left = Coefficients(node.args[0], variable);
  auto right = left ? Coefficients(node.args[1], variable) : std::nullopt;
  if (!right) return right;
  if (node.op == Op::kAdd || node.op == Op::kSubtract) {
    left->resize(std::max(left->size(), right->size()), Integer(0));
    for (std::size_t i = 0; i < right->size(); ++i) {
      (*left)[i] = node.op == Op::kAdd ? Plus((*left)[i], (*right)[i]) : Minus((*left)[i], (*right)[i]);
    }
    return left;
  }
  if (node.op == Op::kDivide && right->size() == 1) {
    for (Node& coefficient : *left) coefficient = Over(std::move(coefficient), (*right)[0]);
    return left;
  }
  if (node.op != Op::kMultiply || left->size() + right->size() > kMaxDegree + 2) return std::nullopt;
  std::vector<Node> product(left->size() + right->size() - 1, Integer(0));
  for (std::size_t i = 0; i < left->size(); ++i) {
    for (std::size_t j = 0; j < right->size(); ++j) {
      product[i + j] = Plus(std::move(product[i + j]), Times((*left)[i], (*right)[j]));
    }
  }
  return product;
}

// ∫ e^(ax+b), sin(ax+b), cos(ax+b)
MaybeNode IntegralOfWave(const Node& node, const std::string& variable) {
  const bool natural = node.op == Op::kPower && !DependsOn(node.args[0], variable);
  const bool is_call = node.op == Op::kCall && node.args.size() == 1;
  if (!natural && !is_call) return std::nullopt;
  const auto line = Coefficients(node.args[natural ? 1 : 0], variable);
  if (!line || line->size() != 2) return std::nullopt;
  const Node& slope = (*line)[1];
  if (natural) {
    const bool is_e = node.args[0].op == Op::kSymbol && node.args[0].name == "e";
    return Over(node, is_e ? slope : Times(slope, Apply("\\ln", node.args[0])));
  }
  if (node.name == "\\exp") return Over(node, slope);
  if (node.name == "\\cos") return Over(Apply("\\sin", node.args[0]), slope);
  if (node.name == "\\sin") return Over(Apply("\\cos", node.args[0]), Minus(Integer(0), slope));
  return std::nullopt;
}

// By parts: p f − p' ∫f + …
MaybeNode IntegralByParts(const Node& polynomial, const Node& wave, const std::string& variable) {
  if (!Coefficients(polynomial, variable)) return std::nullopt;
  Node sum = Integer(0), part = polynomial;
  MaybeNode integral = IntegralOfWave(wave, variable);
  for (std::size_t i = 0; i <= kMaxDegree && integral; ++i) {
    sum = i % 2 == 0 ? Plus(std::move(sum), Times(part, *integral)) : Minus(std::move(sum), Times(part, *integral));
    if (!DependsOn(part, variable)) return sum;
    MaybeNode slope = Derivative(part, variable);
    if (!slope || CountNodes(sum) > kMaxDerivativeNodes) return std::nullopt;
    part = std::move(*slope);
    // The next integral has the next function of its kind, up to a factor.
    Node factor = Integer(1);
    Node inner = std::move(*integral);
    while (inner.op == Op::kDivide && !DependsOn(inner.args[1], variable)) {
      factor = Times(std::move(factor), inner.args[1]);
      inner = Node(inner.args[0]);
    }
    integral = IntegralOfWave(inner, variable);
    if (integral) integral = Over(std::move(*integral), factor);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Node> Derivative(const Node& node, const std::string& variable) {
  if (CountNodes(node) > kMaxDerivativeNodes) return std::nullopt;
  if (!DependsOn(node, variable)) return Integer(0);
  switch (node.op) {
    case Op::kSymbol:
      return node.name == variable ? MaybeNode(Integer(1)) : std::nullopt;
    case Op::kNegate: {
      MaybeNode slope = Derivative(node.args[0], variable);
      return slope ? MaybeNode(Minus(Integer(0), std::move(*slope))) : slope;
    }
    case Op::kPower:
      return OfPower(node, node.args[0], node.args[1], variable);
    case Op::kRoot:
      return OfPower(node, node.args[0], Over(Integer(1), node.args[1]), variable);
    case Op::kCall:
      return OfCall(node, variable);
    default:
      return OfArithmetic(node, variable);
  }
}

std::optional<Node> Antiderivative(const Node& node, const std::string& variable) {
  const Node x = MakeNode(Op::kSymbol, variable);
  if (const auto coefficients = Coefficients(node, variable)) {
    Node sum = Integer(0);
    for (std::size_t i = 0; i < coefficients->size(); ++i) {
      const Node power = Integer(static_cast<std::int64_t>(i) + 1);
      sum = Plus(std::move(sum), Over(Times((*coefficients)[i], ToPower(x, power)), power));
    }
    return sum;
  }
  if (auto integral = IntegralOfWave(node, variable)) return integral;
  if (node.op == Op::kNegate) {
    MaybeNode integral = Antiderivative(node.args[0], variable);
    return integral ? MaybeNode(Minus(Integer(0), std::move(*integral))) : integral;
  }
  if (node.args.size() != 2) return std::nullopt;
  const Node& a = node.args[0];
  const Node& b = node.args[1];
  if (node.op == Op::kAdd || node.op == Op::kSubtract) {
    MaybeNode left = Antiderivative(a, variable), right = Antiderivative(b, variable);
    if (!left || !right) return std::nullopt;
    return node.op == Op::kAdd ? Plus(std::move(*left), std::move(*right)) : Minus(std::move(*left), std::move(*right));
  }
  if (node.op == Op::kDivide && !DependsOn(b, variable)) {
    MaybeNode integral = Antiderivative(a, variable);
    return integral ? MaybeNode(Over(std::move(*integral), b)) : integral;
  }
  if (node.op != Op::kMultiply) return std::nullopt;
  if (!DependsOn(a, variable) || !DependsOn(b, variable)) {
    const bool first = !DependsOn(a, variable);
    MaybeNode integral = Antiderivative(first ? b : a, variable);
    return integral ? MaybeNode(Times(first ? a : b, std::move(*integral))) : integral;
  }
  if (auto integral = IntegralByParts(a, b, variable)) return integral;
  return IntegralByParts(b, a, variable);
}

}  // namespace autodidact::mathematics
