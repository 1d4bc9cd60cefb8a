// What sets a family of models apart from the others. A family is one constant in a file of its own in this folder, and
// one line of families.cc: nothing else of the program knows a family by its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/config.h"

namespace autodidact::model {

// What transformers assumes for a key that config.json leaves out; nothing: the key must be there.
struct FamilyDefaults {
  std::optional<std::int64_t> vocab_size;
  std::optional<std::int64_t> hidden_size;
  std::optional<std::int64_t> intermediate_size;
  std::optional<std::int64_t> num_layers;
  std::optional<std::int64_t> num_heads;
  std::optional<std::int64_t> num_kv_heads;  // kAsManyAsHeads
  std::optional<std::int64_t> head_dim;      // nothing: hidden_size / heads
  std::int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  bool tied = false;

  static constexpr std::int64_t kAsManyAsHeads = -1;
};

// Which layers look through a sliding window where `layer_types` is absent.
enum class Windows {
  kNone,        // `sliding_window` is an error
  kLastLayers,  // those from `max_window_layers` on, where `use_sliding_window` is true (Qwen)
  kPattern,     // all but each `sliding_window_pattern`th (Gemma)
};

// A model whose text part stands under `text_config`, beside parts for pictures that are left out.
struct Wrapper {
  std::string model_type;
  std::string architecture;
  std::vector<std::string> ignored_keys;
  std::vector<std::string> skipped_tensors;                           // prefixes
  std::vector<std::pair<std::string, std::string>> renamed_prefixes;  // the first that fits
};

struct Family {
  std::string model_type;
  std::string architecture;                      // as it is written
  std::vector<std::string> other_architectures;  // that are read too
  FamilyDefaults defaults;
  bool attention_bias = false;
  bool qk_norm = false;
  bool norm_plus_one = false;
  bool sandwich_norms = false;
  bool gelu_tanh = false;
  bool scaled_embeddings = false;  // by sqrt(hidden_size)
  Windows windows = Windows::kNone;
  std::optional<double> local_rope_theta;       // of sliding layers, with a rope of their own; nothing: one rope
  std::optional<double> query_pre_attn_scalar;  // its default; nothing: attention is scaled by head_dim
  std::optional<Wrapper> wrapper;
};

// By the `model_type` of config.json, or of a wrapper around it; null for one that is not built.
const Family* FindFamily(const std::string& model_type);
const Family* FindWrappedFamily(const std::string& model_type);
// Error(kBug) for a config whose model_type is none of ours.
const Family& FamilyOf(const ModelConfig& config);
// Every architecture that is read, as an error lists them.
std::string SupportedArchitectures();
bool IsArchitecture(const std::string& name);

// Sets the options that follow from the family alone (norms, biases, activation, embedding scale).
void ApplyFamily(const Family& family, ModelConfig& config);

}  // namespace autodidact::model
