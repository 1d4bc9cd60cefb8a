#include "engine/cpu/attention.h"

#include <algorithm>

namespace autodidact::engine::cpu {
namespace {

constexpr std::int64_t kChunkTokens = kChunkPages * kPageTokens;

// The first position that a row sees.
std::int64_t FirstSeen(const AttentionCall& call, const Row& row) {
  return call.window > 0 ? std::max<std::int64_t>(0, row.position - call.window + 1) : 0;
}

}  // namespace

AttentionWorker::AttentionWorker(const model::ModelConfig& config, const KernelTable& kernels, KvCache& cache)
    : config_(config), kernels_(kernels), cache_(cache), heads_per_kv_(config.num_heads / config.num_kv_heads) {
  const std::int64_t states = config.num_kv_heads * kernels.max_queries;
  queries_.resize(static_cast<std::size_t>(states));
  max_.resize(static_cast<std::size_t>(states));
  sum_.resize(static_cast<std::size_t>(states));
  out_ = AllocateFloats(states * cache.padded_dim());
  for (std::vector<std::int64_t>* range : {&begin_, &end_, &chunk_begin_, &chunk_end_}) {
    range->resize(static_cast<std::size_t>(kernels.max_queries));
  }
  keys_.resize(kChunkPages);
  values_.resize(kChunkPages);
  scratch_ = AllocateFloats(kernels.max_queries * kChunkTokens);
}

void AttentionWorker::WriteKeys(const AttentionCall& call, std::int64_t index, std::int64_t head_begin,
                                std::int64_t head_end) {
  const Row& row = (*call.rows)[static_cast<std::size_t>(index)];
  const std::int64_t dim = config_.head_dim;
  const std::vector<float>& norm = call.weights->k_norm;
  const PageId page = row.pages[row.slot / kPageTokens];
  float* keys = call.qkv + index * call.qkv_stride + config_.num_heads * dim;
  for (std::int64_t head = head_begin; head < head_end; ++head) {
    float* key = keys + head * dim;
    if (!norm.empty()) {
      kernels_.rms_norm(key, norm.data(), static_cast<float>(config_.rms_norm_eps), dim, key);
    }
    kernels_.rotate(key, call.rotary->Cosines(row.position), call.rotary->Sines(row.position), dim / 2);
    cache_.Write(page, row.slot % kPageTokens, call.layer, head, key, key + config_.num_kv_heads * dim);
  }
}

void AttentionWorker::Run(const AttentionCall& call, const AttentionUnit& unit, std::int64_t head_begin,
                          std::int64_t head_end) {
  const std::int64_t most = kernels_.max_queries;
  const std::int64_t rows_per_block = std::max<std::int64_t>(1, most / heads_per_kv_);
  for (std::int64_t row = unit.row_begin; row < unit.row_end; row += rows_per_block) {
    const std::int64_t row_end = std::min(unit.row_end, row + rows_per_block);
    if (!unit.same_pages) {
      for (std::int64_t i = row; i < row_end; ++i) WriteKeys(call, i, head_begin, head_end);
    }
    for (std::int64_t first = 0; first < heads_per_kv_; first += most) {
      RunBlock(call, unit, {row, row_end, head_begin, head_end, first, std::min(heads_per_kv_ - first, most)});
    }
  }
}

void AttentionWorker::RunBlock(const AttentionCall& call, const AttentionUnit& unit, const Block& block) {
  PrepareQueries(call, block);
  if (unit.shared_length > 0) RunShared(call, unit, block);
  RunOwn(call, unit, block);
  StoreResults(call, block);
}

void AttentionWorker::PrepareQueries(const AttentionCall& call, const Block& block) {
  const std::int64_t dim = config_.head_dim;
  const float scale = static_cast<float>(config_.attention_scale);
  const std::vector<float>& norm = call.weights->q_norm;
  const std::int64_t states = (block.head_end - block.head_begin) * kernels_.max_queries;
  std::fill_n(max_.begin(), states, kMasked);
  std::fill_n(sum_.begin(), states, 0.0f);
  std::fill_n(out_.get(), states * cache_.padded_dim(), 0.0f);
  for (std::int64_t head = block.head_begin; head < block.head_end; ++head) {
    for (std::int64_t i = 0; i < block.count(); ++i) {
      const std::int64_t row = block.row_begin + i / block.heads;
      const std::int64_t position = (*call.rows)[static_cast<std::size_t>(row)].position;
      const std::int64_t query_head = head * heads_per_kv_ + block.first + i % block.heads;
      float* query = call.qkv + row * call.qkv_stride + query_head * dim;
      if (!norm.empty()) {
        kernels_.rms_norm(query, norm.data(), static_cast<float>(config_.rms_norm_eps), dim, query);
      }
      kernels_.rotate(query, call.rotary->Cosines(position), call.rotary->Sines(position), dim / 2);
      kernels_.scale(query, scale, dim);
      queries_[static_cast<std::size_t>((head - block.head_begin) * kernels_.max_queries + i)] = query;
    }
  }
}

void AttentionWorker::RunShared(const AttentionCall& call, const AttentionUnit& unit, const Block& block) {
  for (std::int64_t i = 0; i < block.count(); ++i) {
    begin_[i] = FirstSeen(call, (*call.rows)[static_cast<std::size_t>(block.row_begin + i / block.heads)]);
    end_[i] = unit.shared_length;
  }
  for (std::int64_t head = block.head_begin; head < block.head_end; ++head) {
    Segment(call, unit.shared_pages, (head - block.head_begin) * kernels_.max_queries, 0, block.count(), head);
  }
}

// Heads outside, rows inside: pages that rows took together lie side by side for each head.
void AttentionWorker::RunOwn(const AttentionCall& call, const AttentionUnit& unit, const Block& block) {
  const std::vector<Row>& rows = *call.rows;
  for (std::int64_t i = 0; i < block.count(); ++i) {
    const Row& row = rows[static_cast<std::size_t>(block.row_begin + i / block.heads)];
    begin_[i] = std::max<std::int64_t>(0, FirstSeen(call, row) - unit.shared_length);
    end_[i] = row.slot + 1;
  }
  const std::int64_t step = unit.same_pages ? block.count() : block.heads;
  for (std::int64_t head = block.head_begin; head < block.head_end; ++head) {
    for (std::int64_t i = 0; i < block.count(); i += step) {
      const Row& row = rows[static_cast<std::size_t>(block.row_begin + i / block.heads)];
      Segment(call, row.pages, (head - block.head_begin) * kernels_.max_queries + i, i, step, head);
    }
  }
}

void AttentionWorker::StoreResults(const AttentionCall& call, const Block& block) {
  const std::int64_t dim = config_.head_dim;
  for (std::int64_t i = 0; i < block.count(); ++i) {
    const std::int64_t row = block.row_begin + i / block.heads;
    for (std::int64_t head = block.head_begin; head < block.head_end; ++head) {
      const std::int64_t state = (head - block.head_begin) * kernels_.max_queries + i;
      const float* from = out_.get() + state * cache_.padded_dim();
      const std::int64_t query_head = head * heads_per_kv_ + block.first + i % block.heads;
      float* to = call.out + row * call.out_stride + query_head * dim;
      const float factor = 1.0f / sum_[static_cast<std::size_t>(state)];
      for (std::int64_t d = 0; d < dim; ++d) to[d] = from[d] * factor;
    }
  }
}

void AttentionWorker::Segment(const AttentionCall& call, const PageId* pages, std::int64_t first, std::int64_t range,
                              std::int64_t count, std::int64_t kv_head) {
  const std::int64_t lowest = *std::min_element(&begin_[range], &begin_[range] + count);
  const std::int64_t highest = *std::max_element(&end_[range], &end_[range] + count);
  // Chunks start at multiples of their length, so that the order of a query's merges is its own.
  for (std::int64_t chunk = lowest / kChunkTokens * kChunkTokens; chunk < highest; chunk += kChunkTokens) {
    AttendArgs args;
    args.num_pages = PagesFor(std::min(highest, chunk + kChunkTokens) - chunk);
    for (std::int64_t page = 0; page < args.num_pages; ++page) {
      const PageId id = pages[chunk / kPageTokens + page];
      keys_[page] = cache_.Keys(id, call.layer, kv_head);
      values_[page] = cache_.Values(id, call.layer, kv_head);
    }
    for (std::int64_t i = 0; i < count; ++i) {
      chunk_begin_[i] = std::clamp<std::int64_t>(begin_[range + i] - chunk, 0, kChunkTokens);
      chunk_end_[i] = std::clamp<std::int64_t>(end_[range + i] - chunk, 0, kChunkTokens);
    }
    args.num_queries = count;
    args.queries = &queries_[first];
    args.key_begin = chunk_begin_.data();
    args.key_end = chunk_end_.data();
    args.keys = keys_.data();
    args.values = values_.data();
    args.head_dim = config_.head_dim;
    args.padded_dim = cache_.padded_dim();
    args.max = &max_[first];
    args.sum = &sum_[first];
    args.out = out_.get() + first * args.padded_dim;
    args.scratch = scratch_.get();
    kernels_.attend(args);
  }
}

}  // namespace autodidact::engine::cpu
