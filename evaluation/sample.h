// The rollouts behind an evaluation.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "data/rows.h"
#include "engine/engine.h"
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
  std::string phase = {};  // "rollouts", "greedy", "rubrics", "references", or an estimator's name
  std::int64_t done = 0;   // groups
  std::int64_t total = 0;
};

// Called on the caller's thread after every step of the engine, whether groups finished in it or not. May throw to stop
// the work.
using OnProgress = std::function<void(const Progress&)>;

// The prompts' token ids; an Error(kBadInput) of `render` gets the row's id put before it.
std::vector<std::vector<schema::TokenId>> RenderRows(const RenderPrompt& render, const std::vector<data::Row>& rows);

struct Sampling {
  const char* phase = "rollouts";
  std::uint32_t num_rollouts = 1;  // per prompt
  engine::SamplingParams params;
  std::uint64_t seed = 0;
  schema::Ticket first_ticket = 0;  // of the first prompt; the others' follow
};

using Groups = std::vector<base::Outcome<schema::RolloutGroup>>;

// The group of each prompt, in the order of the prompts. Blocks for the computation, on the calling thread's intra-op
// threads. A prompt that does not fit fails.
Groups SampleGroups(engine::Engine& engine, const std::vector<std::vector<schema::TokenId>>& prompts,
                    const Sampling& sampling, const OnProgress& on_progress);

}  // namespace autodidact::evaluation
