#include "mathematics/collection.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "mathematics/units.h"
#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

std::string AsUpper(char c) {
  return std::string(1, static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
}

void AddItem(const Node& node, Collection& collection) {
  if (IsScalar(node) && HasPlusMinus(node)) {
    auto [upper, lower] = Alternatives(node);
    collection.items.push_back(std::move(upper));
    collection.items.push_back(std::move(lower));
    collection.any_order = true;
  } else {
    collection.items.push_back(node);
  }
}

}  // namespace

bool IsSymbol(const Node& node, std::string_view name) {
  return node.op == Op::kSymbol && node.name == name;
}

bool IsScalar(const Node& node) {
  return node.op <= Op::kUnit;
}

bool SameTree(const Node& left, const Node& right) {
  return left.op == right.op && left.name == right.name &&
         std::equal(left.args.begin(), left.args.end(), right.args.begin(), right.args.end(), SameTree);
}

std::optional<std::string> WordsOf(const Node& node) {
  if (node.op != Op::kText && node.op != Op::kSymbol) return std::nullopt;
  std::string words;
  for (const char c : node.name) {
    if (!base::IsSpace(c) && c != '(' && c != ')' && c != '.' && c != '"') words.push_back(c);
  }
  if (words.size() > 1) {
    std::transform(words.begin(), words.end(), words.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  for (const std::string_view lead : {"option", "choice", "answer"}) {
    if (words.size() == lead.size() + 1 && words.starts_with(lead)) words = AsUpper(words.back());
  }
  if (words == "doesnotexist") words = "dne";
  return words;
}

Quantity WithoutUnit(const Node& node) {
  if (node.op == Op::kUnit) return {node.args[0], CanonicalUnit(node.name)};
  if (node.op == Op::kMultiply && node.args[0].op == Op::kUnit && node.args[1].op == Op::kNumber) {  // "$5 million"
    Quantity result{node, CanonicalUnit(node.args[0].name)};
    result.value.args[0] = Node(node.args[0].args[0]);
    return result;
  }
  if (node.op != Op::kNegate && node.op != Op::kAdd && node.op != Op::kSubtract) return {node, ""};
  Quantity result{node, ""};
  for (Node& arg : result.value.args) {
    Quantity inner = WithoutUnit(arg);
    result.conflict =
        result.conflict || inner.conflict || (!inner.unit.empty() && !result.unit.empty() && inner.unit != result.unit);
    if (!inner.unit.empty()) result.unit = inner.unit;
    arg = std::move(inner.value);
  }
  return result;
}

Collection AsCollection(const Node& node) {
  Collection collection;
  if (node.op == Op::kMatrix) {
    collection.brackets = "()";
    if (node.args.size() == 1) {
      collection.items = node.args[0].args;
    } else {
      for (const Node& row : node.args) collection.items.push_back(row.args.empty() ? row : row.args[0]);
    }
    return collection;
  }
  // Three values and more in square brackets are no interval.
  const bool is_row = node.name == "<>" || (node.name == "[]" && node.args.size() > 2);
  if (node.op == Op::kTuple) collection.brackets = is_row ? "()" : node.name;
  if (node.op != Op::kTuple && node.op != Op::kList) {
    AddItem(node, collection);
    return collection;
  }
  const bool expand = collection.brackets.empty() || collection.brackets == "{}";
  for (const Node& item : node.args) {
    if (expand) {
      AddItem(item, collection);
    } else {
      collection.items.push_back(item);
    }
  }
  collection.any_order =
      collection.any_order || (node.op == Op::kList && node.name != ",") || collection.brackets == "{}";
  return collection;
}

}  // namespace autodidact::mathematics
