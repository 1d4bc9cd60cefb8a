#include "mathematics/same.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "mathematics/calculus.h"
#include "mathematics/collection.h"
#include "mathematics/real_set.h"
#include "mathematics/relation.h"
#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

// What one comparison of answers may cost, in nodes that are looked at: a fraction of a second.
constexpr std::int64_t kMaxCost = 300'000;
constexpr std::int64_t kFactorialCost = 200;

std::int64_t Cost(const Node& node) {
  std::int64_t cost = node.op == Op::kFactorial ? kFactorialCost : 1;
  for (const Node& arg : node.args) cost += Cost(arg);
  return cost;
}

bool IsVector(const Node& node) {
  return node.op == Op::kMatrix && node.name == "matrix" &&
         (node.args.size() == 1 ||
          std::all_of(node.args.begin(), node.args.end(), [](const Node& row) { return row.args.size() == 1; }));
}

bool IsCollection(const Node& node) {
  return node.op == Op::kList || node.op == Op::kTuple || (IsScalar(node) && HasPlusMinus(node));
}

// The scalars of an answer, without their units and percent signs, as long as `holds` holds for them.
template <class Predicate>
bool EveryScalar(const Node& node, const Predicate& holds) {
  if (node.op == Op::kPercent || (node.op == Op::kUnit && node.name != "degree") || node.op == Op::kPlusMinus) {
    return std::all_of(node.args.begin(), node.args.end(), [&](const Node& arg) { return EveryScalar(arg, holds); });
  }
  if (IsScalar(node)) return holds(node);
  return std::all_of(node.args.begin(), node.args.end(), [&](const Node& arg) { return EveryScalar(arg, holds); });
}

class Comparison {
 public:
  explicit Comparison(Trial& trial) : trial_(trial) {}

  // Of an answer whose comparison came out as unequal: whether nothing was found out about some part of it.
  bool undecided() const { return undecided_; }

  bool Same(const Node& left, const Node& right) {
    left_to_do_ -= kCostOfLooking;
    if (left_to_do_ < 0) return GiveUp();
    if (const auto interval = Intersection(left, trial_)) return Same(*interval, right);
    if (const auto interval = Intersection(right, trial_)) return Same(left, *interval);
    if (left.op == Op::kRelation || right.op == Op::kRelation) return SameRelation(left, right);
    if (IsReals(left) && IsReals(right)) return true;
    if (IsEmptySet(left) || IsEmptySet(right)) return IsEmptySet(left) && IsEmptySet(right);
    if (left.op == Op::kText || right.op == Op::kText) {
      const auto words = WordsOf(left);
      return words && words == WordsOf(right);
    }
    if (left.op == Op::kUnion || right.op == Op::kUnion) return SameUnion(left, right);
    if (left.op == Op::kMatrix && right.op == Op::kMatrix) return SameArguments(left, right);
    if (left.op == Op::kMatrix || right.op == Op::kMatrix) {
      const Node& other = left.op == Op::kMatrix ? right : left;
      const bool is_vector = IsVector(left) || IsVector(right);
      return is_vector && other.op == Op::kTuple && SameCollection(AsCollection(left), AsCollection(right));
    }
    if (IsCollection(left) || IsCollection(right)) return SameAsIntervals(left, right) || SameLists(left, right);
    if (left.op == Op::kRatio || right.op == Op::kRatio) return SameRatio(left, right);
    return SameScalar(left, right);
  }

 private:
  static bool SaysOneOf(const Node& node, std::initializer_list<std::string_view> texts) {
    const auto words = node.op == Op::kText ? WordsOf(node) : std::nullopt;
    return words && std::find(texts.begin(), texts.end(), *words) != texts.end();
  }
  // The reals and the empty set have names and forms.
  static bool IsReals(const Node& node) {
    if (IsSymbol(node, "\\mathbb{R}") ||
        SaysOneOf(node, {"allrealnumbers", "allreals", "realnumbers", "therealnumbers", "reals", "thereals", "allreal",
                         "anyrealnumber", "everyrealnumber"}))
      return true;
    return node.op == Op::kTuple && node.name == "()" && node.args.size() == 2 && IsSymbol(node.args[1], "\\infty") &&
           node.args[0].op == Op::kNegate && IsSymbol(node.args[0].args[0], "\\infty");
  }
  static bool IsEmptySet(const Node& node) {
    return IsSymbol(node, "\\emptyset") ||
           SaysOneOf(node, {"emptyset", "theemptyset", "nosolution", "nosolutions", "norealsolution", "norealsolutions",
                            "norealroots", "noanswer", "none"}) ||
           (node.op == Op::kTuple && node.name == "{}" && node.args.empty());
  }

