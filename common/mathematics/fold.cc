#include "mathematics/fold.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mathematics/tree.h"
#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

constexpr std::size_t kMaxNodes = 4000;  // of a folded matrix
constexpr std::int64_t kMaxPower = 4;    // of a matrix
constexpr std::size_t kMaxTerms = 200;   // of a sum that is written out
constexpr std::int64_t kMaxBelow = 12;   // of a binomial coefficient

bool IsMatrix(const Node& node) {
  return node.op == Op::kMatrix && node.name == "matrix" && !node.args.empty();
}

// The number of cells in each row; nothing where rows differ.
std::optional<std::size_t> Width(const Node& matrix) {
  const std::size_t width = matrix.args.front().args.size();
  for (const Node& row : matrix.args) {
    if (row.args.size() != width) return std::nullopt;
  }
  return width;
}

template <class Cell>
Node MatrixOf(std::size_t height, std::size_t width, Cell cell) {
  Node matrix = MakeNode(Op::kMatrix, "matrix");
  for (std::size_t i = 0; i < height; ++i) {
    Node row = MakeNode(Op::kList, ",");
    for (std::size_t j = 0; j < width; ++j) row.args.push_back(cell(i, j));
    matrix.args.push_back(std::move(row));
  }
  return matrix;
}

const Node& Cell(const Node& matrix, std::size_t i, std::size_t j) {
  return matrix.args[i].args[j];
}

std::optional<Node> Product(const Node& left, const Node& right) {
  const auto inner = Width(left), width = Width(right);
  if (!inner || !width || *inner != right.args.size() || *inner == 0) return std::nullopt;
  if (CountNodes(left) * *width + CountNodes(right) * left.args.size() > kMaxNodes) return std::nullopt;
  return MatrixOf(left.args.size(), *width, [&](std::size_t i, std::size_t j) {
    Node sum = MakeNode(Op::kMultiply, "", {Cell(left, i, 0), Cell(right, 0, j)});
    for (std::size_t k = 1; k < *inner; ++k) {
      Node term = MakeNode(Op::kMultiply, "", {Cell(left, i, k), Cell(right, k, j)});
      sum = MakeNode(Op::kAdd, "", {std::move(sum), std::move(term)});
    }
    return sum;
  });
}

// Each cell with the scalar, in the order that the operation has.
std::optional<Node> Scaled(const Node& node, const Node& matrix, std::size_t place) {
  const auto width = Width(matrix);
  const Node& scalar = node.args[1 - place];
  if (!width || scalar.op > Op::kCall) return std::nullopt;
  if (CountNodes(scalar) * matrix.args.size() * *width > kMaxNodes) return std::nullopt;
  return MatrixOf(matrix.args.size(), *width, [&](std::size_t i, std::size_t j) {
    Node cell = MakeNode(node.op, "", {scalar, scalar});
    cell.args[place] = Cell(matrix, i, j);
    return cell;
  });
}

std::optional<Node> MatrixPower(const Node& matrix, const Node& exponent) {
  const auto power = ToSmallRational(exponent);
  if (!power || power->second != 1 || power->first < 1 || power->first > kMaxPower) return std::nullopt;
  std::optional<Node> result = matrix;
  for (std::int64_t i = 1; i < power->first && result; ++i) result = Product(*result, matrix);
  return result;
}

std::optional<Node> MatrixArithmetic(const Node& node) {
  if (node.op == Op::kNegate && IsMatrix(node.args[0]) && Width(node.args[0])) {
    const Node& matrix = node.args[0];
    return MatrixOf(matrix.args.size(), *Width(matrix),
                    [&](std::size_t i, std::size_t j) { return MakeNode(Op::kNegate, "", {Cell(matrix, i, j)}); });
  }
  if (node.args.size() != 2) return std::nullopt;
  const Node& left = node.args[0];
  const Node& right = node.args[1];
  const bool both = IsMatrix(left) && IsMatrix(right);
  if (!both && !IsMatrix(left) && !IsMatrix(right)) return std::nullopt;
  if (node.op == Op::kMultiply)
    return both ? Product(left, right) : Scaled(node, IsMatrix(left) ? left : right, IsMatrix(left) ? 0 : 1);
  if (node.op == Op::kDivide && !IsMatrix(right)) return Scaled(node, left, 0);
  if (node.op == Op::kPower && !IsMatrix(right)) return MatrixPower(left, right);
  if ((node.op != Op::kAdd && node.op != Op::kSubtract) || !both) return std::nullopt;
  const auto width = Width(left);
  if (!width || width != Width(right) || left.args.size() != right.args.size()) return std::nullopt;
  return MatrixOf(left.args.size(), *width, [&](std::size_t i, std::size_t j) {
    return MakeNode(node.op, "", {Cell(left, i, j), Cell(right, i, j)});
  });
}

