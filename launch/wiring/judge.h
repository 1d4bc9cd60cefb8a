// From the config of the rubric regime to the anchor's rubric and the judge that is a model.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "estimators/rubric.h"
#include "evaluation/score.h"
#include "judge_service/model_judge.h"
#include "launch/config/run_config.h"
#include "launch/wiring/wiring.h"
#include "schema/validate.h"

namespace autodidact::launch {

// Nothing but in the rubric regime with an estimator whose references come without a rubric.
std::optional<estimators::RubricConfig> RubricOf(const RunConfig& config, const text::ChatTemplate& format);

// What a model is asked: the config's own instruction or the built-in one.
std::string InstructionOf(const JudgeConfig& judge);

// What a judge can give a rollout.
schema::RewardRange RewardsOf(const judge_service::ModelJudgeConfig& judging);

// The judge of the config with the model that it needs. Nothing to judge with (a null model_judge) in the verifiable
// regime.
struct Judge {
  LoadedModel model;  // of a judge that is a model folder; outlives model_judge
  std::unique_ptr<judge_service::ModelJudge> model_judge;
};
// Loads the judge's model, or reads the endpoint's key from its environment variable. Error(kBadInput) when either is
// not there.
Judge MakeJudge(const RunConfig& config);

// The same as evaluations and `grade` ask it; empty in the verifiable regime. Its calls may come from several threads,
// and throw Error(kRetryLater) soon after a stop. Errors as MakeJudge.
evaluation::JudgeTexts MakeJudgeTexts(const RunConfig& config, const std::stop_token& stop = {});

}  // namespace autodidact::launch
