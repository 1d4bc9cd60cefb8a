#include "engine/memory_plan.h"

#include <algorithm>

#include "base/format.h"
#include "engine/cpu/kv_cache.h"
#include "engine/cpu/packed_weights.h"
#include "engine/page_pool.h"

namespace autodidact::engine {
namespace {

std::int64_t Mebibytes(std::int64_t bytes) {
  return (bytes + (1 << 20) - 1) >> 20;
}

}  // namespace

std::int64_t MemoryPlan::GroupsThatFit(std::int64_t prompt_tokens, std::int64_t rollouts,
                                       std::int64_t new_tokens) const {
  // The last token of a rollout is never written to the cache.
  const std::int64_t pages = PagesFor(prompt_tokens) + rollouts * PagesFor(std::max<std::int64_t>(0, new_tokens - 1));
  return std::min(cache_tokens / kTokensPerPage / std::max<std::int64_t>(1, pages),
                  max_rows / std::max<std::int64_t>(1, rollouts));
}

std::string MemoryPlan::Describe() const {
  const std::string weights =
      own_kernels ? base::Format("weights repacked in {} MiB", Mebibytes(weight_bytes)) : "weights as they are";
  return base::Format("cache of {} tokens in {} MiB, {}, at most {} rollouts at once", cache_tokens,
                      Mebibytes(cache_bytes), weights, max_rows);
}

MemoryPlan PlanMemory(const EngineConfig& config, const model::ModelConfig& model, bool own_kernels,
                      std::int64_t element_bytes) {
  const std::int64_t pages = config.cache_tokens / kTokensPerPage;
  MemoryPlan plan;
  plan.cache_tokens = pages * kTokensPerPage;
  plan.max_rows = config.max_rows;
  plan.own_kernels = own_kernels;
  if (own_kernels) {
    constexpr std::int64_t kFloat = sizeof(float);
    plan.weight_bytes = cpu::PackedFloats(model, cpu::Kernels().panel_width) * kFloat;
    plan.cache_bytes = cpu::KvCache::Floats(model, pages) * kFloat;
  } else {
    plan.cache_bytes = plan.cache_tokens * 2 * model.num_layers * model.num_kv_heads * model.head_dim * element_bytes;
  }
  return plan;
}

}  // namespace autodidact::engine
