// The decoder-only transformer over packed sequences, for training and scoring.
//
// Shape letters: T tokens of the batch, E hidden size, V vocabulary, M selected tokens.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "model/layers.h"
#include "model/weight_set.h"

namespace autodidact::model {

// A run of tokens [begin, end) of the batch. It attends to the whole of its prefix [prefix_begin, prefix_end), another
// run of the batch (empty for none), and causally to itself; its positions go on after the prefix.
struct Segment {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t prefix_begin = 0;
  std::int64_t prefix_end = 0;

  std::int64_t size() const { return end - begin; }
  std::int64_t prefix_size() const { return prefix_end - prefix_begin; }
};

// Sequences laid end to end without padding; a group is its prompt's segment and G segments that share it as their
// prefix, so the prompt is computed once, forward and backward (Prefix Grouper, arXiv 2506.05433). A value type.
class PackedBatch {
 public:
  // Appends a sequence of its own; returns its index among segments().
  std::size_t Add(std::span<const std::int32_t> ids);
  // Appends a sequence that continues segments()[prefix], which itself must have no prefix.
  std::size_t AddContinuation(std::size_t prefix, std::span<const std::int32_t> ids);

  const std::vector<Segment>& segments() const { return segments_; }
  const std::vector<std::int64_t>& ids() const { return ids_; }
  const std::vector<std::int64_t>& positions() const { return positions_; }
  std::int64_t num_tokens() const { return static_cast<std::int64_t>(ids_.size()); }

 private:
  std::vector<std::int64_t> ids_;
  std::vector<std::int64_t> positions_;
  std::vector<Segment> segments_;
};

// hidden_TE after the final norm. Differentiable in the parameters when gradients are enabled. With `checkpoint` each
// layer's activations are recomputed in the backward pass. Blocks for the computation; uses the calling thread's
// intra-op threads. Device and dtype are the parameters'.
at::Tensor Forward(const ModelConfig& config, const Parameters& parameters, const PackedBatch& batch,
                   bool checkpoint = false);

// What the LM head says about given targets, without ever holding [M, V] logits whole: rows are done in chunks, in the
// backward pass again. Both are fp32.
struct TokenScores {
  at::Tensor logprobs_M;   // log softmax(logits / temperature)[target]; differentiable in hidden and head
  at::Tensor entropies_M;  // of the same distribution, in nats; no gradient
};
TokenScores ScoreTokens(const at::Tensor& hidden_ME, const at::Tensor& head_VE, const at::Tensor& targets_M,
                        double temperature);

}  // namespace autodidact::model
