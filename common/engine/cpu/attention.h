// Which queries attend to which pages: the shared prompt once for all rollouts of a group, then each one's own tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu/kv_cache.h"
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

// Queries and results of one layer.
struct AttentionCall {
  const std::vector<Row>* rows = nullptr;
  std::int64_t layer = 0;
  std::int64_t window = 0;         // 0: none
  const float* queries = nullptr;  // [rows][query_stride], heads in order, scaled and rotated
  std::int64_t query_stride = 0;
  float* out = nullptr;  // [rows][out_stride]
  std::int64_t out_stride = 0;
};

// The scratch memory of one thread, and the loops around the attention kernel.
class AttentionWorker {
 public:
  AttentionWorker(const model::ModelConfig& config, const KernelTable& kernels);

  // All queries of `unit` that use this kv head.
  void Run(const AttentionCall& call, const AttentionUnit& unit, std::int64_t kv_head, const KvCache& cache);

 private:
  struct Block {  // whole rows, or some of the heads of one row
    std::int64_t row_begin, row_end, head_begin, head_end;
  };

  void RunBlock(const AttentionCall& call, const AttentionUnit& unit, const Block& block, std::int64_t kv_head,
                const KvCache& cache);
  // Queries [first, first + count) over one table of pages; their ranges are in begin_ and end_.
  void Segment(const AttentionCall& call, const PageId* pages, std::int64_t first, std::int64_t count,
               std::int64_t kv_head, const KvCache& cache);

  const KernelTable& kernels_;
  std::int64_t head_dim_;
  std::int64_t heads_per_kv_;
  std::vector<const float*> queries_;
  std::vector<std::int64_t> begin_, end_;              // visible slots of the segment
  std::vector<std::int64_t> chunk_begin_, chunk_end_;  // the same within the chunk
  std::vector<const float*> pages_;
  std::vector<float> max_, sum_;
  AlignedFloats out_, scratch_;
};

}  // namespace autodidact::engine::cpu
