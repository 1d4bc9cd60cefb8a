// Trees of expressions as values: putting together, substituting, bound variables. Private to the room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mathematics/node.h"

namespace autodidact::mathematics {

// Integers as they are, and + − · / ^ that leave out zeros and ones and carry out what is rational and small.
Node Integer(std::int64_t value);
Node Plus(Node left, Node right);
Node Minus(Node left, Node right);
Node Times(Node left, Node right);
Node Over(Node above, Node below);
Node ToPower(Node base, Node exponent);
Node Apply(std::string function, Node argument);

bool IsNumber(const Node& node, std::int64_t value);
std::size_t CountNodes(const Node& node);
bool DependsOn(const Node& node, std::string_view name);
void Substitute(Node& node, std::string_view name, const Node& value);
Node Substituted(Node node, std::string_view name, const Node& value);

// A sum, product, limit or definite integral, whose first argument is its variable and whose second is what it is
// of, with the variable renamed: it is the same expression with any.
Node Bound(Node call);
bool IsBound(std::string_view name);

}  // namespace autodidact::mathematics
