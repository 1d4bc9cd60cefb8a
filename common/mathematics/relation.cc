#include "mathematics/relation.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "mathematics/calculus.h"
#include "mathematics/tree.h"
#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

bool IsVariable(const Node& node) {
  return node.op == Op::kSymbol && HasVariables(node);
}

bool IsSymbolStartingWith(const Node& node, std::string_view start) {
  return node.op == Op::kSymbol && node.name.starts_with(start);
}

// What geometry measures: AB, |AB|, ∠ABC, AM/MB, S_1 : S_2.
bool IsMeasured(const Node& node) {
  if (node.op == Op::kSymbol) {
    return (node.name[0] >= 'A' && node.name[0] <= 'Z') || node.name.starts_with("\\angle") ||
           node.name.starts_with("\\overline") || node.name.starts_with("\\vec") || node.name.starts_with("\\mathbb{E");
  }
  if (node.op == Op::kPower) return IsSymbolStartingWith(node.args[0], "\\sigma");
  const bool is_modulus = node.op == Op::kCall && node.name == "\\abs" && IsSymbolStartingWith(node.args[0], "z");
  if (is_modulus) return true;
  if (node.op == Op::kMultiply && IsSymbolStartingWith(node.args[0], "m")) {
    return IsSymbolStartingWith(node.args[1], "\\angle") || IsSymbolStartingWith(node.args[1], "\\overline");
  }
  const bool holds = node.op == Op::kMultiply || node.op == Op::kDivide || node.op == Op::kRatio ||
                     (node.op == Op::kCall && node.name == "\\abs");
  return holds && std::all_of(node.args.begin(), node.args.end(), IsMeasured);
}

// dy/dx
bool IsDerivative(const Node& node) {
  const auto is_differential = [](const Node& part) {
    return part.op == Op::kMultiply && part.args[0].op == Op::kSymbol && part.args[0].name == "d" &&
           IsVariable(part.args[1]);
  };
  return node.op == Op::kDivide && is_differential(node.args[0]) && is_differential(node.args[1]);
}

// \\cos\\theta and \\tan A
bool IsFunctionOfName(const Node& node) {
  return node.op == Op::kCall && node.name != "\\abs" && node.args.size() == 1 &&
         (IsVariable(node.args[0]) || IsMeasured(node.args[0]));
}

// P(X = 2)
bool IsProbability(const Node& node) {
  return node.op == Op::kMultiply && IsSymbolStartingWith(node.args[0], "P") &&
         (node.args[1].op == Op::kRelation || node.args[1].op == Op::kText);
}

// f^{-1}(x), f(x, y), f(g(2))
bool IsValueOfFunction(const Node& node) {
  if (node.op != Op::kMultiply) return false;
  const Node& function = node.args[0].op == Op::kPower ? node.args[0].args[0] : node.args[0];
  constexpr std::string_view kNames = "fghFGH";
  if (function.op != Op::kSymbol || kNames.find(function.name[0]) == std::string_view::npos) return false;
  const auto is_argument = [](const Node& argument) {
    return argument.op == Op::kNumber || IsVariable(argument) || IsValueOfFunction(argument);
  };
  const Node& argument = node.args[1];
  return argument.op == Op::kTuple ? std::all_of(argument.args.begin(), argument.args.end(), is_argument)
                                   : is_argument(argument);
}

bool IsName(const Node& node) {
  if (IsVariable(node) || node.op == Op::kText || IsMeasured(node) || IsDerivative(node)) return true;
  if (IsFunctionOfName(node) || IsProbability(node) || IsValueOfFunction(node) || IsCalculus(node)) return true;
  if ((node.op == Op::kTuple && node.name == "()") || node.op == Op::kRatio) {
    return std::all_of(node.args.begin(), node.args.end(), IsVariable);
  }
  return false;
}

bool IsAllOf(const std::string& operators, std::string_view allowed) {
  return operators.find_first_not_of(allowed) == std::string::npos;
}