  bool SameRelation(const Node& left, const Node& right) {
    if (SetOfElement(left) && SetOfElement(right)) return SameArguments(left, right);
    if (left.op == right.op && (SetOfElement(left) || SetOfElement(right)) && VariableOf(left) != VariableOf(right)) {
      return false;
    }
    if (const Node* set = SetOfElement(left)) return Same(*set, right);
    if (const Node* set = SetOfElement(right)) return Same(left, *set);
    if (left.op != Op::kRelation || right.op != Op::kRelation) {
      const Node& relation = left.op == Op::kRelation ? left : right;
      const Node& other = left.op == Op::kRelation ? right : left;
      if (SameTree(relation.args.front(), relation.args.back())) return false;  // x = x says nothing
      if (const Node* value = ValueOfEquation(relation)) return Same(*value, other);
      if (IsTrueCalculation(relation)) return Same(relation.args.back(), other);
      const auto interval = ToInterval(relation);
      const bool is_plain_list = other.op == Op::kList && other.name == ",";
      return interval && !is_plain_list && Same(*interval, other);
    }
    const Node* left_value = ValueOfEquation(left);
    const Node* right_value = ValueOfEquation(right);
    if (left_value && right_value && SameArgument(left, right, 0)) return Same(*left_value, *right_value);
    const auto left_interval = ToInterval(left);
    const auto right_interval = ToInterval(right);
    if (left_interval && right_interval) {
      return VariableOf(left) == VariableOf(right) && Same(*left_interval, *right_interval);
    }
    if (const auto same = SameMultiple(left, right, trial_)) return *same;
    return SameArguments(left, right) || SameArguments(left, Reversed(right));
  }

  // "3 · 4 = 12"
  bool IsTrueCalculation(const Node& relation) {
    const auto is_constant = [](const Node& side) { return IsScalar(side) && !HasVariables(side); };
    return relation.name.find_first_not_of('=') == std::string::npos &&
           std::all_of(relation.args.begin(), relation.args.end(), is_constant) &&
           Same(relation.args.front(), relation.args.back());
  }

  bool SameArgument(const Node& left, const Node& right, std::size_t i) { return Same(left.args[i], right.args[i]); }

  bool SameArguments(const Node& left, const Node& right) {
    if (left.op != right.op || left.name != right.name || left.args.size() != right.args.size()) return false;
    for (std::size_t i = 0; i < left.args.size(); ++i) {
      if (!SameArgument(left, right, i)) return false;
    }
    return true;
  }

  // What several relations of one variable have in common.
  std::optional<RealSet> CommonSet(const Node& list) {
    if (list.op != Op::kList || list.name == "or") return std::nullopt;
    Node common = MakeNode(Op::kUnion, "∩");
    for (const Node& item : list.args) {
      auto interval = item.op == Op::kRelation ? ToInterval(item) : std::nullopt;
      if (!interval || VariableOf(item) != VariableOf(list.args[0])) return std::nullopt;
      common.args.push_back(std::move(*interval));
    }
    return RealSet::Of(common, trial_);
  }

  std::optional<RealSet> AsRealSet(const Node& node) {
    if (auto common = CommonSet(node); common && !common->IsEmpty()) return common;
    const auto parts = AsUnion(node);
    return RealSet::Of(parts ? *parts : node, trial_);
  }

  bool SameUnion(const Node& left, const Node& right) {
    const auto left_set = AsRealSet(left), right_set = left_set ? AsRealSet(right) : left_set;
    if (right_set) {
      if (const auto same = RealSet::Same(*left_set, *right_set, trial_)) return *same;
    }
    const auto left_union = AsUnion(left);
    const auto right_union = AsUnion(right);
    if (!left_union || !right_union || left_union->name != right_union->name) return false;
    if (left_union->name == "\\") return SameArguments(*left_union, *right_union);
    return SameInAnyOrder(left_union->args, right_union->args);
  }

