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

// The outside program that compares answers; null without one.
std::shared_ptr<programs::Verifier> MakeVerifier(const programs::VerifierConfig& config) {
  return config.command.empty() ? nullptr : std::make_shared<programs::Verifier>(config);
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
  if (config.answer.programs()) return TestsOf(config.answer.code, row);
  if (config.judge.by_rubric()) return schema::Rubric{data::RowRubric(row.prompt)};
  return schema::Labels{row.answers};
}

schema::Supervision SupervisionOf(const RunConfig& config, const data::Row& row) {
  const auto estimator = EstimatorInTraining(config);
  if (!estimator) return row.reference ? schema::Supervision(schema::MadeReference{*row.reference}) : std::monostate();
  if (estimators::ReadsOf(*estimator).label) return TruthOf(config, row);
  if (!config.answer.programs()) return {};
  schema::Inputs inputs = InputsOf(config.answer.code, row.prompt);
  return inputs.inputs.empty() ? schema::Supervision() : schema::Supervision(std::move(inputs));
}

estimators::Comparison ComparisonOf(const RunConfig& config) {
  estimators::Comparison comparison{.rule = config.answer.rule(), .same = {}, .by_program = config.judge.by_program()};
  if (auto verifier = MakeVerifier(config.answer.verifier)) {
    comparison.same = [verifier](const std::string& left, const std::string& right) {
      return verifier->Equal(left, right);
    };
  }
  return comparison;
}

ReferenceSource MakeReferenceSource(const RunConfig& config, net::Client& anchor, actors::RefusedReplies& refused,
                                    SelectionThread* selecting) {
  const auto kind = EstimatorInTraining(config);
  const auto comparison = ComparisonOf(config);
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
  return config.answer.programs() ? ProgramOfAnchor(std::move(anchored)) : anchored;
}

judge_service::ProgramJudgeConfig ProgramJudgeOf(const RunConfig& config) {
  const auto rule = config.answer.rule();
  judge_service::ProgramJudgeConfig judge{.extractor = rule.extractor,
                                          .comparator = rule.comparator,
                                          .verifier = MakeVerifier(config.answer.verifier),
                                          .code = std::nullopt,
                                          .length_penalty_above = config.judge.judging.length_penalty_above,
                                          .length_penalty = config.judge.judging.length_penalty};
  if (config.answer.programs()) judge.code = CodeJudgeOf(config.answer.code);
  return judge;
}

}  // namespace autodidact::launch
