#include "launch/wiring/references.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "answers/extract.h"
#include "base/error.h"
#include "data/row_rubric.h"
#include "estimators/estimator.h"
#include "estimators/vote.h"
#include "launch/wiring/code.h"
#include "launch/wiring/wiring.h"
#include "programs/verifier.h"

namespace autodidact::launch {
namespace {

using actors::GroupReference;
using actors::ReferenceSource;
using estimators::EstimatorKind;

bool ComparesPrograms(const RunConfig& config) {
  return config.answer.comparator == "code";
}

// The outside program that compares answers; null without one.
std::shared_ptr<programs::Verifier> MakeVerifier(const AnswerKeys& keys) {
  if (keys.verifier.empty()) return nullptr;
  return std::make_shared<programs::Verifier>(
      programs::VerifierConfig{.command = keys.verifier, .timeout = base::Seconds(keys.verifier_timeout)});
}

base::Failure Lacks(const char* what) {
  return {base::ErrorKind::kBadInput, std::string("the row has no ") + what};
}

// A program compares with the answers in the labels; a model reads the labels as they are.
base::Outcome<GroupReference> FromLabels(const estimators::AnswerRule& rule, bool by_program,
                                         const schema::Lease& lease) {
  const auto* labels = std::get_if<schema::Labels>(&lease.supervision);
  if (!labels) return Lacks("label");
  auto reference = estimators::LabelReference(rule, labels->answers);
  if (!reference.ok()) return reference.failure();
  schema::Labels target = *labels;
  if (by_program) target.answers = answers::ReferenceAnswers(rule.extractor, reference->text);
  return GroupReference{std::move(*reference), std::move(target)};
}

base::Outcome<GroupReference> FromRubric(const schema::Lease& lease) {
  const auto* rubric = std::get_if<schema::Rubric>(&lease.supervision);
  return actors::WithTarget(
      estimators::OwnRubricReference(rubric ? rubric->criteria : std::vector<schema::Criterion>()));
}

base::Outcome<GroupReference> FromTests(const schema::Lease& lease) {
  const auto* tests = std::get_if<schema::Tests>(&lease.supervision);
  if (!tests || tests->code.empty()) return Lacks("label");
  schema::Reference reference;
  reference.text = tests->code;
  return GroupReference{std::move(reference), *tests};
}

base::Outcome<GroupReference> FromMadeReference(const estimators::AnswerRule& rule, const schema::Lease& lease) {
  const auto* made = std::get_if<schema::MadeReference>(&lease.supervision);
  if (!made) return Lacks("reference");
  schema::Reference reference;
  reference.text = made->text;
  // One that was made of labels may admit several answers.
  auto admitted = answers::ReferenceAnswers(rule.extractor, made->text);
  if (admitted.size() < 2) return actors::WithTarget(std::move(reference));
  return GroupReference{std::move(reference), schema::Labels{std::move(admitted)}};
}

// The anchor's program is run on the row's inputs where it has some.
ReferenceSource ProgramOfAnchor(ReferenceSource anchor) {
  return [anchor = std::move(anchor)](const schema::Lease& lease, const schema::RolloutGroup& group,
                                      base::Deadline deadline, auto done) {
    const auto* row = std::get_if<schema::Inputs>(&lease.supervision);
    schema::Inputs inputs = row ? *row : schema::Inputs();
    anchor(lease, group, deadline,
           [inputs = std::move(inputs), done = std::move(done)](base::Outcome<GroupReference> found) {
             if (found.ok()) found->target = schema::Program{found->reference.text, inputs.inputs};
             done(std::move(found));
           });
  };
}

std::vector<std::string> TextsOf(const schema::RolloutGroup& group) {
  std::vector<std::string> texts;
  for (const schema::Rollout& rollout : group.rollouts) texts.push_back(rollout.text);
  return texts;
}

// `find` gives the reference at once.
template <class Find>
ReferenceSource AtOnce(Find find) {
  return [find = std::move(find)](const schema::Lease& lease, const schema::RolloutGroup& group, base::Deadline,
                                  auto done) { done(find(lease, group)); };
}

// Of an estimator that reads the group alone. A vote counts by the outside program that compares, where there is one.
ReferenceSource OfGroup(const RunConfig& config, EstimatorKind kind, const estimators::AnswerRule& rule) {
  if (auto verifier = MakeVerifier(config.answer); verifier && kind == EstimatorKind::kMajority) {
    return AtOnce([rule, verifier](const schema::Lease&, const schema::RolloutGroup& group) {
      const auto same = [&](const std::string& left, const std::string& right) { return verifier->Equal(left, right); };
      return actors::WithTarget(estimators::MajorityUnder(same, rule.extractor, TextsOf(group)));
    });
  }
  return AtOnce([rule, kind](const schema::Lease&, const schema::RolloutGroup& group) {
    return actors::WithTarget(estimators::FromGroup(kind, rule, TextsOf(group)));
  });
}

ReferenceSource GroundTruth(const RunConfig& config, const estimators::AnswerRule& rule) {
  using schema::Lease;
  using schema::RolloutGroup;
  if (ComparesPrograms(config)) return AtOnce([](const Lease& lease, const RolloutGroup&) { return FromTests(lease); });
  if (config.judge.kind == "rubric") {
    return AtOnce([](const Lease& lease, const RolloutGroup&) { return FromRubric(lease); });
  }
  const bool by_program = config.judge.kind == "program";
  return AtOnce(
      [rule, by_program](const Lease& lease, const RolloutGroup&) { return FromLabels(rule, by_program, lease); });
}

}  // namespace

schema::Supervision SupervisionOf(const RunConfig& config, const data::Row& row) {
  const auto estimator = EstimatorInTraining(config);
  if (!estimator) return row.reference ? schema::Supervision(schema::MadeReference{*row.reference}) : std::monostate();
  if (!estimators::ReadsOf(*estimator).label) {
    if (!ComparesPrograms(config)) return {};
    schema::Inputs inputs = InputsOf(config.answer.code, row.prompt);
    return inputs.inputs.empty() ? schema::Supervision() : schema::Supervision(std::move(inputs));
  }
  if (ComparesPrograms(config)) return TestsOf(config.answer.code, row);
  if (config.judge.kind == "rubric") return schema::Rubric{data::RowRubric(row.prompt)};
  return schema::Labels{row.answers};
}

ReferenceSource MakeReferenceSource(const RunConfig& config, net::Client& anchor, actors::RefusedReplies& refused,
                                    SelectionThread* selecting) {
  const auto rule = ToRule(config.answer);
  const auto kind = EstimatorInTraining(config);
  if (!kind) {
    return AtOnce(
        [rule](const schema::Lease& lease, const schema::RolloutGroup&) { return FromMadeReference(rule, lease); });
  }
  if (estimators::IsSelection(*kind)) return selecting->source();
  if (estimators::ReadsOf(*kind).label) return GroundTruth(config, rule);
  if (estimators::ReadsGroupAlone(*kind)) return OfGroup(config, *kind, rule);
  ReferenceSource anchored = actors::RemoteAnchor(anchor, refused);
  return ComparesPrograms(config) ? ProgramOfAnchor(std::move(anchored)) : anchored;
}

judge_service::ProgramJudgeConfig ToProgramJudge(const RunConfig& config) {
  const auto rule = ToRule(config.answer);
  judge_service::ProgramJudgeConfig judge{
      .extractor = rule.extractor,
      .comparator = rule.comparator,
      .verifier = MakeVerifier(config.answer),
      .code = std::nullopt,
      .length_penalty_above = static_cast<std::uint32_t>(config.judge.length_penalty_above),
      .length_penalty = config.judge.length_penalty};
  if (ComparesPrograms(config)) judge.code = ToCodeJudge(config.answer.code);
  return judge;
}

}  // namespace autodidact::launch