  // "x < 1 or x > 2" as the union of its intervals.
  std::optional<Node> AsUnion(const Node& node) {
    if (node.op == Op::kUnion && node.name == "\\" && node.args.size() == 2 && node.args[1].op == Op::kTuple &&
        node.args[1].name == "{}") {
      if (auto pieces = IntervalWithout(IsReals(node.args[0]) ? Reals() : node.args[0], node.args[1].args, trial_)) {
        return pieces;
      }
    }
    if (node.op == Op::kUnion) return node;
    if (node.op != Op::kList || node.name == ",") return std::nullopt;
    Node result = MakeNode(Op::kUnion, "∪");
    for (const Node& item : node.args) {
      const Node* const set = SetOfElement(item);
      auto interval = set != nullptr ? std::optional<Node>(*set) : ToInterval(item);
      if (!interval || interval->op != Op::kTuple) return std::nullopt;
      result.args.push_back(std::move(*interval));
    }
    return result;
  }

  bool SameAsIntervals(const Node& left, const Node& right) {
    return left.op == Op::kList && right.op == Op::kList && AsUnion(left) && AsUnion(right) && SameUnion(left, right);
  }

  bool SameLists(const Node& left, const Node& right) {
    return SameCollection(Solutions(AsCollection(left)), Solutions(AsCollection(right)));
  }

  // "x = 4, −8, 2" and "x = 4, x = −8": the values of one name, in any order.
  static Collection Solutions(Collection collection) {
    if (!collection.brackets.empty() || collection.items.size() < 2) return collection;
    const Node* value = ValueOfEquation(collection.items.front());
    const auto names_the_same = [&](const Node& item) {
      return ValueOfEquation(item) != nullptr && SameTree(item.args[0], collection.items.front().args[0]);
    };
    if (value != nullptr && std::all_of(collection.items.begin(), collection.items.end(), names_the_same)) {
      std::transform(collection.items.begin(), collection.items.end(), collection.items.begin(),
                     [](const Node& item) { return Node(*ValueOfEquation(item)); });
      collection.any_order = true;
      return collection;
    }
    if (value == nullptr || !IsScalar(*value) ||
        !std::all_of(collection.items.begin() + 1, collection.items.end(), IsScalar)) {
      return collection;
    }
    collection.items.front() = Node(*value);
    collection.any_order = true;
    return collection;
  }

  bool SameCollection(Collection left, Collection right) {
    bool any_order = left.any_order || right.any_order;
    if (left.brackets != right.brackets) {
      // A list without brackets is the same as a tuple in its order, or as a set in any.
      // A set of one point is the point.
      for (const auto& [set, other] : {std::pair(&left, &right), std::pair(&right, &left)}) {
        if (set->brackets != "{}" || other->brackets != "()" || set->items.size() != 1) continue;
        return set->items[0].op == Op::kTuple && Same(set->items[0], MakeNode(Op::kTuple, "()", other->items));
      }
      if (!left.brackets.empty() && !right.brackets.empty()) return false;
      const std::string& brackets = left.brackets.empty() ? right.brackets : left.brackets;
      if (brackets != "()" && brackets != "{}") return false;
      if (brackets == "()") any_order = false;
      if (brackets == "()" && (left.items.size() < 2 || right.items.size() < 2)) return false;
    }
    if (any_order) {
      RemoveRepeated(left.items);
      RemoveRepeated(right.items);
    }
    if (left.items.size() != right.items.size()) return false;
    const auto is_point = [](const Node& item) {
      return (item.op == Op::kTuple || item.op == Op::kList) && item.args.size() > 1;
    };
    const auto all_points = [&](const Collection& collection) {
      return collection.brackets.empty() && collection.items.size() > 1 &&
             std::all_of(collection.items.begin(), collection.items.end(), is_point);
    };
    const auto names_itself = [](const Node& item) { return ValueOfEquation(item) != nullptr; };
    const bool all_named = std::all_of(left.items.begin(), left.items.end(), names_itself) &&
                           std::all_of(right.items.begin(), right.items.end(), names_itself);
    if (any_order || all_named || (all_points(left) && all_points(right)))
      return SameInAnyOrder(left.items, right.items);
    for (std::size_t i = 0; i < left.items.size(); ++i) {
      if (!Same(left.items[i], right.items[i])) return false;
    }
    return true;
  }

  void RemoveRepeated(std::vector<Node>& items) {
    std::vector<Node> kept;
    for (Node& item : items) {
      if (std::none_of(kept.begin(), kept.end(), [&](const Node& other) { return Same(item, other); })) {
        kept.push_back(std::move(item));
      }
    }
    items = std::move(kept);
  }

