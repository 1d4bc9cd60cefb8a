// References of many groups at once, by every estimator.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "estimators/group_estimate.h"
#include "estimators/selection.h"
#include "evaluation/sample.h"
#include "schema/group_reference.h"

namespace autodidact::evaluation {

// How groups are made, and references of them: all that `eval`, `synthesize` and the evaluations during a run have in
// common.
struct Generation {
  engine::SamplingParams sampling;        // of the rollouts; greedy decoding takes it at temperature 0
  estimators::SynthesisConfig synthesis;  // of the anchor
  estimators::SelectionConfig selection;
  estimators::Comparison comparison;
  // What a row says is right, for the estimators that may read it. Error(kBadInput) naming a row that is wrong.
  std::function<schema::Supervision(const data::Row&)> truth;
  std::uint64_t seed = 0;
};

// The references of one group by group size, each of its first rollouts.
using ReferencesBySize = std::map<int, base::Outcome<schema::GroupReference>>;

// Makes references for groups of the same group sizes. One thread; all that is given by reference must outlive it.
class GroupEstimator {
 public:
  GroupEstimator(const Models& models, const Generation& generation, std::vector<int> group_sizes);

  // What is wrong is found before the work begins: Error(kBadInput) for a selection whose prompt cannot be asked.
  void Check(estimators::EstimatorKind kind) const;

  // Of each group in order, by the anchor's weights where the estimator needs a model; a group that failed has none,
  // but for what is read from its row. Depends on (ticket, weights, row, group, config) alone; the first group's ticket
  // is `first_ticket`. Blocks for the computation.
  std::vector<ReferencesBySize> Make(estimators::EstimatorKind kind, const std::vector<data::Row>& rows,
                                     const Groups& groups, schema::Ticket first_ticket, const OnProgress& on_progress);

  // A rubric for each reference, by ticket, or why there is none. The synthesis must ask for rubrics.
  std::map<schema::Ticket, base::Outcome<schema::Reference>> WriteRubrics(
      std::map<schema::Ticket, schema::Reference> references, const OnProgress& on_progress);

 private:
  std::vector<ReferencesBySize> Select(estimators::EstimatorKind kind, const std::vector<data::Row>& rows,
                                       const Groups& groups, const OnProgress& on_progress) const;
  std::vector<ReferencesBySize> Synthesize(const Groups& groups, schema::Ticket first_ticket,
                                           const OnProgress& on_progress);
  engine::Engine& Anchor();

  const Models& models_;
  const Generation& generation_;
  const std::vector<int> group_sizes_;
  std::optional<engine::Engine> anchor_;  // once it is needed
};

}  // namespace autodidact::evaluation
