// The tree of a parsed answer. Private to the room.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace autodidact::mathematics {

enum class Op {
  // Scalars.
  kNumber,     // name: decimal digits, perhaps with a point, an exponent ("1.5e-3") or repeating digits ("0.1(6)")
  kSymbol,     // name: "x", "x_1", "\\pi", "52_8" (digits in a base are a name: they are equal to themselves only)
  kAdd,        // two
  kSubtract,   // two
  kMultiply,   // two
  kDivide,     // two
  kPower,      // two
  kNegate,     // one
  kPlusMinus,  // two (the first may be the number 0); name: "+" or "-" for the sign of the first alternative
  kRoot,       // radicand, degree
  kFactorial,  // one
  kCall,       // name: the function; its arguments
  kPercent,    // one
  kUnit,       // one; name: the unit as it was written
  // Structures.
  kText,      // name: the words
  kList,      // items without brackets; name: ",", or "or" or "and" (the order does not matter)
  kTuple,     // items in brackets; name: both brackets, "(]" say; "{}" is a set
  kRatio,     // two or more
  kUnion,     // parts; name: "∪", "∩" or "\\"
  kMatrix,    // rows, each a kList; name: the kind of its brackets
  kRelation,  // n operands; name: n − 1 operators, each one of = < > l (at most) g (at least) n (unequal) e (element)
};

struct Node {
  Op op = Op::kNumber;
  std::string name;
  std::vector<Node> args;
};

inline Node MakeNode(Op op, std::string name, std::vector<Node> args = {}) {
  return {op, std::move(name), std::move(args)};
}

}  // namespace autodidact::mathematics