  bool SameInAnyOrder(const std::vector<Node>& left, const std::vector<Node>& right) {
    if (left.size() != right.size()) return false;
    std::vector<bool> taken(right.size());
    for (const Node& item : left) {
      std::size_t i = 0;
      while (i < right.size() && (taken[i] || !Same(item, right[i]))) ++i;
      if (i == right.size()) return false;
      taken[i] = true;
    }
    return true;
  }

  // 12:05 is a time, and not 12 to 5.
  static bool IsTime(const Node& node) {
    return node.op == Op::kRatio && std::any_of(node.args.begin() + 1, node.args.end(), [](const Node& part) {
             return part.op == Op::kNumber && part.name.size() == 2 && part.name[0] == '0';
           });
  }

  // a : b is the quotient; longer ratios are equal where their terms have one factor.
  bool SameRatio(const Node& left, const Node& right) {
    if (IsTime(left) || IsTime(right)) return SameTree(left, right);
    const auto quotient = [](const Node& node) {
      return node.op == Op::kRatio && node.args.size() == 2 ? MakeNode(Op::kDivide, "", node.args) : node;
    };
    if (left.op != right.op || left.args.size() == 2) {
      const Node a = quotient(left), b = quotient(right);
      return a.op != Op::kRatio && b.op != Op::kRatio && SameScalar(a, b);
    }
    if (left.args.size() != right.args.size()) return false;
    for (std::size_t i = 1; i < left.args.size(); ++i) {
      const Node a = MakeNode(Op::kDivide, "", {left.args[i], left.args[0]});
      const Node b = MakeNode(Op::kDivide, "", {right.args[i], right.args[0]});
      if (!SameScalar(a, b)) return false;
    }
    return true;
  }

  bool SameScalar(const Node& left, const Node& right) {
    Quantity a = WithoutUnit(left), b = WithoutUnit(right);
    if (a.conflict || b.conflict) return SameNumbers(left, right);
    const auto take_percent = [](Quantity& quantity) {
      const bool is_percent = quantity.value.op == Op::kPercent || quantity.unit == "percent";
      if (quantity.value.op == Op::kPercent) quantity.value = Node(quantity.value.args[0]);
      if (quantity.unit == "percent") quantity.unit.clear();
      return is_percent;
    };
    const bool left_percent = take_percent(a), right_percent = take_percent(b);
    if (!a.unit.empty() && !b.unit.empty() && a.unit != b.unit) return false;
    if ((left_percent && !b.unit.empty()) || (right_percent && !a.unit.empty())) return false;
    if (SameNumbers(a.value, b.value)) return true;
    if (a.unit == "degree" && b.unit.empty() && !right_percent) return SameNumbers(left, b.value);
    if (b.unit == "degree" && a.unit.empty() && !left_percent) return SameNumbers(a.value, right);
    if (left_percent == right_percent) return false;
    Node& percent = left_percent ? a.value : b.value;
    percent = MakeNode(Op::kDivide, "", {std::move(percent), MakeNode(Op::kNumber, "100")});
    return SameNumbers(a.value, b.value);
  }

  bool SameNumbers(const Node& left, const Node& right) {
    left_to_do_ -= Cost(left) + Cost(right);
    if (left_to_do_ < 0) return GiveUp();
    if (SameTree(left, right)) return true;
    if (const auto same = SameFamily(left, right, trial_)) return *same;
    if (const auto same = SameByInduction(left, right, trial_)) return *same;
    switch (SameValue(left, right, trial_)) {
      case ValueEquality::kSame:
        return true;
      case ValueEquality::kDifferent:
        return IsRoundedTo(left, right, trial_) || IsRoundedTo(right, left, trial_);
      case ValueEquality::kUndecided:
        return GiveUp();
      case ValueEquality::kUnsupported:
        break;
    }
    // What cannot be evaluated may still have the same form.
    return !left.args.empty() && SameArguments(left, right);
  }

  bool GiveUp() {
    undecided_ = true;
    return false;
  }

  static constexpr std::int64_t kCostOfLooking = 20;

  Trial& trial_;
  std::int64_t left_to_do_ = kMaxCost;
  bool undecided_ = false;
};

}  // namespace

Sameness SameAnswer(const Node& left, const Node& right, Trial& trial) {
  Comparison comparison(trial);
  if (comparison.Same(left, right)) return Sameness::kEqual;
  return comparison.undecided() ? Sameness::kUndecided : Sameness::kUnequal;
}

bool HasValues(const Node& node, Trial& trial) {
  return EveryScalar(node, [&](const Node& scalar) { return HasValue(scalar, trial); });
}

}  // namespace autodidact::mathematics
