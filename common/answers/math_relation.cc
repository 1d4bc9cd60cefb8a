#include "answers/math_relation.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "answers/math_value.h"

namespace autodidact::answers {
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
           node.name.starts_with("\\overline");
  }
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

bool IsName(const Node& node) {
  if (IsVariable(node) || node.op == Op::kText || IsMeasured(node) || IsDerivative(node)) return true;
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

std::optional<Node> ToInterval(const Node& relation) {
  if (relation.op != Op::kRelation) return std::nullopt;
  const auto is_bound = [](const Node& node) { return node.op <= Op::kPercent && !HasVariables(node); };
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
  const auto found = std::find_if(relation.args.begin(), relation.args.end(), IsVariable);
  return found == relation.args.end() ? std::string() : found->name;
}

std::optional<bool> SameMultiple(const Node& left, const Node& right, Trial& trial) {
  if (left.args.size() != 2 || right.args.size() != 2) return std::nullopt;
  const auto rising = [](const Node& node) { return IsAllOf(node.name, ">g") ? Reversed(node) : node; };
  const Node a = rising(left), b = rising(right);
  if (a.name != b.name) return false;
  const auto difference = [](const Node& node) { return MakeNode(Op::kSubtract, "", node.args); };
  return Proportional(difference(a), difference(b), IsAllOf(a.name, "<l"), trial);
}

}  // namespace autodidact::answers
