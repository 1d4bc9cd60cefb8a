// From the config of the rubric regime to the anchor's rubric and the judge that is a model.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "estimators/rubric.h"
#include "evaluation/score.h"
#include "judge_service/model_judge.h"
#include "launch/config/run_config.h"
#include "launch/wiring/preflight.h"
#include "launch/wiring/wiring.h"
#include "schema/validate.h"

namespace autodidact::launch {

// What a failure has in its words, and what it hangs on: a key, and what to do with it.
struct Hint {
  std::string_view words;
  std::string_view key;
  std::string_view advice;
};

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

// What a run must know of a judge's backend.
struct BackendFacts {
  const char* key;  // the key that names who judges
  // The backend, and in `judge` the model that it needs. Errors as MakeJudge.
  std::unique_ptr<judge_service::Backend> (*make)(const RunConfig& config, Judge& judge);
  // What can be known before the first step; `ask`: also what only a call of it tells. Adds what it finds.
  void (*check)(const RunConfig& config, bool ask, Preflight& found);
  std::vector<Hint> hints;  // what to do about the reasons of its verdicts
  Hint otherwise;
};
const BackendFacts& BackendFactsOf(JudgeBackend backend);

// The same as evaluations and `grade` ask it; empty in the verifiable regime. Its calls may come from several threads,
// and throw Error(kRetryLater) soon after a stop. Errors as MakeJudge.
evaluation::JudgeTexts MakeJudgeTexts(const RunConfig& config, const std::stop_token& stop = {});

}  // namespace autodidact::launch
