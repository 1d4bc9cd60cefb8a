#include <memory>

#include "base/error.h"
#include "base/rng.h"
#include "model/folder.h"
#include "model/weight_set.h"
#include "tests/gpu/check/check.h"
#include "text/tokenizer.h"

namespace autodidact::gpu_check {
namespace {

using json::Json;

const std::vector<std::string> kSpecialTokens = {"<pad>", "<bos>", "<eos>"};

// Small shapes that differ where the families do: grouped heads, a head size of its own, windows shorter than the rows.
Json SmallConfig(const std::string& family) {
  Json config = {{"vocab_size", 1024},
                 {"hidden_size", 128},
                 {"intermediate_size", 352},
                 {"num_hidden_layers", 4},
                 {"num_attention_heads", 4},
                 {"num_key_value_heads", 2},
                 {"rms_norm_eps", 1e-6},
                 {"rope_theta", 10000.0},
                 {"max_position_embeddings", 512},
                 {"tie_word_embeddings", false},
                 {"hidden_act", "silu"},
                 {"bos_token_id", 1},
                 {"eos_token_id", 2},
                 {"torch_dtype", "bfloat16"}};
  const auto set = [&config](const Json& more) { config.update(more); };
  if (family == "llama") set({{"architectures", {"LlamaForCausalLM"}}, {"model_type", "llama"}, {"head_dim", 32}});
  if (family == "qwen2") {
    set({{"architectures", {"Qwen2ForCausalLM"}}, {"model_type", "qwen2"}, {"use_sliding_window", false}});
  }
  if (family == "qwen3") {
    set({{"architectures", {"Qwen3ForCausalLM"}},
         {"model_type", "qwen3"},
         {"head_dim", 64},
         {"attention_bias", false},
         {"tie_word_embeddings", true}});
  }
  if (family == "gemma3") {
    config.erase("hidden_act");
    set({{"architectures", {"Gemma3ForCausalLM"}},
         {"model_type", "gemma3_text"},
         {"head_dim", 64},
         {"hidden_activation", "gelu_pytorch_tanh"},
         {"query_pre_attn_scalar", 48},
         {"sliding_window", 16},
         {"rope_local_base_freq", 1000.0},
         {"layer_types", {"sliding_attention", "sliding_attention", "full_attention", "sliding_attention"}},
         {"tie_word_embeddings", true}});
  }
  return config;
}

Json Qwen3Config() {
  Json config = SmallConfig("qwen3");
  config.update(Json({{"vocab_size", 151936},
                      {"hidden_size", 1024},
                      {"intermediate_size", 3072},
                      {"num_hidden_layers", 28},
                      {"num_attention_heads", 16},
                      {"num_key_value_heads", 8},
                      {"head_dim", 128},
                      {"rope_theta", 1e6},
                      {"max_position_embeddings", 40960}}));
  return config;
}

}  // namespace

void WriteModel(const std::string& shape, const std::filesystem::path& folder) {
  const bool large = shape == "qwen3-0.6b";
  const Json written = large ? Qwen3Config() : SmallConfig(shape);
  if (!written.contains("model_type")) {
    base::ThrowBadInput("got the shape '" + shape + "', expected llama, qwen2, qwen3, gemma3 or qwen3-0.6b");
  }
  std::filesystem::create_directories(folder);
  json::WriteFile(folder / "config.json", written.dump(2));
  const model::ModelConfig config = model::ReadModelConfig(folder);
  std::vector<std::string> symbols;
  for (std::int64_t i = std::ssize(kSpecialTokens); i < config.vocab_size; ++i)
    symbols.push_back("w" + std::to_string(i));
  text::WriteSymbolTokenizer({.special_tokens = kSpecialTokens}, symbols, folder / "tokenizer.json");
  // Wide enough for a small model that one token stands out from the rest, as in a trained one.
  const double range = large ? 0.02 : 0.15;
  model::SaveModel(model::WeightSet(config, model::InitialParameters(config, 1, range), 0), at::kBFloat16, folder, {});
}

std::vector<std::int32_t> Ids(std::uint64_t seed, std::int64_t count, std::int64_t vocab_size) {
  base::RandomWalk walk({.seed = seed});
  const std::int64_t first = std::ssize(kSpecialTokens);
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int32_t>(
        first + static_cast<std::int64_t>(walk.Below(static_cast<std::uint64_t>(vocab_size - first)))));
  }
  return ids;
}

std::vector<Json> ScoreRows(const model::ModelConfig& config) {
  std::vector<Json> rows;
  for (const std::int64_t length : {2, 17, 96}) {
    rows.push_back({{"ids", Ids(static_cast<std::uint64_t>(length), length, config.vocab_size)}});
  }
  return rows;
}

std::vector<Json> PromptRows(const model::ModelConfig& config) {
  std::vector<Json> rows;
  for (const std::int64_t length : {1, 8, 24, 60}) {
    rows.push_back({{"ids", Ids(static_cast<std::uint64_t>(100 + length), length, config.vocab_size)}});
  }
  return rows;
}

std::vector<Json> GeneratedRows(const std::vector<Json>& prompts, const std::vector<Json>& generated) {
  if (prompts.size() != generated.size()) base::ThrowBadInput("a completion is missing: the numbers of lines differ");
  std::vector<Json> rows;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    Json ids = prompts[i].at("ids");
    for (const Json& id : generated[i].at("ids")) ids.push_back(id);
    rows.push_back({{"ids", std::move(ids)}});
  }
  return rows;
}

}  // namespace autodidact::gpu_check
