#include "model/transformer.h"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/format.h"
#include "model/attention.h"
#include "model/ops.h"
#include "model/rope.h"

namespace autodidact::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The stream between layers: x is the residual, delta what the last block adds to it (undefined for nothing).
struct Stream {
  at::Tensor x;
  at::Tensor delta;
};

// What all layers of a pass share.
struct Pass {
  NormOptions norm;
  RopeTable rope;
  RopeTable local_rope;
  std::shared_ptr<const AttentionPlan> plan;
  std::shared_ptr<const AttentionPlan> local_plan;
};

Pass MakePass(const ModelConfig& config, const PackedBatch& batch, at::Device device) {
  const auto& positions = batch.positions();
  const std::int64_t length = positions.empty() ? 0 : *std::max_element(positions.begin(), positions.end()) + 1;
  Pass pass{.norm = {.eps = config.rms_norm_eps, .plus_one = config.norm_plus_one},
            .rope = MakeRopeTable(config.rope, config.head_dim, length, device),
            .local_rope = {},
            .plan = MakeAttentionPlan(batch, 0, device),
            .local_plan = {}};
  if (config.sliding_window > 0) {
    pass.local_rope = MakeRopeTable(config.local_rope, config.head_dim, length, device);
    pass.local_plan = MakeAttentionPlan(batch, config.sliding_window, device);
  }
  return pass;
}

// One layer's function. Borrows the config and the parameters.
class Layer {
 public:
  Layer(const ModelConfig& config, const Parameters& parameters, std::int64_t index)
      : config_(config), parameters_(parameters), prefix_(base::Format("model.layers.{}.", index)) {}

  Stream Apply(const Pass& pass, std::int64_t index, Stream stream) const {
    at::Tensor normed;
    std::tie(stream.x, normed) = AddRmsNorm(stream.x, stream.delta, At("input_layernorm.weight"), pass.norm);
    at::Tensor attended = Attend(pass, config_.is_sliding[static_cast<std::size_t>(index)], normed);
    const char* mlp_norm = "post_attention_layernorm.weight";
    if (config_.sandwich_norms) {
      attended = RmsNorm(attended, At(mlp_norm), pass.norm);
      mlp_norm = "pre_feedforward_layernorm.weight";
    }
    std::tie(stream.x, normed) = AddRmsNorm(stream.x, attended, At(mlp_norm), pass.norm);
    const at::Tensor gate_up = Project(normed, {At("mlp.gate_proj.weight"), At("mlp.up_proj.weight")}, {});
    stream.delta = Project(GatedActivation(gate_up, config_.gelu_tanh), {At("mlp.down_proj.weight")}, {});
    if (config_.sandwich_norms) {
      stream.delta = RmsNorm(stream.delta, At("post_feedforward_layernorm.weight"), pass.norm);
    }
    return stream;
  }

 private:
  const at::Tensor& At(const char* name) const {
    const auto found = parameters_.find(prefix_ + name);
    AD_CHECK(found != parameters_.end(), "the weights have no {}{}", prefix_, name);
    return found->second;
  }

  at::Tensor Attend(const Pass& pass, bool sliding, const at::Tensor& normed) const {
    std::vector<at::Tensor> biases;
    if (config_.attention_bias)
      biases = {At("self_attn.q_proj.bias"), At("self_attn.k_proj.bias"), At("self_attn.v_proj.bias")};
    at::Tensor qkv = Project(
        normed, {At("self_attn.q_proj.weight"), At("self_attn.k_proj.weight"), At("self_attn.v_proj.weight")}, biases);
    if (config_.qk_norm) {
      qkv = HeadNorm(qkv, At("self_attn.q_norm.weight"), At("self_attn.k_norm.weight"), config_.num_heads,
                     config_.num_kv_heads, pass.norm);
    }
    const AttentionShape shape{.num_heads = config_.num_heads,
                               .num_kv_heads = config_.num_kv_heads,
                               .head_dim = config_.head_dim,
                               .scale = config_.attention_scale,
                               .window = sliding ? config_.sliding_window : 0};
    const at::Tensor mixed =
        Attention(qkv, sliding ? pass.local_rope : pass.rope, sliding ? pass.local_plan : pass.plan, shape);
    return Project(mixed, {At("self_attn.o_proj.weight")}, {});
  }

  const ModelConfig& config_;
  const Parameters& parameters_;
  std::string prefix_;
};

// Everything that a layer needs when it is computed a second time.
struct CheckpointState : torch::CustomClassHolder {
  ModelConfig config;
  std::shared_ptr<const Pass> pass;
  std::vector<std::string> names;
  std::int64_t index = 0;
};