bool IsFiniteSet(const Node& node) {
  return node.op == Op::kTuple && node.name == "{}";
}

// {1} ∪ (2,3) ∪ {4} as (2,3) ∪ {1,4}.
Node WithOneFiniteSet(Node node) {
  Node set = MakeNode(Op::kTuple, "{}");
  std::vector<Node> others;
  for (Node& part : node.args) {
    if (IsFiniteSet(part)) {
      std::move(part.args.begin(), part.args.end(), std::back_inserter(set.args));
    } else {
      others.push_back(std::move(part));
    }
  }
  if (others.empty()) return set;
  if (!set.args.empty()) others.push_back(std::move(set));
  node.args = std::move(others);
  return node.args.size() == 1 ? Node(std::move(node.args[0])) : node;
}

// A chain up to its first ≈; where that is the first sign, the name or the exact value before it decides.
Node WithoutApproximation(Node node) {
  const std::size_t at = node.name.find('~');
  if (at == std::string::npos) return node;
  if (at > 0) {
    node.name.resize(at);
    node.args.resize(at + 1);
    return node;
  }
  if (!HasVariables(node.args[0]) && node.args[0].op <= Op::kUnit) return Node(std::move(node.args[0]));
  node.name.assign(1, '=');
  node.args.resize(2);
  return node;
}

// n (n − 1) … / k!
std::optional<Node> Binomial(const Node& above, const Node& below) {
  const auto k = ToSmallRational(below);
  if (!k || k->second != 1 || k->first < 1 || k->first > kMaxBelow || CountNodes(above) > 5) return std::nullopt;
  Node product = above;
  for (std::int64_t i = 1; i < k->first; ++i) {
    Node factor = MakeNode(Op::kSubtract, "", {above, MakeNode(Op::kNumber, std::to_string(i))});
    product = MakeNode(Op::kMultiply, "", {std::move(product), std::move(factor)});
  }
  Node factorial = MakeNode(Op::kFactorial, "", {MakeNode(Op::kNumber, std::to_string(k->first))});
  return MakeNode(Op::kDivide, "", {std::move(product), std::move(factorial)});
}

// Two or three rows of as many cells: the determinant.
std::optional<Node> Determinant(const Node& matrix) {
  const std::size_t size = matrix.args.size();
  if (size < 2 || size > 3 || Width(matrix) != size || CountNodes(matrix) > kMaxNodes / 10) return std::nullopt;
  const auto minor = [&](std::size_t i, std::size_t j, std::size_t k, std::size_t l) {
    return MakeNode(Op::kSubtract, "",
                    {MakeNode(Op::kMultiply, "", {Cell(matrix, i, j), Cell(matrix, k, l)}),
                     MakeNode(Op::kMultiply, "", {Cell(matrix, i, l), Cell(matrix, k, j)})});
  };
  if (size == 2) return minor(0, 0, 1, 1);
  const auto term = [&](std::size_t column, std::size_t j, std::size_t l) {
    return MakeNode(Op::kMultiply, "", {Cell(matrix, 0, column), minor(1, j, 2, l)});
  };
  Node rest = MakeNode(Op::kSubtract, "", {term(2, 0, 1), term(1, 0, 2)});
  return MakeNode(Op::kAdd, "", {term(0, 1, 2), std::move(rest)});
}

// [[1, 2], [3, 4]] as a matrix.
std::optional<Node> MatrixOfLists(const Node& node) {
  const auto is_row = [&](const Node& row) {
    return row.op == Op::kTuple && row.name == "[]" && row.args.size() == node.args[0].args.size();
  };
  if (node.name != "[]" || node.args.empty() || !std::all_of(node.args.begin(), node.args.end(), is_row))
    return std::nullopt;
  return MatrixOf(node.args.size(), node.args[0].args.size(),
                  [&](std::size_t i, std::size_t j) { return Cell(node, i, j); });
}

