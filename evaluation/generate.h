// The generation behind an evaluation: rollouts of a policy, syntheses of an anchor, each on an engine of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "data/rows.h"
#include "engine/engine.h"
#include "estimators/estimator.h"
#include "estimators/selection.h"
#include "schema/types.h"

namespace autodidact::evaluation {

// A prompt as the model's token ids (chat format, special tokens). Throws Error(kBadInput) for one it cannot express.
using RenderPrompt = std::function<std::vector<schema::TokenId>(const schema::Prompt&)>;

// What generates. Policy and anchor may be the same set and share one tokenizer, which must outlive the call.
struct Models {
  model::SharedWeights policy;
  model::SharedWeights anchor;
  const text::Tokenizer& tokenizer;
  RenderPrompt render;
  engine::EngineConfig engine;
};

struct Progress {
  std::string phase = "";  // "rollouts", "greedy", "references", or an estimator's name
  std::int64_t done = 0;   // groups
  std::int64_t total = 0;
};
// Judges texts against references, in the order of the requests; empty in the verifiable regime.
using JudgeTexts = std::function<std::vector<schema::JudgeReply>(std::vector<schema::JudgeRequest>)>;
// The request that asks for every text against the target.
schema::JudgeRequest MakeJudgeRequest(schema::Ticket ticket, schema::Target target, std::vector<std::string> texts);

// Called on the caller's thread after every step of the engine, whether groups finished in it or not. May throw to stop
// the work.
using OnProgress = std::function<void(const Progress&)>;

// The prompts' token ids; an Error(kBadInput) of `render` gets the row's id put before it.
std::vector<std::vector<schema::TokenId>> RenderRows(const RenderPrompt& render, const std::vector<data::Row>& rows);

// The group of `num_rollouts` rollouts of each prompt, in the order of the prompts; tickets count from `first_ticket`.
// Blocks for the computation, on the calling thread's intra-op threads. A prompt that does not fit fails.
std::vector<base::Outcome<schema::RolloutGroup>> SampleGroups(engine::Engine& engine,
                                                              const std::vector<std::vector<schema::TokenId>>& prompts,
                                                              std::uint32_t num_rollouts,
                                                              const engine::SamplingParams& sampling,
                                                              std::uint64_t seed, schema::Ticket first_ticket,
                                                              const char* phase, const OnProgress& on_progress);

// One synthesis for each group of candidates, by ticket. `engine` holds the anchor's weights.
std::map<schema::Ticket, base::Outcome<schema::Reference>> SynthesizeGroups(
    engine::Engine& engine, const text::Tokenizer& tokenizer, const estimators::SynthesisConfig& config,
    std::int64_t model_limit, std::map<schema::Ticket, std::vector<std::string>> groups, std::uint64_t seed,
    const OnProgress& on_progress);

// A rubric for each reference, by ticket, or why there is none. The config must ask for rubrics.
std::map<schema::Ticket, base::Outcome<schema::Reference>> WriteRubrics(
    engine::Engine& engine, const text::Tokenizer& tokenizer, const estimators::SynthesisConfig& config,
    std::int64_t model_limit, std::map<schema::Ticket, schema::Reference> references, std::uint64_t seed,
    const OnProgress& on_progress);

// The texts of a group's rollouts.
std::vector<std::string> TextsOf(const schema::RolloutGroup& group);

// What a selection picks in each group for each of the group sizes, by the anchor's weights; nothing for a group that
// failed. Blocks as SampleGroups.
std::vector<std::map<int, base::Outcome<schema::Reference>>> SelectFromGroups(
    estimators::EstimatorKind kind, const Models& models, const estimators::SelectionConfig& config,
    const std::vector<data::Row>& rows, const std::vector<base::Outcome<schema::RolloutGroup>>& groups,
    const std::vector<int>& group_sizes, const OnProgress& on_progress);

}  // namespace autodidact::evaluation
