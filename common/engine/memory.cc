#include "engine/memory.h"

#include <algorithm>

#include "engine/cpu/kv_cache.h"
#include "engine/memory_plan.h"
#include "engine/page_pool.h"

namespace autodidact::engine {
namespace {

constexpr std::int64_t kFp32 = 4;

}  // namespace

EngineMemory PlanEngine(const model::ModelConfig& model, const EngineConfig& engine, const EngineShape& shape) {
  const auto item = static_cast<std::int64_t>(c10::elementSize(shape.type));
  const bool own_kernels = shape.device == at::kCPU && shape.type == at::kFloat && !engine.generic_decoder;
  const MemoryPlan blocks = PlanMemory(engine, model, own_kernels, item);
  const std::int64_t groups = std::clamp<std::int64_t>(
      blocks.GroupsThatFit(shape.prompt_tokens, shape.rollouts, shape.completion_tokens), 1, shape.groups);
  const std::int64_t rows = groups * shape.rollouts;
  EngineMemory memory;
  memory.packed_weights = blocks.weight_bytes;
  memory.cache = blocks.cache_bytes;
  memory.working = kHeadRows * model.vocab_size * 3 * kFp32;
  if (own_kernels) {
    // Slabs of pages take memory when they are first written.
    const std::int64_t pages = groups * PagesFor(shape.prompt_tokens) + rows * PagesFor(shape.completion_tokens);
    memory.cache = cpu::KvCache::Floats(model, std::min(pages, blocks.cache_tokens / kTokensPerPage)) * kFp32;
    return memory;
  }
  // The keys and values that a layer attends to are gathered, and copied once more for the matrix product.
  const std::int64_t attended = groups * shape.prompt_tokens + rows * shape.completion_tokens;
  const std::int64_t scores = rows * model.num_heads * (shape.prompt_tokens + shape.completion_tokens);
  const std::int64_t decode = 2 * attended * model.num_kv_heads * model.head_dim * 2 * item + scores * 2 * kFp32;
  // Of a layer over the prompts that are prefilled together (or the one that is longer): its activations, keys and
  // values copied to every head, and the mask.
  const std::int64_t prompts = std::max(shape.prompt_tokens, std::min(kPrefillTokens, groups * shape.prompt_tokens));
  const std::int64_t widths =
      6 * model.hidden_size + 5 * model.num_heads * model.head_dim + 4 * model.intermediate_size;
  const std::int64_t prefill = prompts * widths * item + prompts * shape.prompt_tokens * (1 + item);
  memory.working += std::max(decode, prefill);
  return memory;
}

}  // namespace autodidact::engine