// \\sum and \\prod over few integers, written out.
std::optional<Node> WrittenOut(const Node& series) {
  const auto lower = ToSmallRational(series.args[2]), upper = ToSmallRational(series.args[3]);
  if (!lower || !upper || lower->second != 1 || upper->second != 1 || upper->first < lower->first) return std::nullopt;
  const auto terms = static_cast<std::size_t>(upper->first - lower->first) + 1;
  if (terms > kMaxTerms || terms * CountNodes(series.args[1]) > kMaxNodes) return std::nullopt;
  std::optional<Node> result;
  for (std::int64_t i = lower->first; i <= upper->first; ++i) {
    Node term = series.args[1];
    const Node number = MakeNode(Op::kNumber, std::to_string(i < 0 ? -i : i));
    Substitute(term, series.args[0].name, i < 0 ? MakeNode(Op::kNegate, "", {number}) : number);
    result =
        result ? MakeNode(series.name == "\\sum" ? Op::kAdd : Op::kMultiply, "", {std::move(*result), std::move(term)})
               : std::move(term);
  }
  return result;
}

// Functions that are sums of others.
std::optional<Node> SumOfFunctions(const Node& call) {
  if (call.args.size() != 1) return std::nullopt;
  const auto function = [&](const char* name) { return MakeNode(Op::kCall, name, call.args); };
  if (call.name == "\\cis") {
    Node imaginary = MakeNode(Op::kMultiply, "", {MakeNode(Op::kSymbol, "i"), function("\\sin")});
    return MakeNode(Op::kAdd, "", {function("\\cos"), std::move(imaginary)});
  }
  if (call.name != "\\arccot") return std::nullopt;
  Node right_angle = MakeNode(Op::kDivide, "", {MakeNode(Op::kSymbol, "\\pi"), MakeNode(Op::kNumber, "2")});
  return MakeNode(Op::kSubtract, "", {std::move(right_angle), function("\\arctan")});
}

bool IsCondition(const Node& node) {
  return node.op == Op::kRelation && node.name == "e" && node.args[0].op == Op::kSymbol &&
         node.args[1].op == Op::kSymbol;
}

// "x = 2k\\pi, k \\in \\mathbb{Z}": the condition as a unit of the values before it.
Node WithConditionInside(Node list) {
  const std::string unit = ConditionName(list.args.back());
  list.args.pop_back();
  for (Node& item : list.args) {
    Node& value = item.op == Op::kRelation ? item.args.back() : item;
    if (value.op > Op::kUnit) continue;
    value = MakeNode(Op::kUnit, unit, {Node(std::move(value))});
  }
  return list.args.size() == 1 ? Node(std::move(list.args[0])) : list;
}

// "x ≠ 1, 2", "x ≠ 1 and x ≠ 2" and "x ≠ ±1" as the reals without these.
std::optional<Node> RealsWithoutAll(const Node& node) {
  const std::vector<Node> items = node.op == Op::kList ? node.args : std::vector<Node>{node};
  if (node.name == "or" || items.empty() || items[0].op != Op::kRelation) return std::nullopt;
  const Node& variable = items[0].args[0];
  if (variable.op != Op::kSymbol || !HasVariables(variable)) return std::nullopt;
  Node points = MakeNode(Op::kTuple, "{}");
  for (const Node& item : items) {
    const bool is_relation = item.op == Op::kRelation;
    if (is_relation && (item.name != "n" || item.args[0].op != Op::kSymbol || item.args[0].name != variable.name)) {
      return std::nullopt;
    }
    const Node& point = is_relation ? item.args[1] : item;
    if (point.op > Op::kPercent || HasVariables(point)) return std::nullopt;
    auto [upper, lower] = Alternatives(point);
    points.args.push_back(std::move(upper));
    if (HasPlusMinus(point)) points.args.push_back(std::move(lower));
  }
  if (points.args.size() < 2) return std::nullopt;
  return MakeNode(Op::kUnion, "\\", {MakeNode(Op::kSymbol, "\\mathbb{R}"), std::move(points)});
}

