#include "answers/compare.h"

#include <algorithm>

#include "answers/mathematics.h"
#include "answers/text_util.h"
#include "base/error.h"
#include "base/format.h"

namespace autodidact::answers {

Comparator ComparatorNamed(std::string_view name) {
  for (const Comparator comparator : {Comparator::kExact, Comparator::kMathematics}) {
    if (name == Name(comparator)) return comparator;
  }
  base::ThrowBadInput(base::Format("unknown comparator '{}': expected exact or math", name));
}

const char* Name(Comparator comparator) {
  return comparator == Comparator::kExact ? "exact" : "math";
}

bool Equal(Comparator comparator, std::string_view left, std::string_view right) {
  return comparator == Comparator::kExact ? Fold(left) == Fold(right) : EqualMathematics(left, right);
}

bool EqualAny(Comparator comparator, std::string_view answer, const std::vector<std::string>& references) {
  return std::any_of(references.begin(), references.end(),
                     [&](const std::string& reference) { return Equal(comparator, answer, reference); });
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
