#include "mathematics/real_set.h"

#include <cstddef>
#include <utility>

#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

constexpr std::size_t kMaxBoundaries = 40;

bool CanBeBound(const Node& node) {
  return node.op <= Op::kPercent && !HasVariables(node) && !HasPlusMinus(node);
}

// Negative, zero or positive as left is before, at or behind right.
std::optional<int> Order(const Node& left, const Node& right, Trial& trial) {
  if (IsLess(left, right, trial)) return -1;
  if (IsLess(right, left, trial)) return 1;
  if (SameValue(left, right, trial) == ValueEquality::kSame) return 0;
  return std::nullopt;
}

}  // namespace

std::optional<RealSet> RealSet::OfInterval(const Node& interval, Trial& trial) {
  const Node& lower = interval.args[0];
  const Node& upper = interval.args[1];
  const bool from_everywhere = SignOfInfinity(lower)<0, to_everywhere = SignOfInfinity(upper)> 0;
  if ((!from_everywhere && !CanBeBound(lower)) || (!to_everywhere && !CanBeBound(upper))) return std::nullopt;
  RealSet set;
  set.starts_ = from_everywhere;
  if (!from_everywhere) set.boundaries_.push_back({lower, interval.name[0] == '[', true});
  if (!to_everywhere) {
    if (!from_everywhere && Order(lower, upper, trial) != -1) return std::nullopt;
    set.boundaries_.push_back({upper, interval.name[1] == ']', false});
  }
  return set;
}

std::optional<RealSet> RealSet::OfPoints(const Node& set, Trial& trial) {
  std::optional<RealSet> all = RealSet();
  for (const Node& point : set.args) {
    if (!CanBeBound(point)) return std::nullopt;
    RealSet single;
    single.boundaries_.push_back({point, true, false});
    all = Combined(
        *all, single, [](bool a, bool b) { return a || b; }, trial);
    if (!all) return all;
  }
  return all;
}

std::optional<RealSet> RealSet::Of(const Node& node, Trial& trial) {
  if (node.op == Op::kSymbol && node.name == "\\mathbb{R}") {
    RealSet all;
    all.starts_ = true;
    return all;
  }
  if (node.op == Op::kSymbol && node.name == "\\emptyset") return RealSet();
  if (node.op == Op::kTuple && node.name == "{}") return OfPoints(node, trial);
  if (node.op == Op::kTuple && node.args.size() == 2) return OfInterval(node, trial);
  if (node.op != Op::kUnion) return std::nullopt;
  auto set = Of(node.args[0], trial);
  for (std::size_t i = 1; i < node.args.size() && set; ++i) {
    const auto part = Of(node.args[i], trial);
    if (!part) return part;
    if (node.name == "∪") {
      set = Combined(
          *set, *part, [](bool a, bool b) { return a || b; }, trial);
    } else if (node.name == "∩") {
      set = Combined(
          *set, *part, [](bool a, bool b) { return a && b; }, trial);
    } else {
      set = Combined(
          *set, *part, [](bool a, bool b) { return a && !b; }, trial);
    }
  }
  return set;
}

template <class Operation>
std::optional<RealSet> RealSet::Combined(const RealSet& left, const RealSet& right, Operation operation, Trial& trial) {
  if (left.boundaries_.size() + right.boundaries_.size() > kMaxBoundaries) return std::nullopt;
  RealSet result;
  bool in_left = left.starts_, in_right = right.starts_;
  result.starts_ = operation(in_left, in_right);
  std::size_t i = 0, j = 0;
  while (i < left.boundaries_.size() || j < right.boundaries_.size()) {
    std::optional<int> order = i == left.boundaries_.size() ? 1 : -1;
    if (i < left.boundaries_.size() && j < right.boundaries_.size()) {
      order = Order(left.boundaries_[i].at, right.boundaries_[j].at, trial);
    }
    if (!order) return std::nullopt;
    Boundary next{*order <= 0 ? left.boundaries_[i].at : right.boundaries_[j].at};
    const bool at_left = *order <= 0 ? left.boundaries_[i].is_member : in_left;
    const bool at_right = *order >= 0 ? right.boundaries_[j].is_member : in_right;
    if (*order <= 0) in_left = left.boundaries_[i++].goes_on;
    if (*order >= 0) in_right = right.boundaries_[j++].goes_on;
    next.is_member = operation(at_left, at_right);
    next.goes_on = operation(in_left, in_right);
    result.boundaries_.push_back(std::move(next));
  }
  result.Simplify();
  return result;
}

void RealSet::Simplify() {
  std::vector<Boundary> kept;
  bool before = starts_;
  for (Boundary& boundary : boundaries_) {
    const bool changes = boundary.is_member != before || boundary.goes_on != before;
    before = boundary.goes_on;
    if (changes) kept.push_back(std::move(boundary));
  }
  boundaries_ = std::move(kept);
}

std::optional<bool> RealSet::Same(const RealSet& left, const RealSet& right, Trial& trial) {
  const auto difference = Combined(
      left, right, [](bool a, bool b) { return a != b; }, trial);
  if (!difference) return std::nullopt;
  return !difference->starts_ && difference->boundaries_.empty();
}

}  // namespace autodidact::mathematics
