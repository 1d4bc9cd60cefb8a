// Writes a random Llama-shape model with a tokenizer of whole symbols, to try sizes for which there are no weights.
//
//   make_model FOLDER [--hidden 1024 --intermediate 4096 --layers 28 --heads 16 --kv-heads 8 --vocab 32000 --seed 1]
#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "model/folder.h"
#include "model/weight_set.h"
#include "text/tokenizer.h"

using namespace autodidact;  // NOLINT(google-build-using-namespace): the program's own file

int main(int argc, char** argv) {
  std::filesystem::path folder;
  std::uint64_t seed = 1;
  model::ModelConfig config;
  config.hidden_size = 1024;
  config.intermediate_size = 4096;
  config.num_layers = 28;
  config.num_heads = 16;
  config.num_kv_heads = 8;
  config.vocab_size = 32000;
  config.max_position_embeddings = 4096;
  CLI::App app("A random model");
  app.add_option("folder", folder)->required();
  app.add_option("--hidden", config.hidden_size);
  app.add_option("--intermediate", config.intermediate_size);
  app.add_option("--layers", config.num_layers);
  app.add_option("--heads", config.num_heads);
  app.add_option("--kv-heads", config.num_kv_heads);
  app.add_option("--vocab", config.vocab_size);
  app.add_flag("--tied", config.tie_word_embeddings);
  app.add_option("--seed", seed);
  CLI11_PARSE(app, argc, argv);

  config.head_dim = config.hidden_size / config.num_heads;
  config.attention_scale = 1.0 / std::sqrt(static_cast<double>(config.head_dim));
  config.is_sliding.assign(static_cast<std::size_t>(config.num_layers), false);
  config.bos_token_id = 0;
  config.eos_token_ids = {1};
  const std::vector<std::string> specials = {"<bos>", "<eos>", "<pad>"};
  std::vector<std::string> symbols;
  for (std::int64_t i = std::ssize(specials); i < config.vocab_size; ++i) symbols.push_back("w" + std::to_string(i));
  std::filesystem::create_directories(folder);
  text::WriteSymbolTokenizer({.special_tokens = specials}, symbols, folder / "tokenizer.json");
  model::SaveModel(model::WeightSet(config, model::InitialParameters(config, seed), 0), at::kFloat, folder, {});
  std::cout << model::ParameterCount(config) << "\n";
  return 0;
}
