// Weights rearranged once per weight set into the panels that the matrix kernel streams through.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/cpu/kernels.h"
#include "engine/cpu/thread_team.h"
#include "model/weight_set.h"

namespace autodidact::engine::cpu {

struct FreeDeleter {
  void operator()(void* memory) const;
};
using AlignedFloats = std::unique_ptr<float[], FreeDeleter>;
// count floats at a cache line's border, not initialised. Large blocks ask for huge pages (the cache and the weights
// are read whole in every step, and small pages would halve the bandwidth) and take no memory before they are written.
AlignedFloats AllocateFloats(std::int64_t count);

// [n, k] as panels [ceil(n / width)][k][width], the last padded with zeros.
struct PackedMatrix {
  std::int64_t n = 0;  // columns of the result; for a gated pair those after the gate
  std::int64_t k = 0;
  std::int64_t num_panels = 0;
  float* panels = nullptr;  // into the model's memory
  std::vector<float> bias;  // padded to whole panels; empty: none
};

struct PackedLayer {
  std::vector<float> input_norm, post_attention_norm, pre_mlp_norm,
      post_mlp_norm;                  // two are empty without sandwich norms
  std::vector<float> q_norm, k_norm;  // empty without
  PackedMatrix qkv, out, gate_up, down;
};

// Norm weights already hold the 1 + of norm_plus_one. The embeddings stay in the weight set.
struct PackedModel {
  AlignedFloats memory;
  std::vector<PackedLayer> layers;
  std::vector<float> final_norm;
  PackedMatrix head;
};

// Floats of `memory`: all panels of the model.
std::int64_t PackedFloats(const model::ModelConfig& config, std::int64_t panel_width);

// Copies, so the weight set may go away. `memory` is that of a packed model of the same shape, which is overwritten, or
// null. Blocks for the copying, shared out over the team.
PackedModel PackModel(const model::WeightSet& weights, const KernelTable& kernels, ThreadTeam& team,
                      AlignedFloats memory);

}  // namespace autodidact::engine::cpu