// Computes layer `index` on x without keeping its activations, and again with them in the backward pass.
class CheckpointFunction : public torch::autograd::Function<CheckpointFunction> {
 public:
  // inputs: x, then the layer's parameters in the order of state.names.
  static at::Tensor forward(AutogradContext* context, at::TensorList list,
                            const c10::intrusive_ptr<CheckpointState>* state) {
    variable_list inputs = list.vec();
    context->save_for_backward(inputs);
    context->saved_data["state"] = at::IValue::make_capsule(*state);
    return Run(**state, inputs);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto state = c10::static_intrusive_pointer_cast<CheckpointState>(context->saved_data["state"].toCapsule());
    variable_list inputs;
    variable_list wanted;
    for (const at::Tensor& input : context->get_saved_variables()) {
      inputs.push_back(input.detach().requires_grad_(context->needs_input_grad(inputs.size())));
      if (inputs.back().requires_grad()) wanted.push_back(inputs.back());
    }
    variable_list found;
    {
      const at::AutoGradMode enable(true);
      found = torch::autograd::grad({Run(*state, inputs)}, wanted, gradients, std::nullopt, false, true);
    }
    variable_list results(inputs.size() + 1);
    std::size_t next = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].requires_grad()) results[i] = found[next++];
    }
    return results;
  }

 private:
  static at::Tensor Run(const CheckpointState& state, const variable_list& inputs) {
    Parameters parameters;
    for (std::size_t i = 0; i < state.names.size(); ++i) parameters.emplace(state.names[i], inputs[1 + i]);
    const Stream stream =
        Layer(state.config, parameters, state.index).Apply(*state.pass, state.index, {inputs[0], at::Tensor()});
    return stream.x + stream.delta;
  }
};

at::Tensor ApplyCheckpointed(const ModelConfig& config, const std::shared_ptr<const Pass>& pass,
                             const Parameters& parameters, std::int64_t index, const at::Tensor& x) {
  auto state = c10::make_intrusive<CheckpointState>();
  state->config = config;
  state->pass = pass;
  state->index = index;
  variable_list inputs = {x};
  const std::string prefix = base::Format("model.layers.{}.", index);
  for (auto entry = parameters.lower_bound(prefix); entry != parameters.end() && entry->first.starts_with(prefix);
       ++entry) {
    state->names.push_back(entry->first);
    inputs.push_back(entry->second);
  }
  return CheckpointFunction::apply(at::TensorList(inputs), &state);
}

const at::Tensor& Parameter(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  AD_CHECK(found != parameters.end(), "the weights have no {}", name);
  return found->second;
}

}  // namespace

std::size_t PackedBatch::Add(std::span<const std::int32_t> ids) {
  const std::int64_t begin = num_tokens();
  segments_.push_back({.begin = begin, .end = begin + static_cast<std::int64_t>(ids.size())});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids_.push_back(ids[i]);
    positions_.push_back(static_cast<std::int64_t>(i));
  }
  return segments_.size() - 1;
}

std::size_t PackedBatch::AddContinuation(std::size_t prefix, std::span<const std::int32_t> ids) {
  AD_CHECK(prefix < segments_.size(), "no segment {}", prefix);
  const Segment head = segments_[prefix];
  AD_CHECK(head.prefix_size() == 0, "segment {} is itself a continuation", prefix);
  const std::size_t index = Add(ids);
  segments_[index].prefix_begin = head.begin;
  segments_[index].prefix_end = head.end;
  for (std::int64_t t = segments_[index].begin; t < segments_[index].end; ++t) {
    positions_[static_cast<std::size_t>(t)] += head.size();
  }
  return index;
}

at::Tensor Forward(const ModelConfig& config, const Parameters& parameters, const PackedBatch& batch, bool checkpoint) {
  for (const std::int64_t id : batch.ids()) {
    AD_CHECK(id >= 0 && id < config.vocab_size, "token id {} is outside the vocabulary of {}", id, config.vocab_size);
  }
  const at::Tensor& embeddings = Parameter(parameters, "model.embed_tokens.weight");
  const at::Tensor ids = at::tensor(batch.ids(), at::kLong).to(embeddings.device());
  Stream stream{.x = at::embedding(embeddings, ids), .delta = {}};
  if (config.embedding_scale != 1.0) {
    // Rounded to the weights' dtype first, as transformers does.
    stream.x = stream.x * at::scalar_tensor(config.embedding_scale, embeddings.options());
  }
  const auto pass = std::make_shared<const Pass>(MakePass(config, batch, embeddings.device()));
  for (std::int64_t index = 0; index < config.num_layers; ++index) {
    if (checkpoint && at::GradMode::is_enabled()) {
      stream.x = ApplyCheckpointed(config, pass, parameters, index, stream.x);
    } else {
      stream = Layer(config, parameters, index).Apply(*pass, index, std::move(stream));
    }
  }
  return AddRmsNorm(stream.x, stream.delta, Parameter(parameters, "model.norm.weight"), pass->norm).second;
}

const at::Tensor& LmHead(const ModelConfig& config, const Parameters& parameters) {
  return Parameter(parameters, config.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight");
}

}  // namespace autodidact::model