// Names and positive numbers, multiplied and divided.
bool IsMonomial(const Node& node) {
  if (node.op == Op::kNumber) return true;
  if (node.op == Op::kSymbol) return node.name != "i";
  const bool is_quotient = node.op == Op::kMultiply || node.op == Op::kDivide;
  return is_quotient && std::all_of(node.args.begin(), node.args.end(), IsMonomial);
}

bool ShareName(const Node& left, const Node& right) {
  if (left.op == Op::kSymbol) return DependsOn(right, left.name);
  return std::any_of(left.args.begin(), left.args.end(), [&](const Node& arg) { return ShareName(arg, right); });
}

// √x √y as √(xy): names under two roots are those of numbers that have them.
std::optional<Node> ProductOfRoots(const Node& left, const Node& right) {
  if (left.op == Op::kMultiply) {
    auto root = ProductOfRoots(left.args[1], right);
    return root ? std::optional(MakeNode(Op::kMultiply, "", {left.args[0], std::move(*root)})) : root;
  }
  if (left.op != Op::kRoot || right.op != Op::kRoot) return std::nullopt;
  const bool same_degree = left.args[1].op == Op::kNumber && left.args[1].name == right.args[1].name;
  if (!same_degree || !IsMonomial(left.args[0]) || !IsMonomial(right.args[0])) return std::nullopt;
  if (ShareName(left.args[0], right.args[0])) return std::nullopt;
  return MakeNode(Op::kRoot, "", {MakeNode(Op::kMultiply, "", {left.args[0], right.args[0]}), left.args[1]});
}

// The conjugate of a constant.
void Conjugate(Node& node) {
  if (node.op == Op::kSymbol && node.name == "i") node = MakeNode(Op::kNegate, "", {MakeNode(Op::kSymbol, "i")});
  if (node.op == Op::kNegate && node.args[0].op == Op::kSymbol && node.args[0].name == "i") return;
  for (Node& arg : node.args) Conjugate(arg);
}

Node FoldedCall(Node node) {
  if (node.name == "\\conj") {
    Node value = std::move(node.args[0]);
    Conjugate(value);
    return value;
  }
  if (node.name == "\\binom" && HasVariables(node.args[0])) {
    if (auto product = Binomial(node.args[0], node.args[1])) return std::move(*product);
  }
  if (node.name == "\\sum" || node.name == "\\prod") {
    if (auto terms = WrittenOut(node)) return std::move(*terms);
  }
  if (auto sum = SumOfFunctions(node)) return std::move(*sum);
  return node;
}

}  // namespace

std::string ConditionName(const Node& condition) {
  std::string set = condition.args[1].name;
  if (set.starts_with("\\mathbb{")) set = set.substr(8, 1);
  return "for " + condition.args[0].name + " in " + set;
}

Node Folded(Node node) {
  for (Node& arg : node.args) arg = Folded(std::move(arg));
  if (auto matrix = MatrixArithmetic(node)) return std::move(*matrix);
  if (node.op == Op::kMultiply) {
    if (auto root = ProductOfRoots(node.args[0], node.args[1])) return std::move(*root);
  }
  if (node.op == Op::kUnion && node.name == "∪") return WithOneFiniteSet(std::move(node));
  if (node.op == Op::kRelation || node.op == Op::kList) {
    if (auto set = RealsWithoutAll(node)) return std::move(*set);
  }
  if (node.op == Op::kRelation) return WithoutApproximation(std::move(node));
  if (node.op == Op::kCall) return FoldedCall(std::move(node));
  if (node.op == Op::kTuple) {
    if (auto matrix = MatrixOfLists(node)) return std::move(*matrix);
  }
  if (node.op == Op::kMatrix && node.name == "vmatrix") {
    if (auto determinant = Determinant(node)) return std::move(*determinant);
  }
  if (node.op == Op::kSubtract && IsFiniteSet(node.args[1])) return MakeNode(Op::kUnion, "\\", std::move(node.args));
  if (node.op == Op::kList && node.args.size() > 1 && IsCondition(node.args.back())) {
    return WithConditionInside(std::move(node));
  }
  return node;
}

}  // namespace autodidact::mathematics
