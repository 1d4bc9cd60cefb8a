// Both ends of what a group is held against: what leaves the learner with a prompt, and what an actor makes of it.
#pragma once

#include "actors/courier.h"
#include "data/rows.h"
#include "estimators/group_estimate.h"
#include "judge_service/program_judge.h"
#include "launch/config/run_config.h"
#include "launch/wiring/selection_thread.h"
#include "schema/types.h"

namespace autodidact::launch {

// What a row's ticket brings with it: a reference that was made before the run, the inputs of programs, and the labels
// only for the one estimator that may read them. Error(kBadInput) naming the row when a column is not what it should
// be.
schema::Supervision SupervisionOf(const RunConfig& config, const data::Row& row);

// What a row says is right: its tests, its rubric or its labels. Only `ground_truth` and evaluations may read it.
// Errors as above.
schema::Supervision TruthOf(const RunConfig& config, const data::Row& row);

// How answers are compared where references are made, by the config's verifier where it has one.
estimators::Comparison ComparisonOf(const RunConfig& config);

// Where a group's reference comes from. The synthesis is asked of the anchor service; all others run beside the actor,
// the selections on `selecting` (null where the config has none). What is referred to must outlive it.
actors::ReferenceSource MakeReferenceSource(const RunConfig& config, net::Client& anchor,
                                            actors::RefusedReplies& refused, SelectionThread* selecting);

// How answers are compared in training. Error(kBadInput) where programs are to be run and there is no sandbox.
judge_service::ProgramJudgeConfig ProgramJudgeOf(const RunConfig& config);

}  // namespace autodidact::launch
