// What the scheduler needs of a device: prompts in, first tokens out; last tokens in, next tokens out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/page_pool.h"
#include "engine/sampling.h"
#include "model/weight_set.h"

namespace autodidact::engine {

// All borrow from the scheduler for the length of one call.
struct PrefillGroup {
  std::span<const schema::TokenId> prompt_ids;
  std::span<const PageId> prompt_pages;  // PagesFor(prompt_ids.size()) of them, to be written
  std::span<const DrawSpec> draws;       // one per rollout, all from the logits after the prompt
};

struct DecodeRow {
  schema::TokenId id = 0;         // the rollout's last token; its key and value go to `slot`
  std::int64_t slot = 0;          // its place among the rollout's own tokens; its position is prompt_length + slot
  std::span<const PageId> pages;  // the rollout's own, at least PagesFor(slot + 1)
  DrawSpec draw;
};

struct DecodeGroup {
  std::int64_t prompt_length = 0;
  std::span<const PageId> prompt_pages;
  std::span<const DecodeRow> rows;
};

// Owns the memory of the cache and the weights in the form that the device likes. Belongs to the engine's thread.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // Repacks; the cache stays as it is. The same shape and device as before.
  virtual void SetWeights(model::SharedWeights weights) = 0;
  // One drawn token per draw, groups in order. Blocks for the computation.
  virtual std::vector<DrawnToken> Prefill(std::span<const PrefillGroup> groups) = 0;
  // One drawn token per row, groups in order. Blocks for the computation.
  virtual std::vector<DrawnToken> Decode(std::span<const DecodeGroup> groups) = 0;
};

// fp32 on the CPU by own kernels: a row's bits depend on nothing else in the batch.
std::unique_ptr<Decoder> MakeCpuDecoder(model::SharedWeights weights, std::int64_t num_pages);
// Any device and dtype by libtorch.
std::unique_ptr<Decoder> MakeTorchDecoder(model::SharedWeights weights, std::int64_t num_pages);

}  // namespace autodidact::engine
