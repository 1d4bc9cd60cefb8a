#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mathematics/calculus.h"
#include "mathematics/collection.h"
#include "mathematics/derivative.h"
#include "mathematics/tree.h"
#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

constexpr std::int64_t kFirstCases = 6;       // that are looked at besides the step
constexpr std::int64_t kMaxSeriesTerms = 40;  // of a series in one of them
constexpr std::size_t kMaxSeries = 4;

bool IsSeries(const Node& node) {
  return node.op == Op::kCall && (node.name == "\\sum" || node.name == "\\prod");
}

void CollectSeries(const Node& node, std::vector<Node>& all) {
  if (IsSeries(node)) {
    if (std::none_of(all.begin(), all.end(), [&](const Node& other) { return SameTree(other, node); })) {
      all.push_back(node);
    }
    return;
  }
  for (const Node& arg : node.args) CollectSeries(arg, all);
}

void CollectVariables(const Node& node, std::vector<std::string>& names) {
  if (node.op == Op::kSymbol && HasVariables(node) && !IsBound(node.name) &&
      std::find(names.begin(), names.end(), node.name) == names.end()) {
    names.push_back(node.name);
  }
  for (const Node& arg : node.args) CollectVariables(arg, names);
}

// A series from an integer to the variable plus an integer, of terms that do not depend on the variable.
struct Partial {
  Node series;
  std::int64_t lower = 0;
  std::int64_t beyond = 0;  // upper − variable
};

std::optional<Partial> PartialOf(const Node& series, const std::string& n) {
  const auto lower = ToSmallRational(series.args[2]);
  const auto beyond = ToSmallRational(Substituted(series.args[3], n, Integer(0)));
  const auto further = ToSmallRational(Substituted(series.args[3], n, Integer(1)));
  const bool is_plain = lower && beyond && further && lower->second == 1 && beyond->second == 1 &&
                        further->second == 1 && further->first == beyond->first + 1;
  if (!is_plain || DependsOn(series.args[1], n)) return std::nullopt;
  const bool is_linear =
      series.args[3].op == Op::kSymbol || series.args[3].op == Op::kAdd || series.args[3].op == Op::kSubtract;
  if (!is_linear) return std::nullopt;
  return Partial{series, lower->first, beyond->first};
}

void Replace(Node& node, const Node& what, const Node& with) {
  if (SameTree(node, what)) {
    node = with;
    return;
  }
  for (Node& arg : node.args) Replace(arg, what, with);
}

// The terms of a series up to `upper`, written out; of none the neutral number.
Node WrittenOut(const Partial& partial, std::int64_t upper) {
  const bool sum = partial.series.name == "\\sum";
  Node result = Integer(sum ? 0 : 1);
  for (std::int64_t k = partial.lower; k <= upper; ++k) {
    const Node term = Substituted(partial.series.args[1], partial.series.args[0].name, Integer(k));
    result = MakeNode(sum ? Op::kAdd : Op::kMultiply, "", {std::move(result), term});
  }
  return result;
}

class Induction {
 public:
  Induction(const Node& left, const Node& right, std::string variable, std::vector<Partial> partials, Trial& trial)
      : left_(left), right_(right), n_(std::move(variable)), partials_(std::move(partials)), trial_(trial) {}

  // The outcome of the first cases where one differs, true where the step is shown too.
  std::optional<bool> Outcome() {
    std::int64_t first = partials_[0].lower - partials_[0].beyond, latest = first;
    for (const Partial& partial : partials_) {
      first = std::max(first, partial.lower - partial.beyond);
      latest = std::min(latest, partial.lower - partial.beyond);
    }
    if (first - latest + kFirstCases > kMaxSeriesTerms) return std::nullopt;
    for (std::int64_t n = first; n < first + kFirstCases; ++n) {
      const ValueEquality equality = SameValue(Case(left_, n), Case(right_, n), trial_);
      if (equality == ValueEquality::kDifferent) return false;
      if (equality != ValueEquality::kSame) return std::nullopt;
    }
    const Node left = Current(left_), right = Current(right_);
    const Node next_left = Following(left_), next_right = Following(right_);
    if (SameValue(Minus(next_left, left), Minus(next_right, right), trial_) == ValueEquality::kSame) return true;
    if (SameValue(Times(next_left, right), Times(next_right, left), trial_) == ValueEquality::kSame) return true;
    return partials_.size() == 1 && IsSolved(Minus(left, right)) ? std::optional(true) : std::nullopt;
  }

 private:
  Node Case(Node node, std::int64_t n) const {
    for (const Partial& partial : partials_) Replace(node, partial.series, WrittenOut(partial, n + partial.beyond));
    return Substituted(std::move(node), n_, Integer(n));
  }

  // Of a difference that is linear in the series: the series is then a known expression, with the same step.
  bool IsSolved(const Node& difference) {
    const std::string name = Name(0).name;
    const Node rest = Substituted(difference, name, Integer(0));
    const Node factor = Minus(Substituted(difference, name, Integer(1)), rest);
    const Node line = Plus(Times(factor, Name(0)), rest);
    if (SameValue(difference, line, trial_) != ValueEquality::kSame) return false;
    const Node closed = Over(Minus(Integer(0), rest), factor);
    const Node& series = partials_[0].series;
    const Node next = Plus(MakeNode(Op::kSymbol, n_), Integer(1));
    const Node term = Substituted(series.args[1], series.args[0].name, Plus(next, Integer(partials_[0].beyond)));
    const Node expected = series.name == "\\sum" ? Plus(closed, term) : Times(closed, term);
    return SameValue(Substituted(closed, n_, next), expected, trial_) == ValueEquality::kSame;
  }

