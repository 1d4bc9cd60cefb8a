#include <algorithm>

#include "base/check.h"
#include "evaluation/figures.h"
#include "evaluation/position_vote.h"

namespace autodidact::evaluation {
namespace {

class Grader {
 public:
  Grader(const estimators::AnswerRule& rule, const std::vector<std::string>& labels)
      : rule_(rule), labels_(answers::ReferenceAnswers(rule.extractor, answers::LabelText(rule.extractor, labels))) {}

  GradedAnswer OfAnswer(std::optional<std::string> answer) const {
    const bool right = answer && answers::EqualAny(rule_.comparator, *answer, labels_);
    return {std::move(answer), right};
  }
  GradedAnswer OfText(const std::string& text) const { return OfAnswer(answers::Extract(rule_.extractor, text)); }

  // `rollouts` are the group's.
  GradedAnswer Majority(const std::vector<std::string>& texts) const {
    const auto reference = estimators::MajorityReference(rule_, texts);
    return reference.ok() ? OfText(reference->text) : GradedAnswer();
  }

  // Of what an estimator gave, if it gave anything: the first answer that it admits.
  GradedAnswer OfReference(const base::Outcome<schema::Reference>& reference) const {
    if (!reference.ok()) return {};
    auto admitted = answers::ReferenceAnswers(rule_.extractor, reference->text);
    return admitted.empty() ? GradedAnswer() : OfAnswer(std::move(admitted.front()));
  }

  // `kind` is neither the synthesis nor the majority, which are always there.
  GradedAnswer Further(estimators::EstimatorKind kind, const QuestionTexts& question, int size) const {
    if (kind == estimators::EstimatorKind::kGroundTruth) {
      return OfReference(estimators::LabelReference(rule_, question.labels));
    }
    if (estimators::ReadsGroupAlone(kind)) {
      const auto end = question.rollouts.begin() + std::min<std::ptrdiff_t>(size, std::ssize(question.rollouts));
      return OfReference(estimators::FromGroup(kind, rule_, {question.rollouts.begin(), end}));
    }
    const auto selection = question.selections.find(kind);
    if (selection == question.selections.end()) return {};
    const auto reference = selection->second.find(size);
    return reference == selection->second.end() ? GradedAnswer() : OfReference(reference->second);
  }

  bool Agree(const GradedAnswer& left, const GradedAnswer& right) const {
    return left.answer && right.answer && answers::Equal(rule_.comparator, *left.answer, *right.answer);
  }

 private:
  const estimators::AnswerRule& rule_;
  const std::vector<std::string> labels_;
};

}  // namespace

GradedQuestion Grade(const QuestionTexts& question, const std::vector<int>& group_sizes,
                     const estimators::AnswerRule& rule, const Compared& compared) {
  const Grader grader(rule, question.labels);
  GradedQuestion graded;
  for (const std::string& text : question.rollouts) graded.rollouts.push_back(grader.OfText(text));
  if (question.greedy) graded.greedy = grader.OfText(*question.greedy);
  for (const int size : group_sizes) {
    GradedGroup& group = graded.groups[size];
    const auto synthesis = question.syntheses.find(size);
    if (synthesis == question.syntheses.end()) {
      group.synthesis_failure = "no group";
    } else if (synthesis->second.ok()) {
      group.synthesis = grader.OfText(synthesis->second->text);
    } else {
      group.synthesis_failure = synthesis->second.failure().reason;
    }
    for (const estimators::EstimatorKind kind : compared.further) {
      group.further[kind] = grader.Further(kind, question, size);
    }
    if (question.rollouts.empty()) continue;
    AD_CHECK(static_cast<std::size_t>(size) <= question.rollouts.size(), "{} rollouts for a group of {}",
             question.rollouts.size(), size);
    const std::vector<std::string> texts(question.rollouts.begin(), question.rollouts.begin() + size);
    group.majority = grader.Majority(texts);
    group.any_right = std::any_of(graded.rollouts.begin(), graded.rollouts.begin() + size,
                                  [](const GradedAnswer& rollout) { return rollout.right; });
    group.agree = grader.Agree(group.majority, group.synthesis);
    if (!compared.position_vote) continue;
    std::vector<std::string> found;
    for (int i = 0; i < size; ++i) {
      const auto& answer = graded.rollouts[static_cast<std::size_t>(i)].answer;
      if (answer) found.push_back(*answer);
    }
    group.position_vote = grader.OfAnswer(PositionVote(found));
  }
  return graded;
}

}  // namespace autodidact::evaluation
