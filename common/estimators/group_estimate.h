// From a group to its reference and what its rollouts are held against: the choice that training, `eval` and
// `synthesize` share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "estimators/estimator.h"
#include "estimators/vote.h"
#include "schema/group_reference.h"
#include "schema/types.h"

namespace autodidact::estimators {

// Who makes the references of an estimator.
enum class Maker {
  kAtOnce,       // FromTexts or FromRow: no model is needed
  kSelector,     // selection.h, by the weights of version 0
  kSynthesizer,  // the anchor (synthesizer.h)
};
Maker MakerOf(EstimatorKind kind);

// How answers are found and compared.
struct Comparison {
  AnswerRule rule;
  SameAnswer same = {};  // of an outside program, in the place of the rule's comparator; empty: none
  bool by_program =
      true;  // whether rollouts are held against bare answers, and not against labels as a model reads them

  // Whether the answer is any of `admitted`, or why that is not known.
  base::Outcome<bool> IsAnyOf(const std::string& answer, const std::vector<std::string>& admitted) const;
};

// The texts of a group's rollouts.
std::vector<std::string> TextsOf(const schema::RolloutGroup& group);

// What an estimator that ReadsGroupAlone makes of the texts of a group, in rollout order: FromGroup, but for a majority
// that an outside program counts. Fails as those do.
base::Outcome<schema::GroupReference> FromTexts(EstimatorKind kind, const Comparison& comparison,
                                                const std::vector<std::string>& texts);

// What the row brings: its labels, rubric or tests, or a reference that was made before. Fails (kBadInput) where that
// is nothing.
base::Outcome<schema::GroupReference> FromRow(const Comparison& comparison, const schema::Supervision& supervision);

}  // namespace autodidact::estimators
