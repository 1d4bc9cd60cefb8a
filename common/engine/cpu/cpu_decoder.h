// The fp32 transformer on the CPU: packed weights, fused kernels, paged cache.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/cpu/attention.h"
#include "engine/cpu/kernels.h"
#include "engine/cpu/packed_weights.h"
#include "engine/cpu/thread_team.h"
#include "engine/decoder.h"
#include "engine/rotary.h"

namespace autodidact::engine::cpu {

// Prefill and decoding are the same computation on rows; they differ in what a row attends to. Uses as many threads as
// the calling thread's intra-op setting says.
class CpuDecoder : public Decoder {
 public:
  CpuDecoder(model::SharedWeights weights, std::int64_t num_pages, const KernelTable& kernels);

  void SetWeights(model::SharedWeights weights) override;
  std::vector<DrawnToken> Prefill(std::span<const PrefillGroup> groups) override;
  std::vector<DrawnToken> Decode(std::span<const DecodeGroup> groups) override;

 private:
  void MatchThreads();
  void Reserve(std::int64_t rows);
  // Through all layers: hidden_ holds the rows' states before the final norm.
  void RunLayers();
  void Embed();
  void Attention(std::int64_t layer);
  void Attend(const AttentionCall& call);
  void Mlp(std::int64_t layer);
  void Product(const PackedMatrix& weights, const float* a, std::int64_t rows, float* c, std::int64_t ldc,
               Epilogue epilogue);
  void Norm(const float* x, const std::vector<float>& weight, std::int64_t rows, float* y);
  // hidden_ += norm(branch_), for the families that normalise what a block adds.
  void AddNormed(const std::vector<float>& weight);
  // Draws draws[i] from the logits of state rows[i] of `states` [*, E].
  std::vector<DrawnToken> DrawAll(const float* states, std::span<const std::int64_t> rows,
                                  std::span<const DrawSpec* const> draws);

  const model::ModelConfig config_;
  const KernelTable& kernels_;
  std::unique_ptr<ThreadTeam> team_;
  model::SharedWeights weights_;  // for the embeddings
  at::Tensor embeddings_;         // [V, E] fp32
  PackedModel model_;
  KvCache cache_;
  RotaryTable global_rotary_;
  RotaryTable local_rotary_;
  std::vector<std::unique_ptr<AttentionWorker>> attention_;  // one per thread
  std::vector<Sampler> samplers_;                            // one per thread

  std::vector<Row> rows_;
  std::vector<AttentionUnit> units_;
  std::int64_t reserved_rows_ = 0;
  // Legend: R rows, E hidden size, D all heads' dimensions, I intermediate size.
  AlignedFloats hidden_;  // [R, E] the residual stream
  AlignedFloats normed_;  // [R, E]
  AlignedFloats branch_;  // [R, E]
  AlignedFloats qkv_;     // [R, D + 2 D_kv]
  AlignedFloats mixed_;   // [R, D]
  AlignedFloats gated_;   // [R, I]
  AlignedFloats logits_;  // [kHeadRows, padded V]
};

}  // namespace autodidact::engine::cpu
