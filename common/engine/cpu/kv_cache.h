// The memory of the paged keys and values.
#pragma once

#include <cstdint>

#include "engine/cpu/packed_weights.h"
#include "engine/page_pool.h"
#include "model/config.h"

namespace autodidact::engine::cpu {

static_assert(kPageTokens == kTokensPerPage);

// [page][layer][kv head], each block keys [head_dim][kPageTokens], then values [kPageTokens][padded_dim]: so a vector
// of keys is a vector of tokens and a vector of values one of dimensions. Memory is taken when a page is first written.
class KvCache {
 public:
  KvCache(const model::ModelConfig& config, std::int64_t num_pages)
      : num_layers_(config.num_layers),
        num_heads_(config.num_kv_heads),
        head_dim_(config.head_dim),
        padded_dim_((config.head_dim + 15) / 16 * 16),
        block_(kPageTokens * (head_dim_ + padded_dim_)),
        memory_(AllocateFloats(num_pages * PageFloats(config))) {}

  static std::int64_t PageFloats(const model::ModelConfig& config) {
    return config.num_layers * config.num_kv_heads * kPageTokens * (config.head_dim + (config.head_dim + 15) / 16 * 16);
  }

  std::int64_t padded_dim() const { return padded_dim_; }
  std::int64_t block_size() const { return block_; }  // floats of one head of a page

  float* Block(PageId page, std::int64_t layer, std::int64_t head) const {
    return memory_.get() + ((page * num_layers_ + layer) * num_heads_ + head) * block_;
  }

  // key and value: head_dim floats of one token.
  void Write(PageId page, std::int64_t place, std::int64_t layer, std::int64_t head, const float* key,
             const float* value) {
    float* block = Block(page, layer, head);
    for (std::int64_t d = 0; d < head_dim_; ++d) block[d * kPageTokens + place] = key[d];
    float* row = block + head_dim_ * kPageTokens + place * padded_dim_;
    for (std::int64_t d = 0; d < head_dim_; ++d) row[d] = value[d];
    for (std::int64_t d = head_dim_; d < padded_dim_; ++d) row[d] = 0.0f;
  }

 private:
  std::int64_t num_layers_;
  std::int64_t num_heads_;
  std::int64_t head_dim_;
  std::int64_t padded_dim_;
  std::int64_t block_;
  AlignedFloats memory_;
};

}  // namespace autodidact::engine::cpu
