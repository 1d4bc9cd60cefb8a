#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"
#include "model/atomic_file.h"
#include "model/config.h"
#include "model/families/family.h"

namespace autodidact::model {
namespace {

using json::Json;

// Without the base, which stands beside it in the style of transformers 4.
Json RopeScaling(const RopeConfig& rope) {
  if (rope.llama3) {
    return {{"rope_type", "llama3"},
            {"factor", rope.factor},
            {"low_freq_factor", rope.low_freq_factor},
            {"high_freq_factor", rope.high_freq_factor},
            {"original_max_position_embeddings", rope.original_max_position_embeddings}};
  }
  if (rope.linear_factor != 1.0) return {{"rope_type", "linear"}, {"factor", rope.linear_factor}};
  return nullptr;
}

Json RopeParameters(const RopeConfig& rope) {
  Json parameters = RopeScaling(rope);
  if (parameters.is_null()) parameters = {{"rope_type", "default"}};
  parameters["rope_theta"] = rope.theta;
  return parameters;
}

// In the style of transformers 4, which version 5 reads too, where it can say it: there, local layers are not scaled.
void AddRope(const ModelConfig& config, bool two_ropes, Json& object) {
  if (two_ropes && !RopeScaling(config.local_rope).is_null()) {
    object["rope_parameters"] = {{"full_attention", RopeParameters(config.rope)},
                                 {"sliding_attention", RopeParameters(config.local_rope)}};
    return;
  }
  object["rope_theta"] = config.rope.theta;
  object["rope_scaling"] = RopeScaling(config.rope);
  if (two_ropes) object["rope_local_base_freq"] = config.local_rope.theta;
}

// transformers wants a whole number where it is one; the square root lost no more than rounding.
Json QueryScalar(double attention_scale) {
  const double scalar = 1.0 / (attention_scale * attention_scale);
  const double whole = std::round(scalar);
  if (std::abs(scalar - whole) < 1e-9 * whole) return static_cast<std::int64_t>(whole);
  return scalar;
}

void AddWindows(const ModelConfig& config, Windows windows, Json& object) {
  if (windows == Windows::kNone) return;
  const bool by_pattern = windows == Windows::kPattern;
  if (!by_pattern) object["use_sliding_window"] = config.sliding_window > 0;
  // transformers wants a window for a family with a pattern even when no layer uses one.
  if (config.sliding_window > 0) {
    object["sliding_window"] = config.sliding_window;
  } else if (!by_pattern) {
    object["sliding_window"] = nullptr;
  }
  Json types = Json::array();
  for (const bool sliding : config.is_sliding) types.push_back(sliding ? "sliding_attention" : "full_attention");
  object["layer_types"] = std::move(types);
}

}  // namespace

void WriteModelConfig(const ModelConfig& config, const std::filesystem::path& folder) {
  const Family& family = FamilyOf(config);
  Json object = {{"architectures", {family.architecture}},
                 {"model_type", family.model_type},
                 {"vocab_size", config.vocab_size},
                 {"hidden_size", config.hidden_size},
                 {"intermediate_size", config.intermediate_size},
                 {"num_hidden_layers", config.num_layers},
                 {"num_attention_heads", config.num_heads},
                 {"num_key_value_heads", config.num_kv_heads},
                 {"head_dim", config.head_dim},
                 {"max_position_embeddings", config.max_position_embeddings},
                 {"rms_norm_eps", config.rms_norm_eps},
                 {"tie_word_embeddings", config.tie_word_embeddings}};
  object[family.gelu_tanh ? "hidden_activation" : "hidden_act"] = family.gelu_tanh ? "gelu_pytorch_tanh" : "silu";
  if (family.query_pre_attn_scalar) {
    object["query_pre_attn_scalar"] = QueryScalar(config.attention_scale);
    object["attn_logit_softcapping"] = nullptr;
    object["final_logit_softcapping"] = nullptr;
  }
  if (!family.attention_bias) object["attention_bias"] = false;
  AddRope(config, family.local_rope_theta.has_value(), object);
  AddWindows(config, family.windows, object);
  object["bos_token_id"] = config.bos_token_id < 0 ? Json(nullptr) : Json(config.bos_token_id);
  object["eos_token_id"] = config.eos_token_ids.empty()       ? Json(nullptr)
                           : config.eos_token_ids.size() == 1 ? Json(config.eos_token_ids[0])
                                                              : Json(config.eos_token_ids);
  object["pad_token_id"] = config.pad_token_id < 0 ? Json(nullptr) : Json(config.pad_token_id);
  object["torch_dtype"] = config.dtype;

  AtomicFile file(folder / "config.json");
  file.Write(object.dump(2) + "\n");
  file.Commit();
}

}  // namespace autodidact::model
