// What answers consist of: scalars with units, words, items in brackets. Private to the room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mathematics/node.h"

namespace autodidact::mathematics {

bool IsSymbol(const Node& node, std::string_view name);
bool IsScalar(const Node& node);
bool SameTree(const Node& left, const Node& right);

// The words of a text, of a single name, or nothing.
std::optional<std::string> WordsOf(const Node& node);

// A scalar without its unit. A unit at the end of a sum is the sum's.
struct Quantity {
  Node value;
  std::string unit;  // canonical; empty: none, or none in particular
  bool conflict = false;
};
Quantity WithoutUnit(const Node& node);

// Items in brackets, or without.
struct Collection {
  std::string brackets;
  std::vector<Node> items;
  bool any_order = false;
};
Collection AsCollection(const Node& node);

}  // namespace autodidact::mathematics
