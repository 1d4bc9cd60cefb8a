// Which queries attend to which pages: the shared prompt once for all rollouts of a group, then each one's own tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu/kv_cache.h"
#include "engine/rotary.h"
#include "schema/types.h"

namespace autodidact::engine::cpu {

// A token of the batch. Its key and value lie at `slot` of `pages`; it sees those of its unit's shared part and its own
// slots 0 .. slot.
struct Row {
  schema::TokenId id = 0;
  std::int64_t position = 0;
  std::int64_t slot = 0;
  const PageId* pages = nullptr;
};

// Rows that attend together. In decoding: the rollouts of a group, whose prompt is shared. In prefill: neighbours of
// one prompt, nothing shared, all with the same pages.
struct AttentionUnit {
  std::int64_t row_begin = 0;
  std::int64_t row_end = 0;
  const PageId* shared_pages = nullptr;
  std::int64_t shared_length = 0;
  bool same_pages = false;
};

// One layer's work.
struct AttentionCall {
  const std::vector<Row>* rows = nullptr;
  const PackedLayer* weights = nullptr;  // for the norms of queries and keys
  const RotaryTable* rotary = nullptr;
  std::int64_t layer = 0;
  std::int64_t window = 0;  // 0: none
  float* qkv = nullptr;     // [rows][qkv_stride], heads of q, then k, then v; normed, rotated and scaled in place
  std::int64_t qkv_stride = 0;
  float* out = nullptr;  // [rows][out_stride]
  std::int64_t out_stride = 0;
};

// The scratch memory of one thread, and the loops around the attention kernel.
class AttentionWorker {
 public:
  AttentionWorker(const model::ModelConfig& config, const KernelTable& kernels, KvCache& cache);

  // Norms and rotates the row's keys of kv heads [head_begin, head_end), and writes keys and values to their page. A
  // key must be written once, before anyone attends to it.
  void WriteKeys(const AttentionCall& call, std::int64_t row, std::int64_t head_begin, std::int64_t head_end);

  // All queries of `unit` that use these kv heads. Without same_pages it writes the rows' keys itself, each just before
  // it is first read.
  void Run(const AttentionCall& call, const AttentionUnit& unit, std::int64_t head_begin, std::int64_t head_end);

 private:
  // Rows [row_begin, row_end) with query heads [first, first + heads) of each kv head of [head_begin, head_end). Query
  // i of a kv head belongs to row i / heads.
  struct Block {
    std::int64_t row_begin, row_end, head_begin, head_end, first, heads;

    std::int64_t count() const { return (row_end - row_begin) * heads; }
  };

  void RunBlock(const AttentionCall& call, const AttentionUnit& unit, const Block& block);
  void PrepareQueries(const AttentionCall& call, const Block& block);
  void RunShared(const AttentionCall& call, const AttentionUnit& unit, const Block& block);
  void RunOwn(const AttentionCall& call, const AttentionUnit& unit, const Block& block);
  void StoreResults(const AttentionCall& call, const Block& block);
  // `count` queries from state `first` on, over one table of pages; their ranges are in begin_ and end_ from `range`
  // on.
  void Segment(const AttentionCall& call, const PageId* pages, std::int64_t first, std::int64_t range,
               std::int64_t count, std::int64_t kv_head);

  const model::ModelConfig& config_;
  const KernelTable& kernels_;
  KvCache& cache_;
  std::int64_t heads_per_kv_;
  // States of a block: [kv heads of the block][max_queries].
  std::vector<const float*> queries_;
  std::vector<float> max_, sum_;
  AlignedFloats out_;
  // One kv head's queries: visible slots of the segment, and the same within a chunk.
  std::vector<std::int64_t> begin_, end_, chunk_begin_, chunk_end_;
  std::vector<const float*> keys_, values_;  // by page of a chunk
  AlignedFloats scratch_;
};

}  // namespace autodidact::engine::cpu
