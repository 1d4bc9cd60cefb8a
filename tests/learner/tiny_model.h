// A tiny random model and groups for it.
#pragma once

#include <memory>
#include <vector>

#include "base/rng.h"
#include "model/weight_set.h"
#include "schema/types.h"

namespace autodidact::learner {

inline model::SharedWeights TinyModel(std::uint64_t seed, at::ScalarType type = at::kFloat) {
  model::ModelConfig config;
  config.vocab_size = 20;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.num_layers = 2;
  config.num_heads = 2;
  config.num_kv_heads = 1;
  config.head_dim = 8;
  config.max_position_embeddings = 64;
  config.attention_scale = 0.35355339;
  config.is_sliding = {false, false};
  config.eos_token_ids = {2};
  model::Parameters parameters = model::InitialParameters(config, seed, 0.3);
  for (auto& [name, tensor] : parameters) tensor = tensor.to(type);
  return std::make_shared<const model::WeightSet>(config, std::move(parameters), 0);
}

// Groups with random tokens and rewards; the log-probabilities are left for the caller to fill.
inline std::vector<schema::ScoredGroup> RandomGroups(int groups, int rollouts, std::uint64_t seed) {
  base::RandomWalk walk({.seed = seed});
  std::vector<schema::ScoredGroup> all;
  for (int g = 0; g < groups; ++g) {
    schema::ScoredGroup scored;
    scored.group.ticket = static_cast<schema::Ticket>(g);
    for (std::uint64_t i = 0; i < 3 + walk.Below(3); ++i) {
      scored.group.prompt_ids.push_back(static_cast<schema::TokenId>(3 + walk.Below(17)));
    }
    if (scored.group.prompt_ids.empty()) scored.group.prompt_ids.push_back(3);
    for (int r = 0; r < rollouts; ++r) {
      schema::Rollout rollout;
      const std::uint64_t length = 1 + walk.Below(6);
      for (std::uint64_t t = 0; t < length; ++t) {
        rollout.ids.push_back(static_cast<schema::TokenId>(3 + walk.Below(17)));
      }
      rollout.logprobs.assign(length, -2.5f);
      rollout.sampled_logprobs = rollout.logprobs;
      scored.group.rollouts.push_back(std::move(rollout));
      scored.rewards.emplace_back(static_cast<double>(walk.Below(2)));
    }
    scored.reference = schema::Reference{.text = "x", .generation = "x", .rubric = {}};
    all.push_back(std::move(scored));
  }
  return all;
}

}  // namespace autodidact::learner
