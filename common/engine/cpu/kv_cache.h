// The memory of the paged keys and values.
#pragma once

#include <cstdint>

#include "engine/cpu/packed_weights.h"
#include "engine/page_pool.h"
#include "model/config.h"

namespace autodidact::engine::cpu {

static_assert(kPageTokens == kTokensPerPage);

// A page of one head is keys [head_dim][kPageTokens], so that a vector of keys is a vector of tokens, and elsewhere
// values [kPageTokens][padded_dim]. Both are [slab][layer][kv head][page of the slab]: what one head reads of
// neighbouring pages is one run, without which the processor's prefetching fetches as much in vain as it needs. Memory
// is taken when a slab is first written.
class KvCache {
 public:
  KvCache(const model::ModelConfig& config, std::int64_t num_pages)
      : num_layers_(config.num_layers),
        num_heads_(config.num_kv_heads),
        head_dim_(config.head_dim),
        padded_dim_(PaddedDim(config)),
        keys_(AllocateFloats(Slots(config, num_pages) * head_dim_)),
        values_(AllocateFloats(Slots(config, num_pages) * padded_dim_)) {}

  static std::int64_t Floats(const model::ModelConfig& config, std::int64_t num_pages) {
    return Slots(config, num_pages) * (config.head_dim + PaddedDim(config));
  }

  std::int64_t padded_dim() const { return padded_dim_; }

  float* Keys(PageId page, std::int64_t layer, std::int64_t head) const {
    return keys_.get() + Place(page, layer, head) * kPageTokens * head_dim_;
  }
  float* Values(PageId page, std::int64_t layer, std::int64_t head) const {
    return values_.get() + Place(page, layer, head) * kPageTokens * padded_dim_;
  }

  // key and value: head_dim floats of one token.
  void Write(PageId page, std::int64_t place, std::int64_t layer, std::int64_t head, const float* key,
             const float* value) {
    float* keys = Keys(page, layer, head) + place;
    for (std::int64_t d = 0; d < head_dim_; ++d) keys[d * kPageTokens] = key[d];
    float* row = Values(page, layer, head) + place * padded_dim_;
    for (std::int64_t d = 0; d < head_dim_; ++d) row[d] = value[d];
    for (std::int64_t d = head_dim_; d < padded_dim_; ++d) row[d] = 0.0f;
  }

 private:
  static constexpr std::int64_t kSlabPages = 64;

  static std::int64_t PaddedDim(const model::ModelConfig& config) { return (config.head_dim + 15) / 16 * 16; }
  // Tokens times layers times heads.
  static std::int64_t Slots(const model::ModelConfig& config, std::int64_t num_pages) {
    const std::int64_t pages = (num_pages + kSlabPages - 1) / kSlabPages * kSlabPages;
    return pages * kPageTokens * config.num_layers * config.num_kv_heads;
  }
  std::int64_t Place(PageId page, std::int64_t layer, std::int64_t head) const {
    return ((page / kSlabPages * num_layers_ + layer) * num_heads_ + head) * kSlabPages + page % kSlabPages;
  }

  std::int64_t num_layers_;
  std::int64_t num_heads_;
  std::int64_t head_dim_;
  std::int64_t padded_dim_;
  AlignedFloats keys_;
  AlignedFloats values_;
};

}  // namespace autodidact::engine::cpu
