// From the keys of the rubric regime to the anchor's rubric and the judge's panel.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "estimators/rubric.h"
#include "evaluation/judged.h"
#include "judge_service/panel.h"
#include "launch/config/run_config.h"
#include "launch/wiring/wiring.h"
#include "schema/validate.h"

namespace autodidact::launch {

// Nothing but in the rubric regime with an estimator whose references come without a rubric.
std::optional<estimators::RubricConfig> ToRubric(const RunConfig& config, const text::ChatTemplate& format);

// What a judge with these keys can give a rollout.
schema::RewardRange RewardsOf(const JudgeKeys& keys);

// The judge of the config with the model that it needs. Nothing to judge with (a null panel) in the verifiable regime.
struct Judge {
  LoadedModel model;  // of a judge that is a model folder; outlives the panel
  std::unique_ptr<judge_service::Panel> panel;
};
// Loads the judge's model, or reads the endpoint's key from its environment variable. Error(kBadInput) when either is
// not there.
Judge MakeJudge(const RunConfig& config);

// The panel as evaluations ask it. It must outlive the function, which throws Error(kRetryLater) soon after a stop.
evaluation::JudgeTexts AskPanel(judge_service::Panel& panel, const std::stop_token& stop = {});

// How evaluations are judged; nothing where answers are compared instead. `judge` must outlive it.
std::optional<evaluation::Judging> ToJudging(const RunConfig& config, const Judge& judge,
                                             const std::stop_token& stop = {});

// Throws Error(kRetryLater) once a stop is requested.
void ThrowIfStopped(const std::stop_token& stop);

}  // namespace autodidact::launch
