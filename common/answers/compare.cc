#include "answers/compare.h"

#include "base/error.h"
#include "base/format.h"
#include "base/strings.h"

namespace autodidact::answers {

Sameness Compare(Comparator comparator, std::string_view left, std::string_view right) {
  if (comparator == Comparator::kMathematics) return mathematics::Compare(left, right);
  return base::FoldSpaces(left) == base::FoldSpaces(right) ? Sameness::kEqual : Sameness::kUnequal;
}

bool Equal(Comparator comparator, std::string_view left, std::string_view right) {
  return Compare(comparator, left, right) == Sameness::kEqual;
}

bool CanBeCompared(Comparator comparator, std::string_view answer) {
  return comparator == Comparator::kExact || mathematics::SaysSomething(answer);
}

Sameness CompareAny(Comparator comparator, std::string_view answer, const std::vector<std::string>& references) {
  Sameness best = Sameness::kUnequal;
  for (const std::string& reference : references) {
    const Sameness sameness = Compare(comparator, answer, reference);
    if (sameness == Sameness::kEqual) return sameness;
    if (sameness == Sameness::kUndecided) best = sameness;
  }
  return best;
}

bool EqualAny(Comparator comparator, std::string_view answer, const std::vector<std::string>& references) {
  return CompareAny(comparator, answer, references) == Sameness::kEqual;
}

std::vector<std::size_t> Classes(Comparator comparator, const std::vector<std::string>& answers) {
  std::vector<std::size_t> classes(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    classes[i] = i;
    for (std::size_t j = 0; j < i; ++j) {
      // Only the first of each class is compared with: an answer belongs to the first class that takes it.
      if (classes[j] == j && Equal(comparator, answers[i], answers[j])) {
        classes[i] = j;
        break;
      }
    }
  }
  return classes;
}

}  // namespace autodidact::answers
