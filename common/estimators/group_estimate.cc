#include "estimators/group_estimate.h"

#include <utility>
#include <variant>

namespace autodidact::estimators {
namespace {

base::Failure Lacks(const char* what) {
  return {base::ErrorKind::kBadInput, std::string("the row has no ") + what};
}

struct RowEstimate {
  const Comparison& comparison;

  base::Outcome<schema::GroupReference> operator()(const schema::Labels& labels) const {
    auto reference = LabelReference(comparison.rule, labels.answers);
    if (!reference.ok()) return reference.failure();
    schema::Labels target = labels;
    if (comparison.by_program) {
      target.answers = answers::ReferenceAnswers(comparison.rule.extractor, reference->text);
    }
    return schema::GroupReference{std::move(*reference), std::move(target)};
  }
  base::Outcome<schema::GroupReference> operator()(const schema::Rubric& rubric) const {
    return schema::WithTarget(OwnRubricReference(rubric.criteria));
  }
  base::Outcome<schema::GroupReference> operator()(const schema::Tests& tests) const {
    if (tests.code.empty()) return Lacks("label");
    schema::GroupReference estimate{{}, tests};
    estimate.reference.text = tests.code;
    return estimate;
  }
  base::Outcome<schema::GroupReference> operator()(const schema::MadeReference& made) const {
    schema::Reference reference;
    reference.text = made.text;
    // One that was made of labels may admit several answers.
    auto admitted = answers::ReferenceAnswers(comparison.rule.extractor, made.text);
    if (admitted.size() < 2) return schema::WithTarget(std::move(reference));
    return schema::GroupReference{std::move(reference), schema::Labels{std::move(admitted)}};
  }
  base::Outcome<schema::GroupReference> operator()(const schema::Inputs&) const { return Lacks("label or reference"); }
  base::Outcome<schema::GroupReference> operator()(std::monostate) const { return Lacks("label or reference"); }
};

}  // namespace

Maker MakerOf(EstimatorKind kind) {
  if (IsSelection(kind)) return Maker::kSelector;
  return ReadsOf(kind).model ? Maker::kSynthesizer : Maker::kAtOnce;
}

base::Outcome<bool> Comparison::IsAnyOf(const std::string& answer, const std::vector<std::string>& admitted) const {
  if (!same) return answers::EqualAny(rule.comparator, answer, admitted);
  base::Outcome<bool> found = false;
  for (const std::string& one : admitted) {
    const auto equal = same(one, answer);
    if (!equal.ok()) {
      found = equal.failure();
    } else if (*equal) {
      return true;
    }
  }
  return found;
}

std::vector<std::string> TextsOf(const schema::RolloutGroup& group) {
  std::vector<std::string> texts;
  texts.reserve(group.rollouts.size());
  for (const schema::Rollout& rollout : group.rollouts) texts.push_back(rollout.text);
  return texts;
}

base::Outcome<schema::GroupReference> FromTexts(EstimatorKind kind, const Comparison& comparison,
                                                const std::vector<std::string>& texts) {
  if (kind == EstimatorKind::kMajority && comparison.same) {
    return schema::WithTarget(MajorityUnder(comparison.same, comparison.rule.extractor, texts));
  }
  return schema::WithTarget(FromGroup(kind, comparison.rule, texts));
}

base::Outcome<schema::GroupReference> FromRow(const Comparison& comparison, const schema::Supervision& supervision) {
  return std::visit(RowEstimate{comparison}, supervision);
}

}  // namespace autodidact::estimators
