#include "model/layers.h"

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/format.h"
#include "model/ops.h"

namespace autodidact::model {
namespace {

NormOptions NormOf(const ModelConfig& config) {
  return {.eps = config.rms_norm_eps, .plus_one = config.norm_plus_one};
}

const at::Tensor& Parameter(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  AD_CHECK(found != parameters.end(), "the weights have no {}", name);
  return found->second;
}

// The parameters of one layer by their names within it.
class LayerParameters {
 public:
  LayerParameters(const Parameters& parameters, std::int64_t layer)
      : parameters_(parameters), prefix_(base::Format("model.layers.{}.", layer)) {}

  const at::Tensor& At(const char* name) const { return Parameter(parameters_, prefix_ + name); }

 private:
  const Parameters& parameters_;
  std::string prefix_;
};

at::Tensor QueriesKeysValues(const ModelConfig& config, const LayerParameters& layer, const at::Tensor& normed) {
  std::vector<at::Tensor> biases;
  if (config.attention_bias) {
    biases = {layer.At("self_attn.q_proj.bias"), layer.At("self_attn.k_proj.bias"), layer.At("self_attn.v_proj.bias")};
  }
  const at::Tensor qkv = Project(
      normed,
      {layer.At("self_attn.q_proj.weight"), layer.At("self_attn.k_proj.weight"), layer.At("self_attn.v_proj.weight")},
      biases);
  if (!config.qk_norm) return qkv;
  return HeadNorm(qkv, layer.At("self_attn.q_norm.weight"), layer.At("self_attn.k_norm.weight"), config.num_heads,
                  config.num_kv_heads, NormOf(config));
}

}  // namespace

Stream Embed(const ModelConfig& config, const Parameters& parameters, std::span<const std::int64_t> ids) {
  for (const std::int64_t id : ids) {
    AD_CHECK(id >= 0 && id < config.vocab_size, "token id {} is outside the vocabulary of {}", id, config.vocab_size);
  }
  const at::Tensor& embeddings = Parameter(parameters, "model.embed_tokens.weight");
  const at::Tensor places = at::tensor(at::ArrayRef<std::int64_t>(ids.data(), ids.size()), at::kLong);
  Stream stream{.x_TE = at::embedding(embeddings, places.to(embeddings.device())), .delta_TE = {}};
  if (config.embedding_scale != 1.0) {
    // Rounded to the weights' dtype first, as transformers does.
    stream.x_TE = stream.x_TE * at::scalar_tensor(config.embedding_scale, embeddings.options());
  }
  return stream;
}

Stream RunLayer(const ModelConfig& config, const Parameters& parameters, std::int64_t layer, Stream stream,
                const Attend& attend) {
  const LayerParameters own(parameters, layer);
  const NormOptions norm = NormOf(config);
  at::Tensor normed;
  std::tie(stream.x_TE, normed) = AddRmsNorm(stream.x_TE, stream.delta_TE, own.At("input_layernorm.weight"), norm);
  at::Tensor attended =
      attend(layer, config.is_sliding[static_cast<std::size_t>(layer)], QueriesKeysValues(config, own, normed));
  attended = Project(attended, {own.At("self_attn.o_proj.weight")}, {});
  const char* mlp_norm = "post_attention_layernorm.weight";
  if (config.sandwich_norms) {
    attended = RmsNorm(attended, own.At(mlp_norm), norm);
    mlp_norm = "pre_feedforward_layernorm.weight";
  }
  std::tie(stream.x_TE, normed) = AddRmsNorm(stream.x_TE, attended, own.At(mlp_norm), norm);
  const at::Tensor gate_up = Project(normed, {own.At("mlp.gate_proj.weight"), own.At("mlp.up_proj.weight")}, {});
  stream.delta_TE = Project(GatedActivation(gate_up, config.gelu_tanh), {own.At("mlp.down_proj.weight")}, {});
  if (config.sandwich_norms) {
    stream.delta_TE = RmsNorm(stream.delta_TE, own.At("post_feedforward_layernorm.weight"), norm);
  }
  return stream;
}

at::Tensor FinishLayers(const ModelConfig& config, const Parameters& parameters, const Stream& stream) {
  return AddRmsNorm(stream.x_TE, stream.delta_TE, Parameter(parameters, "model.norm.weight"), NormOf(config)).second;
}

at::Tensor RunLayers(const ModelConfig& config, const Parameters& parameters, std::span<const std::int64_t> ids,
                     const Attend& attend) {
  Stream stream = Embed(config, parameters, ids);
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    stream = RunLayer(config, parameters, layer, std::move(stream), attend);
  }
  return FinishLayers(config, parameters, stream);
}

const at::Tensor& LmHead(const ModelConfig& config, const Parameters& parameters) {
  return Parameter(parameters, config.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight");
}

}  // namespace autodidact::model
