#include "engine/cpu/attention.h"

#include <algorithm>

namespace autodidact::engine::cpu {
namespace {

constexpr std::int64_t kChunkTokens = kChunkPages * kPageTokens;

}  // namespace

AttentionWorker::AttentionWorker(const model::ModelConfig& config, const KernelTable& kernels)
    : kernels_(kernels), head_dim_(config.head_dim), heads_per_kv_(config.num_heads / config.num_kv_heads) {
  const std::size_t n = static_cast<std::size_t>(kernels.max_queries);
  queries_.resize(n);
  begin_.resize(n);
  end_.resize(n);
  chunk_begin_.resize(n);
  chunk_end_.resize(n);
  max_.resize(n);
  sum_.resize(n);
  pages_.resize(kChunkPages);
  out_ = AllocateFloats(kernels.max_queries * ((head_dim_ + 15) / 16 * 16));
  scratch_ = AllocateFloats(kernels.max_queries * kChunkTokens);
}

void AttentionWorker::Run(const AttentionCall& call, const AttentionUnit& unit, std::int64_t kv_head,
                          const KvCache& cache) {
  const std::int64_t rows_per_block = std::max<std::int64_t>(1, kernels_.max_queries / heads_per_kv_);
  for (std::int64_t row = unit.row_begin; row < unit.row_end; row += rows_per_block) {
    const std::int64_t row_end = std::min(unit.row_end, row + rows_per_block);
    for (std::int64_t head = 0; head < heads_per_kv_; head += kernels_.max_queries) {
      RunBlock(call, unit, {row, row_end, head, std::min(heads_per_kv_, head + kernels_.max_queries)}, kv_head, cache);
    }
  }
}

void AttentionWorker::RunBlock(const AttentionCall& call, const AttentionUnit& unit, const Block& block,
                               std::int64_t kv_head, const KvCache& cache) {
  const std::int64_t heads = block.head_end - block.head_begin;
  const std::int64_t count = (block.row_end - block.row_begin) * heads;
  const std::int64_t padded_dim = cache.padded_dim();
  std::fill_n(max_.begin(), count, kMasked);
  std::fill_n(sum_.begin(), count, 0.0f);
  std::fill_n(out_.get(), count * padded_dim, 0.0f);
  const auto row_of = [&](std::int64_t query) -> const Row& { return (*call.rows)[block.row_begin + query / heads]; };
  const auto head_of = [&](std::int64_t query) { return kv_head * heads_per_kv_ + block.head_begin + query % heads; };
  // The first visible position.
  const auto first_seen = [&](const Row& row) {
    return call.window > 0 ? std::max<std::int64_t>(0, row.position - call.window + 1) : 0;
  };
  for (std::int64_t i = 0; i < count; ++i) {
    queries_[i] = call.queries + (block.row_begin + i / heads) * call.query_stride + head_of(i) * head_dim_;
  }
  if (unit.shared_length > 0) {
    for (std::int64_t i = 0; i < count; ++i) {
      begin_[i] = first_seen(row_of(i));
      end_[i] = unit.shared_length;
    }
    Segment(call, unit.shared_pages, 0, count, kv_head, cache);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    begin_[i] = std::max<std::int64_t>(0, first_seen(row_of(i)) - unit.shared_length);
    end_[i] = row_of(i).slot + 1;
  }
  const std::int64_t step = unit.same_pages ? count : heads;
  for (std::int64_t i = 0; i < count; i += step) Segment(call, row_of(i).pages, i, step, kv_head, cache);

  for (std::int64_t i = 0; i < count; ++i) {
    const float* from = out_.get() + i * padded_dim;
    float* to = call.out + (block.row_begin + i / heads) * call.out_stride + head_of(i) * head_dim_;
    const float factor = 1.0f / sum_[i];
    for (std::int64_t d = 0; d < head_dim_; ++d) to[d] = from[d] * factor;
  }
}

void AttentionWorker::Segment(const AttentionCall& call, const PageId* pages, std::int64_t first, std::int64_t count,
                              std::int64_t kv_head, const KvCache& cache) {
  std::int64_t lowest = begin_[first];
  std::int64_t highest = end_[first];
  for (std::int64_t i = first + 1; i < first + count; ++i) {
    lowest = std::min(lowest, begin_[i]);
    highest = std::max(highest, end_[i]);
  }
  // Chunks start at multiples of their length, so that the order of a query's merges is its own.
  for (std::int64_t chunk = lowest / kChunkTokens * kChunkTokens; chunk < highest; chunk += kChunkTokens) {
    AttendArgs args;
    args.num_pages = PagesFor(std::min(highest, chunk + kChunkTokens) - chunk);
    for (std::int64_t page = 0; page < args.num_pages; ++page) {
      pages_[page] = cache.Block(pages[chunk / kPageTokens + page], call.layer, kv_head);
    }
    for (std::int64_t i = first; i < first + count; ++i) {
      chunk_begin_[i] = std::clamp<std::int64_t>(begin_[i] - chunk, 0, kChunkTokens);
      chunk_end_[i] = std::clamp<std::int64_t>(end_[i] - chunk, 0, kChunkTokens);
    }
    args.num_queries = count;
    args.queries = &queries_[first];
    args.key_begin = &chunk_begin_[first];
    args.key_end = &chunk_end_[first];
    args.pages = pages_.data();
    args.head_dim = head_dim_;
    args.padded_dim = cache.padded_dim();
    args.max = &max_[first];
    args.sum = &sum_[first];
    args.out = out_.get() + first * args.padded_dim;
    args.scratch = scratch_.get();
    kernels_.attend(args);
  }
}

}  // namespace autodidact::engine::cpu
