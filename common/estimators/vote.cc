#include "estimators/vote.h"

#include <algorithm>
#include <cstddef>

#include "base/format.h"

namespace autodidact::estimators {

base::Outcome<schema::Reference> MajorityUnder(const SameAnswer& same, answers::Extractor extractor,
                                               const std::vector<std::string>& texts) {
  struct Class {
    std::string answer;
    std::size_t text;
    std::size_t votes;
  };
  std::vector<Class> classes;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto answer = answers::Extract(extractor, texts[i]);
    if (!answer) continue;
    bool taken = false;
    for (Class& one : classes) {
      const auto equal = *answer == one.answer ? base::Outcome<bool>(true) : same(one.answer, *answer);
      if (!equal.ok()) return equal.failure();
      taken = *equal;
      if (!taken) continue;
      ++one.votes;
      break;
    }
    if (!taken) classes.push_back({*answer, i, 1});
  }
  if (classes.empty()) {
    return base::Failure{base::ErrorKind::kBadInput,
                         base::Format("none of {} texts has an answer ({})", texts.size(), base::NameIn(extractor))};
  }
  // The first of equals: the class whose first member came first.
  const auto best = std::max_element(classes.begin(), classes.end(),
                                     [](const Class& left, const Class& right) { return left.votes < right.votes; });
  schema::Reference reference;
  reference.text = answers::WithoutAlternatives(texts[best->text]);
  return reference;
}

}  // namespace autodidact::estimators