Node Infinity(bool negative) {
  Node infinity = MakeNode(Op::kSymbol, "\\infty");
  return negative ? MakeNode(Op::kNegate, "", {std::move(infinity)}) : infinity;
}

}  // namespace

Node Reversed(const Node& relation) {
  Node reversed = relation;
  std::reverse(reversed.args.begin(), reversed.args.end());
  std::reverse(reversed.name.begin(), reversed.name.end());
  for (char& c : reversed.name) {
    switch (c) {
      case '<':
        c = '>';
        break;
      case '>':
        c = '<';
        break;
      case 'l':
        c = 'g';
        break;
      case 'g':
        c = 'l';
        break;
      default:
        break;
    }
  }
  return reversed;
}

const Node* SetOfElement(const Node& node) {
  if (node.op != Op::kRelation || node.name != "e" || !IsName(node.args[0])) return nullptr;
  return &node.args[1];
}

const Node* ValueOfEquation(const Node& node) {
  if (node.op != Op::kRelation || !IsAllOf(node.name, "=") || !IsName(node.args.front())) return nullptr;
  return &node.args.back();
}

Node RealsWithout(const Node& point) {
  return MakeNode(
      Op::kUnion, "∪",
      {MakeNode(Op::kTuple, "()", {Infinity(true), point}), MakeNode(Op::kTuple, "()", {point, Infinity(false)})});
}

Node Reals() {
  return MakeNode(Op::kTuple, "()", {Infinity(true), Infinity(false)});
}

std::optional<Node> IntervalWithout(const Node& interval, const std::vector<Node>& points, Trial& trial) {
  if (interval.op != Op::kTuple || interval.args.size() != 2 || interval.name == "{}") return std::nullopt;
  Node result = MakeNode(Op::kUnion, "∪", {interval});
  for (const Node& point : points) {
    const auto is_below = [&](const Node& a, const Node& b) {
      return IsSymbolStartingWith(b, "\\infty") ||
             (a.op == Op::kNegate && IsSymbolStartingWith(a.args[0], "\\infty")) || IsLess(a, b, trial);
    };
    const auto part = std::find_if(result.args.begin(), result.args.end(), [&](const Node& piece) {
      return is_below(piece.args[0], point) && is_below(point, piece.args[1]);
    });
    if (part == result.args.end()) return std::nullopt;
    Node upper = MakeNode(Op::kTuple, std::string("(") + part->name[1], {point, part->args[1]});
    *part = MakeNode(Op::kTuple, std::string(1, part->name[0]) + ")", {part->args[0], point});
    result.args.push_back(std::move(upper));
  }
  return result;
}

std::optional<Node> Intersection(const Node& list, Trial& trial) {
  if (list.op != Op::kList || list.name == "or" || list.args.size() != 2) return std::nullopt;
  std::optional<Node> lower, upper;
  for (const Node& item : list.args) {
    const auto interval = item.op == Op::kRelation && item.args.size() == 2 ? ToInterval(item) : std::nullopt;
    if (!interval || interval->op != Op::kTuple || VariableOf(item) != VariableOf(list.args[0])) return std::nullopt;
    (interval->args[0].op == Op::kNegate && IsSymbolStartingWith(interval->args[0].args[0], "\\infty") ? upper
                                                                                                       : lower) =
        *interval;
  }
  if (!lower || !upper || !IsSymbolStartingWith(lower->args[1], "\\infty")) return std::nullopt;
  if (!IsLess(lower->args[0], upper->args[1], trial)) return std::nullopt;
  const std::string operators = std::string(lower->name[0] == '[' ? "l" : "<") + (upper->name[1] == ']' ? "l" : "<");
  return MakeNode(Op::kRelation, operators,
                  {lower->args[0], MakeNode(Op::kSymbol, VariableOf(list.args[0])), upper->args[1]});
}

