#include "model/transformer.h"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/format.h"
#include "model/attention.h"
#include "model/layers.h"
#include "model/rope.h"

namespace autodidact::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// How the tokens of a batch attend in one kind of layer.
struct AttentionPass {
  RopeTable rope;
  std::shared_ptr<const AttentionPlan> plan;
  AttentionShape shape;
};

AttentionPass MakeAttentionPass(const ModelConfig& config, const PackedBatch& batch, bool sliding, at::Device device) {
  const auto& positions = batch.positions();
  const std::int64_t length = positions.empty() ? 0 : *std::max_element(positions.begin(), positions.end()) + 1;
  const AttentionShape shape = ShapeOf(config, sliding);
  return {.rope = MakeRopeTable(sliding ? config.local_rope : config.rope, config.head_dim, length, device),
          .plan = MakeAttentionPlan(batch, shape.window, device),
          .shape = shape};
}

// What all layers of a pass share.
Attend MakeAttend(const ModelConfig& config, const PackedBatch& batch, at::Device device) {
  const AttentionPass global = MakeAttentionPass(config, batch, false, device);
  const AttentionPass local = config.sliding_window > 0 ? MakeAttentionPass(config, batch, true, device) : global;
  return [global, local](std::int64_t, bool sliding, const at::Tensor& qkv) {
    const AttentionPass& pass = sliding ? local : global;
    return Attention(qkv, pass.rope, pass.plan, pass.shape);
  };
}

// Everything that a layer needs when it is computed a second time.
struct CheckpointState : torch::CustomClassHolder {
  ModelConfig config;
  Attend attend;
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

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
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
    const Stream stream = RunLayer(state.config, parameters, state.index, {inputs[0], at::Tensor()}, state.attend);
    return stream.x_TE + stream.delta_TE;
  }
};

at::Tensor RunCheckpointed(const ModelConfig& config, const Parameters& parameters, std::int64_t index,
                           const at::Tensor& x, const Attend& attend) {
  auto state = c10::make_intrusive<CheckpointState>();
  state->config = config;
  state->attend = attend;
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
  const auto embeddings = parameters.find("model.embed_tokens.weight");
  AD_CHECK(embeddings != parameters.end(), "the weights have no embeddings");
  const Attend attend = MakeAttend(config, batch, embeddings->second.device());
  if (!checkpoint || !at::GradMode::is_enabled()) return RunLayers(config, parameters, batch.ids(), attend);
  Stream stream = Embed(config, parameters, batch.ids());
  for (std::int64_t index = 0; index < config.num_layers; ++index) {
    stream.x_TE = RunCheckpointed(config, parameters, index, stream.x_TE, attend);
  }
  return FinishLayers(config, parameters, stream);
}

}  // namespace autodidact::model
