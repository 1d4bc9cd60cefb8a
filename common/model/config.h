// What a model folder's config.json says, reduced to what the transformer needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace autodidact::model {

// Rotary embedding of one kind of layer. With `llama3` the inverse frequencies are rescaled as Llama 3.1 does.
struct RopeConfig {
  double theta = 10000.0;
  double linear_factor = 1.0;  // positions are divided by it ("linear" scaling)
  bool llama3 = false;
  double factor = 8.0;
  double low_freq_factor = 1.0;
  double high_freq_factor = 4.0;
  std::int64_t original_max_position_embeddings = 8192;
};

// Sizes are counts; names follow config.json where it has them.
struct ModelConfig {
  std::string model_type = "llama";  // names its family (families/family.h)
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t num_layers = 0;
  std::int64_t num_heads = 0;
  std::int64_t num_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-5;
  bool tie_word_embeddings = false;
  bool attention_bias = false;      // q, k and v (Qwen 2.5); never o
  bool qk_norm = false;             // RMSNorm over head_dim on q and k (Qwen 3, Gemma 3)
  bool norm_plus_one = false;       // RMSNorm multiplies by 1 + w (Gemma 3)
  bool sandwich_norms = false;      // norms after attention and after the MLP too (Gemma 3)
  bool gelu_tanh = false;           // GeGLU instead of SwiGLU (Gemma 3)
  double embedding_scale = 1.0;     // sqrt(hidden_size) for Gemma 3
  double attention_scale = 0.0;     // multiplies q·k; 1/sqrt(head_dim) or 1/sqrt(query_pre_attn_scalar)
  RopeConfig rope;                  // global layers
  RopeConfig local_rope;            // sliding-window layers
  std::int64_t sliding_window = 0;  // 0: none
  std::vector<bool> is_sliding;     // one per layer
  std::int32_t bos_token_id = -1;   // -1: none
  std::vector<std::int32_t> eos_token_ids;
  std::int32_t pad_token_id = -1;
  std::string dtype = "float32";  // of the weights in the file: float32, bfloat16, float16
};

// Reads folder/config.json, in the styles of transformers 4 and 5, and folder/generation_config.json's stop ids where
// there is one. Throws Error(kBadInput) naming the file, the key, what was found and what is supported; a key that
// would change the result and is not understood is an error, never ignored.
ModelConfig ReadModelConfig(const std::filesystem::path& folder);

// Writes folder/config.json for Hugging Face's AutoModelForCausalLM.
void WriteModelConfig(const ModelConfig& config, const std::filesystem::path& folder);

// The tensors that a model of this shape has, by their Hugging Face names, in the order in which they are saved.
struct NamedShape {
  std::string name;
  std::vector<std::int64_t> shape;
};
std::vector<NamedShape> ParameterShapes(const ModelConfig& config);
std::int64_t ParameterCount(const ModelConfig& config);

}  // namespace autodidact::model
