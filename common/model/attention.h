// Causal grouped-query attention over a packed batch in which continuations share prefixes.
//
// Shape letters: T tokens of the batch, H query heads, K key heads, D head_dim.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/rope.h"
#include "model/transformer.h"

namespace autodidact::model {

struct AttentionShape {
  std::int64_t num_heads = 0;
  std::int64_t num_kv_heads = 0;
  std::int64_t head_dim = 0;
  double scale = 1.0;
  std::int64_t window = 0;  // a token sees itself and window - 1 before it; 0: all

  std::int64_t qkv_width() const { return (num_heads + 2 * num_kv_heads) * head_dim; }
};

// Of the config's layers of one kind.
AttentionShape ShapeOf(const ModelConfig& config, bool sliding);

// Rows of queries of one segment and the run of its own keys that they may see (causally).
struct OwnPart {
  std::int64_t row_begin = 0;
  std::int64_t row_end = 0;
  std::int64_t key_begin = 0;
  std::int64_t key_end = 0;
};

// Query rows that are computed together: their scores against the shared prefix are one matrix product.
struct QueryBlock {
  std::int64_t row_begin = 0;
  std::int64_t row_end = 0;
  std::int64_t prefix_begin = 0;  // keys of the prefix that any row sees; empty for none
  std::int64_t prefix_end = 0;
  std::vector<OwnPart> parts;  // in the order of the rows, covering them all
  std::int64_t max_own = 0;    // the most own keys of any part

  std::int64_t rows() const { return row_end - row_begin; }
  std::int64_t prefix_size() const { return prefix_end - prefix_begin; }
  std::int64_t columns() const { return prefix_size() + max_own; }
};

// A prompt with its continuations, or a lone sequence: all the blocks that read or write the same keys. Groups are
// independent of each other, so each is one thread's work (per key head).
struct AttentionGroup {
  std::vector<QueryBlock> blocks;
};

// How a packed batch is attended to under one window. Immutable, shared by the layers of a forward and backward pass.
struct AttentionPlan {
  std::vector<Segment> segments;
  std::vector<std::int64_t> positions;
  std::vector<AttentionGroup> groups;
  std::int64_t max_rows = 0;    // of any block
  std::int64_t max_scores = 0;  // rows × columns of the largest block
  at::Tensor positions_T;       // on the device of the computation
};
std::shared_ptr<const AttentionPlan> MakeAttentionPlan(const PackedBatch& batch, std::int64_t window,
                                                       at::Device device);

// qkv: [T, (H + 2K)·D], queries, keys and values before rotation. Returns [T, H·D]. Differentiable in qkv.
at::Tensor Attention(const at::Tensor& qkv, const RopeTable& rope, std::shared_ptr<const AttentionPlan> plan,
                     const AttentionShape& shape);

// The two implementations between which Attention chooses by device and dtype: libtorch's operators on padded copies,
// and loops for the CPU in fp32 without any padding, with a backward pass of their own.
at::Tensor GenericAttention(const at::Tensor& qkv, const RopeTable& rope, const AttentionPlan& plan,
                            const AttentionShape& shape);
at::Tensor CpuAttention(const at::Tensor& qkv, const RopeTable& rope, std::shared_ptr<const AttentionPlan> plan,
                        const AttentionShape& shape);

}  // namespace autodidact::model