  Node Name(std::size_t i) const { return MakeNode(Op::kSymbol, "\\series" + std::to_string(i)); }

  Node Current(Node node) const {
    for (std::size_t i = 0; i < partials_.size(); ++i) Replace(node, partials_[i].series, Name(i));
    return node;
  }

  Node Following(Node node) const {
    const Node next = Plus(MakeNode(Op::kSymbol, n_), Integer(1));
    node = Substituted(Current(std::move(node)), n_, next);
    for (std::size_t i = 0; i < partials_.size(); ++i) {
      const Node& series = partials_[i].series;
      const Node term = Substituted(series.args[1], series.args[0].name, Plus(next, Integer(partials_[i].beyond)));
      Substitute(node, Name(i).name, series.name == "\\sum" ? Plus(Name(i), term) : Times(Name(i), term));
    }
    return node;
  }

  const Node& left_;
  const Node& right_;
  const std::string n_;
  const std::vector<Partial> partials_;
  Trial& trial_;
};

// "C" of "x² + C": a summand of one letter.
bool HasConstant(const Node& node) {
  if (node.op == Op::kAdd) return HasConstant(node.args[0]) || HasConstant(node.args[1]);
  if (node.op == Op::kSubtract) return HasConstant(node.args[0]);
  return node.op == Op::kSymbol && (node.name == "C" || node.name == "c" || node.name == "K");
}

bool IsIndefinite(const Node& node) {
  return node.op == Op::kCall && node.name == "\\int" && node.args.size() == 2;
}

// Logarithms and roots have values on parts of the line only, with constants of their own.
bool IsWhole(const Node& node) {
  static constexpr std::string_view kInParts[] = {"\\ln", "\\log", "\\lg", "\\abs", "\\tan", "\\cot", "\\sec", "\\csc"};
  const bool in_parts =
      node.op == Op::kRoot || node.op == Op::kDivide ||
      (node.op == Op::kCall && std::find(std::begin(kInParts), std::end(kInParts), node.name) != std::end(kInParts));
  if (node.op == Op::kDivide && !HasVariables(node.args[1])) return IsWhole(node.args[0]);
  return !in_parts && std::all_of(node.args.begin(), node.args.end(), IsWhole);
}

std::optional<std::string> OnlyVariable(const Node& node) {
  std::vector<std::string> names;
  CollectVariables(node, names);
  names.erase(std::remove_if(names.begin(), names.end(),
                             [](const std::string& name) { return name == "C" || name == "c" || name == "K"; }),
              names.end());
  return names.size() == 1 ? std::optional(names[0]) : std::nullopt;
}

}  // namespace

std::optional<bool> SameByInduction(const Node& left, const Node& right, Trial& trial) {
  std::vector<Node> series;
  CollectSeries(left, series);
  CollectSeries(right, series);
  if (series.empty() || series.size() > kMaxSeries) return std::nullopt;
  std::vector<std::string> names;
  for (const Node& one : series) CollectVariables(one.args[3], names);
  if (names.size() != 1) return std::nullopt;
  std::vector<Partial> partials;
  for (const Node& one : series) {
    auto partial = PartialOf(one, names[0]);
    if (!partial) return std::nullopt;
    partials.push_back(std::move(*partial));
  }
  return Induction(left, right, names[0], std::move(partials), trial).Outcome();
}

std::optional<bool> SameFamily(const Node& left, const Node& right, Trial& trial) {
  const bool both = (IsIndefinite(left) || HasConstant(left)) && (IsIndefinite(right) || HasConstant(right));
  if (!both) return std::nullopt;
  const auto variable_of = [](const Node& node) {
    return IsIndefinite(node) ? std::optional(node.args[0].name) : OnlyVariable(node);
  };
  const auto x = variable_of(left);
  if (!x || x != variable_of(right)) return std::nullopt;
  const auto is_plain = [](const Node& node) { return IsIndefinite(node) || (DependsOn(node, "C") && IsWhole(node)); };
  if (!IsIndefinite(left) && !IsIndefinite(right) && !(is_plain(left) && is_plain(right))) {
    // The same constant by another name.
    Node renamed = right;
    for (const char* const name : {"C", "c", "K"}) Substitute(renamed, name, MakeNode(Op::kSymbol, "C"));
    Node other = left;
    for (const char* const name : {"c", "K"}) Substitute(other, name, MakeNode(Op::kSymbol, "C"));
    return SameValue(other, renamed, trial) == ValueEquality::kSame;
  }
  const auto slope = [&](const Node& node) { return IsIndefinite(node) ? node.args[1] : Derivative(node, *x); };
  const std::optional<Node> a = slope(left), b = slope(right);
  if (!a || !b) return std::nullopt;
  const ValueEquality equality = SameValue(*a, *b, trial);
  if (equality == ValueEquality::kSame) return HasValue(left, trial) && HasValue(right, trial);
  return equality == ValueEquality::kDifferent ? std::optional(false) : std::nullopt;
}

}  // namespace autodidact::mathematics
