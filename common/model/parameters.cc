#include "base/format.h"
#include "model/config.h"

namespace autodidact::model {
namespace {

void AddLayer(const ModelConfig& config, std::int64_t layer, std::vector<NamedShape>& shapes) {
  const std::int64_t hidden = config.hidden_size;
  const std::int64_t query = config.num_heads * config.head_dim;
  const std::int64_t key = config.num_kv_heads * config.head_dim;
  const auto add = [&](const char* name, std::vector<std::int64_t> shape) {
    shapes.push_back({base::Format("model.layers.{}.{}", layer, name), std::move(shape)});
  };
  add("input_layernorm.weight", {hidden});
  add("self_attn.q_proj.weight", {query, hidden});
  add("self_attn.k_proj.weight", {key, hidden});
  add("self_attn.v_proj.weight", {key, hidden});
  if (config.attention_bias) {
    add("self_attn.q_proj.bias", {query});
    add("self_attn.k_proj.bias", {key});
    add("self_attn.v_proj.bias", {key});
  }
  if (config.qk_norm) {
    add("self_attn.q_norm.weight", {config.head_dim});
    add("self_attn.k_norm.weight", {config.head_dim});
  }
  add("self_attn.o_proj.weight", {hidden, query});
  add("post_attention_layernorm.weight", {hidden});
  if (config.sandwich_norms) {
    add("pre_feedforward_layernorm.weight", {hidden});
    add("post_feedforward_layernorm.weight", {hidden});
  }
  add("mlp.gate_proj.weight", {config.intermediate_size, hidden});
  add("mlp.up_proj.weight", {config.intermediate_size, hidden});
  add("mlp.down_proj.weight", {hidden, config.intermediate_size});
}

}  // namespace

std::vector<NamedShape> ParameterShapes(const ModelConfig& config) {
  std::vector<NamedShape> shapes;
  shapes.push_back({"model.embed_tokens.weight", {config.vocab_size, config.hidden_size}});
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) AddLayer(config, layer, shapes);
  shapes.push_back({"model.norm.weight", {config.hidden_size}});
  if (!config.tie_word_embeddings) shapes.push_back({"lm_head.weight", {config.vocab_size, config.hidden_size}});
  return shapes;
}

std::int64_t ParameterCount(const ModelConfig& config) {
  std::int64_t count = 0;
  for (const NamedShape& parameter : ParameterShapes(config)) {
    std::int64_t size = 1;
    for (const std::int64_t length : parameter.shape) size *= length;
    count += size;
  }
  return count;
}

}  // namespace autodidact::model
