// Sets of real numbers that are made of intervals and points. Private to the room.
#pragma once

#include <optional>
#include <vector>

#include "mathematics/node.h"
#include "mathematics/trial.h"

namespace autodidact::mathematics {

// A subset of the reals by its boundaries: neighbouring ones that do not change anything are none, so two sets are
// equal where their members are.
class RealSet {
 public:
  // Of an interval, a finite set, ℝ, or unions, intersections and differences of such with constant boundaries.
  // Nothing for anything else, where the order of two boundaries is not known, and for intervals that end before they
  // begin.
  static std::optional<RealSet> Of(const Node& node, Trial& trial);

  bool IsEmpty() const { return !starts_ && boundaries_.empty(); }

  // Nothing where the order of two boundaries is not known.
  static std::optional<bool> Same(const RealSet& left, const RealSet& right, Trial& trial);

 private:
  // What is in a part of the number line.
  struct Boundary {
    Node at;
    bool is_member = false;  // the boundary itself
    bool goes_on = false;    // what follows it, up to the next
  };

  static std::optional<RealSet> OfInterval(const Node& interval, Trial& trial);
  static std::optional<RealSet> OfPoints(const Node& set, Trial& trial);
  template <class Operation>
  static std::optional<RealSet> Combined(const RealSet& left, const RealSet& right, Operation operation, Trial& trial);
  void Simplify();

  bool starts_ = false;  // whether what lies before all boundaries is in it
  std::vector<Boundary> boundaries_;
};

}  // namespace autodidact::mathematics
