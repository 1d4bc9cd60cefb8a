#include "mathematics/tree.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

constexpr std::string_view kBoundName = "\\bound";

Node Fraction(const SmallRational& value) {
  if (value.second == 1) return Integer(value.first);
  Node fraction = MakeNode(Op::kDivide, "", {Integer(std::abs(value.first)), Integer(value.second)});
  return value.first < 0 ? MakeNode(Op::kNegate, "", {std::move(fraction)}) : fraction;
}

Node Reduced(const Node& node) {
  const auto value = ToSmallRational(node);
  return value ? Fraction(*value) : node;
}

// Where the name of "a_k" and "f(k)" holds k; npos in others.
std::size_t IndexAt(std::string_view symbol, std::string_view index) {
  const auto ends_with = [&](char before, std::string_view after) {
    const std::size_t length = 1 + index.size() + after.size();
    return symbol.size() > length && symbol.ends_with(std::string(1, before) + std::string(index) + std::string(after));
  };
  if (ends_with('_', "")) return symbol.size() - index.size();
  return ends_with('(', ")") ? symbol.size() - index.size() - 1 : std::string_view::npos;
}

// A value as the index of a name: "1", "n", "n+1".
std::string Spelled(const Node& value) {
  if (value.args.empty()) return value.name;
  std::string spelled = value.op == Op::kSubtract ? "-" : value.op == Op::kAdd ? "+" : "?";
  if (value.op == Op::kNegate) return "-" + Spelled(value.args[0]);
  for (std::size_t i = value.args.size(); i-- > 1;) spelled += Spelled(value.args[i]);
  return Spelled(value.args[0]) + spelled;
}

std::int64_t CountBinders(const Node& node) {
  const std::int64_t own =
      node.op == Op::kCall && !node.args.empty() && node.args[0].op == Op::kSymbol && IsBound(node.args[0].name) ? 1
                                                                                                                 : 0;
  return std::accumulate(node.args.begin(), node.args.end(), own,
                         [](std::int64_t sum, const Node& arg) { return sum + CountBinders(arg); });
}

}  // namespace

Node Integer(std::int64_t value) {
  Node number = MakeNode(Op::kNumber, std::to_string(std::abs(value)));
  return value < 0 ? MakeNode(Op::kNegate, "", {std::move(number)}) : number;
}

Node Plus(Node left, Node right) {
  if (IsNumber(left, 0)) return right;
  if (IsNumber(right, 0)) return left;
  return Reduced(MakeNode(Op::kAdd, "", {std::move(left), std::move(right)}));
}

Node Minus(Node left, Node right) {
  if (IsNumber(right, 0)) return left;
  if (IsNumber(left, 0)) return Reduced(MakeNode(Op::kNegate, "", {std::move(right)}));
  return Reduced(MakeNode(Op::kSubtract, "", {std::move(left), std::move(right)}));
}

Node Times(Node left, Node right) {
  if (IsNumber(left, 0) || IsNumber(right, 0)) return Integer(0);
  if (IsNumber(left, 1)) return right;
  if (IsNumber(right, 1)) return left;
  return Reduced(MakeNode(Op::kMultiply, "", {std::move(left), std::move(right)}));
}

Node Over(Node above, Node below) {
  if (IsNumber(below, 1)) return above;
  return Reduced(MakeNode(Op::kDivide, "", {std::move(above), std::move(below)}));
}

Node ToPower(Node base, Node exponent) {
  if (IsNumber(exponent, 1)) return base;
  return Reduced(MakeNode(Op::kPower, "", {std::move(base), std::move(exponent)}));
}

Node Apply(std::string function, Node argument) {
  return MakeNode(Op::kCall, std::move(function), {std::move(argument)});
}

bool IsNumber(const Node& node, std::int64_t value) {
  if (node.op == Op::kNegate && value < 0) return IsNumber(node.args[0], -value);
  return node.op == Op::kNumber && node.name == std::to_string(value);
}

std::size_t CountNodes(const Node& node) {
  return std::accumulate(node.args.begin(), node.args.end(), std::size_t{1},
                         [](std::size_t sum, const Node& arg) { return sum + CountNodes(arg); });
}

bool DependsOn(const Node& node, std::string_view name) {
  if (node.op == Op::kSymbol && (node.name == name || IndexAt(node.name, name) != std::string::npos)) {
    return true;
  }
  return std::any_of(node.args.begin(), node.args.end(), [&](const Node& arg) { return DependsOn(arg, name); });
}

void Substitute(Node& node, std::string_view name, const Node& value) {
  if (node.op == Op::kSymbol && node.name == name) {
    node = value;
    return;
  }
  if (node.op == Op::kSymbol) {
    if (const std::size_t at = IndexAt(node.name, name); at != std::string::npos) {
      node.name.replace(at, name.size(), Spelled(value));
    }
    return;
  }
  for (Node& arg : node.args) Substitute(arg, name, value);
}

Node Substituted(Node node, std::string_view name, const Node& value) {
  Substitute(node, name, value);
  return node;
}

Node Bound(Node call) {
  const std::string name = call.args[0].name;
  const Node renamed = MakeNode(Op::kSymbol, std::string(kBoundName) + std::to_string(CountBinders(call.args[1])));
  call.args[0] = renamed;
  Substitute(call.args[1], name, renamed);
  return call;
}

bool IsBound(std::string_view name) {
  return name.starts_with(kBoundName);
}

}  // namespace autodidact::mathematics