// The c of |x − c|, |c − x| and |x|; nothing for anything else.
std::optional<Node> CentreOf(const Node& size) {
  if (size.op != Op::kCall || size.name != "\\abs") return std::nullopt;
  const Node& inner = size.args[0];
  if (IsVariable(inner)) return Integer(0);
  if (inner.op != Op::kAdd && inner.op != Op::kSubtract) return std::nullopt;
  const bool is_first = IsVariable(inner.args[0]);
  const Node& constant = inner.args[is_first ? 1 : 0];
  if (!IsVariable(inner.args[is_first ? 0 : 1]) || HasVariables(constant)) return std::nullopt;
  return inner.op == Op::kAdd ? Minus(Integer(0), constant) : constant;
}

// |x − c| < a and |x − c| > a
std::optional<Node> IntervalOfSize(const Node& relation) {
  const Node falling = IsAllOf(relation.name, "<l") ? Reversed(relation) : relation;
  const Node& left = falling.args[0];
  const Node& right = falling.args[1];
  const auto is_bound = [](const Node& node) { return node.op <= Op::kPercent && !HasVariables(node); };
  const bool strict = falling.name == ">";
  const auto inner = CentreOf(right), outer = CentreOf(left);
  if (inner && is_bound(left)) {
    return MakeNode(Op::kTuple, strict ? "()" : "[]", {Minus(*inner, left), Plus(*inner, left)});
  }
  if (!outer || !is_bound(right)) return std::nullopt;
  Node below = MakeNode(Op::kTuple, strict ? "()" : "(]", {Infinity(true), Minus(*outer, right)});
  Node above = MakeNode(Op::kTuple, strict ? "()" : "[)", {Plus(*outer, right), Infinity(false)});
  return MakeNode(Op::kUnion, "∪", {std::move(below), std::move(above)});
}

std::optional<Node> ToInterval(const Node& relation) {
  if (relation.op != Op::kRelation) return std::nullopt;
  const auto is_bound = [](const Node& node) { return node.op <= Op::kPercent && !HasVariables(node); };
  if (relation.args.size() == 2 && (IsAllOf(relation.name, "<l") || IsAllOf(relation.name, ">g"))) {
    if (auto interval = IntervalOfSize(relation)) return interval;
  }
  if (relation.name == "n" && IsVariable(relation.args[0]) && is_bound(relation.args[1])) {
    return RealsWithout(relation.args[1]);
  }
  const bool falls = IsAllOf(relation.name, ">g");
  if (!falls && !IsAllOf(relation.name, "<l")) return std::nullopt;
  const Node rising = falls ? Reversed(relation) : relation;
  const auto& args = rising.args;
  if (args.size() == 3 && is_bound(args[0]) && IsVariable(args[1]) && is_bound(args[2])) {
    const std::string brackets = std::string(rising.name[0] == '<' ? "(" : "[") + (rising.name[1] == '<' ? ")" : "]");
    return MakeNode(Op::kTuple, brackets, {args[0], args[2]});
  }
  if (args.size() != 2) return std::nullopt;
  if (IsVariable(args[0]) && is_bound(args[1])) {
    return MakeNode(Op::kTuple, rising.name == "<" ? "()" : "(]", {Infinity(true), args[1]});
  }
  if (is_bound(args[0]) && IsVariable(args[1])) {
    return MakeNode(Op::kTuple, rising.name == "<" ? "()" : "[)", {args[0], Infinity(false)});
  }
  return std::nullopt;
}

std::string VariableOf(const Node& relation) {
  for (const Node& side : relation.args) {
    if (IsVariable(side)) return side.name;
    if (!CentreOf(side)) continue;
    const Node& inner = side.args[0];
    return IsVariable(inner) ? inner.name : VariableOf(inner);
  }
  return {};
}

std::optional<bool> SameMultiple(const Node& left, const Node& right, Trial& trial) {
  if (left.args.size() != 2 || right.args.size() != 2) return std::nullopt;
  const auto rising = [](const Node& node) { return IsAllOf(node.name, ">g") ? Reversed(node) : node; };
  const Node a = rising(left), b = rising(right);
  if (a.name != b.name) return false;
  const auto difference = [](const Node& node) { return MakeNode(Op::kSubtract, "", node.args); };
  return Proportional(difference(a), difference(b), IsAllOf(a.name, "<l"), trial);
}

}  // namespace autodidact::mathematics
