#include "engine/memory_plan.h"

#include "engine/cpu/kv_cache.h"
#include "engine/cpu/packed_weights.h"
#include "engine/cpu/thread_team.h"
#include "test_models.h"

namespace autodidact::engine {
namespace {

using namespace testing;

// By hand: 3 layers, 2 kv heads of 10, hidden 40, 4 heads, intermediate 56, vocabulary 80, panels of 16 columns.
TEST(MemoryPlanTest, CountsWhatTheKernelsKeep) {
  const model::ModelConfig config = SmallConfig("llama");
  const MemoryPlan plan = PlanMemory({.cache_tokens = 1000, .max_rows = 64}, config, true, 4);
  EXPECT_EQ(plan.cache_tokens, 992);  // whole pages of 16
  // A token: 10 floats of its key and 16 of its padded value, per layer and head; memory comes in slabs of 64 pages.
  EXPECT_EQ(plan.cache_bytes, 1024 * 3 * 2 * (10 + 16) * 4);
  if (cpu::Kernels().panel_width == 16) {
    const std::int64_t layer = 80 * 40 + 48 * 40 + 112 * 40 + 48 * 56;  // qkv, out, gate and up, down
    EXPECT_EQ(plan.weight_bytes, (3 * layer + 80 * 40) * 4);
  }
}

TEST(MemoryPlanTest, CountsWhatLibtorchKeeps) {
  const MemoryPlan plan = PlanMemory({.cache_tokens = 1000, .max_rows = 64}, SmallConfig("llama"), false, 2);
  EXPECT_EQ(plan.weight_bytes, 0);
  EXPECT_EQ(plan.cache_bytes, 992 * 2 * 3 * 2 * 10 * 2);
}

// As many groups as the plan says run without a preemption, one more does not.
TEST(MemoryPlanTest, ThatManyGroupsFit) {
  const EngineConfig config{.cache_tokens = 1600, .max_rows = 64};
  const model::SharedWeights weights = RandomWeights(SmallConfig("llama"));
  const std::int64_t fit = PlanMemory(config, weights->config(), true, 4).GroupsThatFit(20, 3, 33);
  EXPECT_EQ(fit, 12);  // 2 pages of prompt and 3 × 2 of 32 tokens: 8 of 100
  for (const std::int64_t groups : {fit, fit + 1}) {
    Engine engine(config, weights, SymbolTokenizer());
    for (std::int64_t i = 0; i < groups; ++i) engine.Add(Request(static_cast<schema::Ticket>(i), 20, 3, 33));
    while (!engine.idle()) engine.Step();
    EXPECT_EQ(engine.stats().preemptions > 0, groups > fit) << groups;
  }
}

TEST(MemoryPlanTest, RowsLimitGroupsToo) {
  const MemoryPlan plan = PlanMemory({.cache_tokens = 65536, .max_rows = 20}, SmallConfig("llama"), true, 4);
  EXPECT_EQ(plan.GroupsThatFit(5, 8, 16), 2);
  EXPECT_EQ(plan.GroupsThatFit(70000, 1, 1), 0);
}

// Packing fills exactly what was planned, for all families.
TEST(MemoryPlanTest, PackedWeightsFillTheirBlock) {
  cpu::ThreadTeam team(1);
  for (const std::string family : {"llama", "qwen2", "qwen3", "gemma3_text"}) {
    const model::ModelConfig config = SmallConfig(family);
    for (const char* name : {"avx2", "avx512", "generic"}) {
      const cpu::KernelTable* kernels = cpu::KernelsNamed(name);
      if (kernels == nullptr) continue;
      const cpu::PackedModel packed = cpu::PackModel(*RandomWeights(config), *kernels, team, nullptr);
      const float* end = packed.head.panels + packed.head.num_panels * packed.head.k * kernels->panel_width;
      EXPECT_EQ(end - packed.memory.get(), cpu::PackedFloats(config, kernels->panel_width)) << FamilyName(family);
    }
  }
}

}  // namespace
}  // namespace autodidact::engine
