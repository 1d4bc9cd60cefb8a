// Small random models of every family, a tokenizer that fits them, and the slow way to compute what the engine
// computes.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "model/families/family.h"
#include "model/transformer.h"
#include "model/weight_set.h"
#include "text/tokenizer.h"

namespace autodidact::engine::testing {

constexpr std::int64_t kVocab = 80;

// As a part of a test's name.
inline std::string FamilyName(std::string model_type) {
  model_type[0] = static_cast<char>(std::toupper(model_type[0]));
  return model_type;
}

inline model::ModelConfig SmallConfig(const std::string& model_type) {
  model::ModelConfig config;
  config.vocab_size = kVocab;
  config.hidden_size = 40;
  config.intermediate_size = 56;
  config.num_layers = 3;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.head_dim = model_type == "qwen3" ? 16 : 10;
  config.max_position_embeddings = 512;
  config.rms_norm_eps = 1e-6;
  config.is_sliding.assign(3, false);
  if (model_type == "gemma3_text") {
    config.tie_word_embeddings = true;
    config.head_dim = 24;
    config.sliding_window = 11;
    config.is_sliding = {true, true, false};
    config.rope.theta = 1e6;
    config.num_kv_heads = 1;
  }
  config.attention_scale = 1.0 / std::sqrt(static_cast<double>(config.head_dim));
  model::ApplyFamily(*model::FindFamily(model_type), config);
  return config;
}

// Norms and biases too are not what an untrained model has, so that a forgotten one shows.
inline model::SharedWeights RandomWeights(const model::ModelConfig& config, std::uint64_t seed = 1,
                                          std::uint64_t version = 0, double range = 0.15) {
  model::Parameters parameters = model::InitialParameters(config, seed, range);
  for (auto& [name, tensor] : parameters) {
    if (tensor.dim() == 1)
      tensor = tensor + 0.3 * at::arange(tensor.numel(), at::kFloat).add(1.0 * tensor.numel()).sin();
  }
  return std::make_shared<const model::WeightSet>(config, std::move(parameters), version);
}

// Symbols "a0" … "a76" after <pad>, <bos>, <eos>: kVocab tokens.
inline const text::Tokenizer& SymbolTokenizer() {
  static const text::Tokenizer tokenizer = [] {
    const std::filesystem::path file =
        std::filesystem::path(::testing::TempDir()) / ("engine_tokenizer_" + std::to_string(::getpid()) + ".json");
    std::vector<std::string> symbols;
    for (std::int64_t i = 3; i < kVocab; ++i) symbols.push_back("a" + std::to_string(i - 3));
    text::WriteSymbolTokenizer({{"<pad>", "<bos>", "<eos>"}, "<bos>"}, symbols, file);
    return text::Tokenizer(file);
  }();
  return tokenizer;
}

inline std::vector<schema::TokenId> SomePrompt(std::size_t length, std::size_t salt = 0) {
  std::vector<schema::TokenId> ids;
  for (std::size_t i = 0; i < length; ++i)
    ids.push_back(static_cast<schema::TokenId>((i * 37 + salt * 11 + 5) % kVocab));
  return ids;
}

// Untruncated logits after `ids`, from nothing.
inline at::Tensor LastLogits(const model::WeightSet& weights, const std::vector<schema::TokenId>& ids) {
  const c10::InferenceMode inference;
  model::PackedBatch batch;
  batch.Add(ids);
  const at::Tensor hidden_TE = model::Forward(weights.config(), weights.parameters(), batch);
  return at::mv(model::LmHead(weights.config(), weights.parameters()), hidden_TE[-1]);
}

inline schema::RolloutGroup Generate(Engine& engine, GroupRequest request) {
  std::vector<GroupRequest> requests;
  requests.push_back(std::move(request));
  std::vector<GroupResult> results = GenerateAll(engine, std::move(requests));
  EXPECT_TRUE(results[0].group.ok()) << results[0].group.failure().reason;
  return std::move(results[0].group).value();
}

inline GroupRequest Request(schema::Ticket ticket, std::size_t prompt_length, std::uint32_t rollouts,
                            std::int32_t new_tokens, float temperature = 1.0f) {
  GroupRequest request;
  request.ticket = ticket;
  request.prompt_ids = SomePrompt(prompt_length, ticket);
  request.num_rollouts = rollouts;
  request.sampling.max_new_tokens = new_tokens;
  request.sampling.temperature = temperature;
  request.seed = 7;
  return request;
}

inline void PrintTolerance(const std::string& what, double difference, double tolerance) {
  std::printf("%s: %.2g of a tolerance of %.2g (%.1f %%)\n", what.c_str(), difference, tolerance,
              100 * difference / tolerance);
}

}  // namespace autodidact::engine::testing
