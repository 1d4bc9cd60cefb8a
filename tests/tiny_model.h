// A model of one layer over a few whole symbols, with random weights: enough to be asked something.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "model/weight_set.h"
#include "text/tokenizer.h"

namespace autodidact::tests {

struct TinyModel {
  std::unique_ptr<text::Tokenizer> tokenizer;
  model::SharedWeights weights;  // version 0
};

// Writes the tokenizer of these symbols, behind <pad>, <bos> and <eos>, to `file`, and reads it back.
inline TinyModel MakeTinyModel(const std::vector<std::string>& symbols, const std::filesystem::path& file) {
  text::WriteSymbolTokenizer({.special_tokens = {"<pad>", "<bos>", "<eos>"}}, symbols, file);
  TinyModel tiny;
  tiny.tokenizer = std::make_unique<text::Tokenizer>(file);
  model::ModelConfig config;
  config.vocab_size = tiny.tokenizer->vocab_size();
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.num_layers = 1;
  config.num_heads = config.num_kv_heads = 2;
  config.head_dim = 8;
  config.max_position_embeddings = 64;
  config.attention_scale = 0.35;
  config.is_sliding = {false};
  config.bos_token_id = 1;
  config.eos_token_ids = {2};
  tiny.weights = std::make_shared<const model::WeightSet>(config, model::InitialParameters(config, 5, 0.5), 0);
  return tiny;
}

}  // namespace autodidact::tests
