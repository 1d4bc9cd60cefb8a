#include "estimators/estimator.h"

#include <algorithm>
#include <utility>

#include "base/format.h"

namespace autodidact::estimators {

Reads ReadsOf(EstimatorKind kind) {
  switch (kind) {
    case EstimatorKind::kSynthesis:
      return {.group = true, .model = true};
    case EstimatorKind::kMajority:
      return {.group = true};
    case EstimatorKind::kMinPerplexity:
    case EstimatorKind::kSelfSelect:
    case EstimatorKind::kMutualPredictability:
      return {.group = true, .question = true, .model = true};
    case EstimatorKind::kGroundTruth:
      return {.label = true};
  }
  base::ThrowBug("unknown estimator");
}

bool IsSelection(EstimatorKind kind) {
  const Reads reads = ReadsOf(kind);
  return reads.question && reads.model;
}

bool ReadsGroupAlone(EstimatorKind kind) {
  const Reads reads = ReadsOf(kind);
  return reads.group && !reads.question && !reads.label && !reads.model;
}

base::Outcome<schema::Reference> FromGroup(EstimatorKind kind, const AnswerRule& rule,
                                           const std::vector<std::string>& texts) {
  switch (kind) {
    case EstimatorKind::kMajority:
      return MajorityReference(rule, texts);
    default:
      base::ThrowBug(base::NameIn(kind) + " reads more than the texts of a group");
  }
}

base::Outcome<schema::Reference> MajorityReference(const AnswerRule& rule, const std::vector<std::string>& texts) {
  std::vector<std::string> found;
  std::vector<std::size_t> text_of;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto answer = answers::Extract(rule.extractor, texts[i]);
    if (answer && answers::CanBeCompared(rule.comparator, *answer)) {
      found.push_back(std::move(*answer));
      text_of.push_back(i);
    }
  }
  if (found.empty()) {
    return base::Failure{base::ErrorKind::kBadInput,
                         base::Format("none of {} texts has an answer that can be compared ({})", texts.size(),
                                      base::NameIn(rule.extractor))};
  }
  std::vector<std::size_t> votes(found.size());
  for (const std::size_t first : answers::Classes(rule.comparator, found)) ++votes[first];
  // max_element gives the first of equals: the class whose first member came first.
  const auto best = std::max_element(votes.begin(), votes.end()) - votes.begin();
  schema::Reference reference;
  reference.text = answers::WithoutAlternatives(texts[text_of[static_cast<std::size_t>(best)]]);
  return reference;
}

base::Outcome<schema::Reference> LabelReference(const AnswerRule& rule, const std::vector<std::string>& labels) {
  schema::Reference reference;
  reference.text = answers::LabelText(rule.extractor, labels);
  if (answers::ReferenceAnswers(rule.extractor, reference.text).empty()) {
    return base::Failure{base::ErrorKind::kBadInput, "the row has no label"};
  }
  return reference;
}

base::Outcome<schema::Reference> OwnRubricReference(std::vector<schema::Criterion> rubric) {
  if (rubric.empty()) return base::Failure{base::ErrorKind::kBadInput, "the row has no rubric of its own"};
  schema::Reference reference;
  reference.rubric = std::move(rubric);
  return reference;
}

std::optional<std::string> TextUnderHeading(std::string_view text, std::string_view heading) {
  if (!heading.empty()) {
    const std::size_t at = text.rfind(heading);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + heading.size());
  }
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return std::string();
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

}  // namespace autodidact::estimators
