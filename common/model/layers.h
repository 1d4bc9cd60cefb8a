// The layers of the transformer, once for training, scoring and decoding: what differs between them, how a token
// attends to others, is handed in.
//
// Shape letters: T tokens computed, E hidden size, H query heads, K key heads, D head_dim.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <span>

#include "model/weight_set.h"

namespace autodidact::model {

// The stream between layers: x is the residual, delta what the last block adds to it (undefined for nothing).
struct Stream {
  at::Tensor x_TE;
  at::Tensor delta_TE;
};

// From queries, keys and values [T, (H + 2K)·D], with their biases and norms, before rotation, to [T, H·D].
using Attend = std::function<at::Tensor(std::int64_t layer, bool sliding, const at::Tensor& qkv)>;

// The token embeddings, scaled where the family asks for it. Error(kBug) for an id outside the vocabulary.
Stream Embed(const ModelConfig& config, const Parameters& parameters, std::span<const std::int64_t> ids);

// Layer `layer` on the stream. Differentiable in stream and parameters where `attend` is.
Stream RunLayer(const ModelConfig& config, const Parameters& parameters, std::int64_t layer, Stream stream,
                const Attend& attend);

// The final norm: hidden_TE.
at::Tensor FinishLayers(const ModelConfig& config, const Parameters& parameters, const Stream& stream);

// The three together over all layers.
at::Tensor RunLayers(const ModelConfig& config, const Parameters& parameters, std::span<const std::int64_t> ids,
                     const Attend& attend);

// The matrix of the LM head [V, E]: lm_head.weight, or the embeddings when they are tied.
const at::Tensor& LmHead(const ModelConfig& config, const Parameters& parameters);

}  // namespace autodidact::model
