#include "launch/wiring/references.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/row_rubric.h"
#include "estimators/group_estimate.h"
#include "launch/wiring/code.h"
#include "launch/wiring/wiring.h"
#include "programs/verifier.h"

namespace autodidact::launch {
namespace {

using actors::ReferenceSource;
using schema::GroupReference;

bool ComparesPrograms(const RunConfig& config) {
  return config.answer.comparator == "code";
}

// The outside program that compares answers; null without one.
std::shared_ptr<programs::Verifier> MakeVerifier(const AnswerKeys& keys) {
  if (keys.verifier.empty()) return nullptr;
  return std::make_shared<programs::Verifier>(
      programs::VerifierConfig{.command = keys.verifier, .timeout = base::Seconds(keys.verifier_timeout)});
}

// The anchor's program is run on the row's inputs where it has some.
ReferenceSource ProgramOfAnchor(ReferenceSource anchor) {
  return [anchor = std::move(anchor)](const schema::Lease& lease, const schema::RolloutGroup& group,
                                      base::Deadline deadline, auto done) {
    const auto* row = std::get_if<schema::Inputs>(&lease.supervision);
    schema::Inputs inputs = row ? *row : schema::Inputs();
    anchor(lease, group, deadline,
           [inputs = std::move(inputs), done = std::move(done)](base::Outcome<schema::GroupReference> found) {
             if (found.ok()) found->target = schema::Program{found->reference.text, inputs.inputs};
             done(std::move(found));
           });
  };
}

// `find` gives the reference at once.
template <class Find>
ReferenceSource AtOnce(Find find) {
  return [find = std::move(find)](const schema::Lease& lease, const schema::RolloutGroup& group, base::Deadline,
                                  auto done) { done(find(lease, group)); };
}

}  // namespace

schema::Supervision TruthOf(const RunConfig& config, const data::Row& row) {
  if (ComparesPrograms(config)) return TestsOf(config.answer.code, row);
  if (config.judge.kind == "rubric") return schema::Rubric{data::RowRubric(row.prompt)};
  return schema::Labels{row.answers};
}

schema::Supervision SupervisionOf(const RunConfig& config, const data::Row& row) {
  const auto estimator = EstimatorInTraining(config);
  if (!estimator) return row.reference ? schema::Supervision(schema::MadeReference{*row.reference}) : std::monostate();
  if (estimators::ReadsOf(*estimator).label) return TruthOf(config, row);
  if (!ComparesPrograms(config)) return {};
  schema::Inputs inputs = InputsOf(config.answer.code, row.prompt);
  return inputs.inputs.empty() ? schema::Supervision() : schema::Supervision(std::move(inputs));
}

estimators::Comparison ToComparison(const RunConfig& config) {
  estimators::Comparison comparison{
      .rule = ToRule(config.answer), .same = {}, .by_program = config.judge.kind == "program"};
  if (auto verifier = MakeVerifier(config.answer)) {
    comparison.same = [verifier](const std::string& left, const std::string& right) {
      return verifier->Equal(left, right);
    };
  }
  return comparison;
}

ReferenceSource MakeReferenceSource(const RunConfig& config, net::Client& anchor, actors::RefusedReplies& refused,
                                    SelectionThread* selecting) {
  const auto kind = EstimatorInTraining(config);
  const auto comparison = ToComparison(config);
  if (!kind || estimators::ReadsOf(*kind).label) {
    return AtOnce([comparison](const schema::Lease& lease, const schema::RolloutGroup&) {
      return estimators::FromRow(comparison, lease.supervision);
    });
  }
  switch (estimators::MakerOf(*kind)) {
    case estimators::Maker::kSelector:
      return selecting->source();
    case estimators::Maker::kAtOnce:
      return AtOnce([comparison, kind = *kind](const schema::Lease&, const schema::RolloutGroup& group) {
        return estimators::FromTexts(kind, comparison, estimators::TextsOf(group));
      });
    case estimators::Maker::kSynthesizer:
      break;
  }
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
