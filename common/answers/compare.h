// Whether two answers are the same answer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.h"
#include "mathematics/mathematics.h"

namespace autodidact::answers {

using mathematics::Sameness;

enum class Comparator {
  kExact,        // equal once trimmed and white space folded
  kMathematics,  // equal as mathematics
};
constexpr auto NamesOf(Comparator) {
  return base::NameTable<Comparator, 2>{{{Comparator::kExact, "exact"}, {Comparator::kMathematics, "math"}}};
}

// Symmetric. Never throws for any input; bounded in time. Undecided as mathematics alone, see mathematics.h.
Sameness Compare(Comparator comparator, std::string_view left, std::string_view right);
// Known to be equal.
bool Equal(Comparator comparator, std::string_view left, std::string_view right);

// Whether the answer can be told from others: one that cannot is no candidate of a vote.
bool CanBeCompared(Comparator comparator, std::string_view answer);

// The best outcome with any of `references` (see ReferenceAnswers): equal, else undecided, else unequal.
Sameness CompareAny(Comparator comparator, std::string_view answer, const std::vector<std::string>& references);
bool EqualAny(Comparator comparator, std::string_view answer, const std::vector<std::string>& references);

// Equivalence classes of answers under Equal: for each answer the index of the first one that it equals.
std::vector<std::size_t> Classes(Comparator comparator, const std::vector<std::string>& answers);

}  // namespace autodidact::answers
