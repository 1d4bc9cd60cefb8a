#include "learner/memory.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "base/rng.h"
#include "collective/collective.h"
#include "model/families/family.h"

namespace autodidact::learner {
namespace {

// What tensors of this thread take: libtorch tells a profiler of every block.
class TensorMemory final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*block*/, std::int64_t size, std::size_t /*allocated*/, std::size_t /*reserved*/,
                         c10::Device /*device*/) override {
    held_ += size;
    peak_ = std::max(peak_, held_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t peak() const { return peak_; }

 private:
  std::int64_t held_ = 0;
  std::int64_t peak_ = 0;
};

model::ModelConfig Shape(const std::string& family, bool tied) {
  model::ModelConfig config;
  config.vocab_size = 400;
  config.hidden_size = 64;
  config.intermediate_size = 192;
  config.num_layers = 4;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.head_dim = 16;
  config.max_position_embeddings = 1024;
  config.attention_scale = 0.17;
  config.is_sliding.assign(4, false);
  config.tie_word_embeddings = tied;
  config.eos_token_ids = {2};
  model::ApplyFamily(*model::FindFamily(family), config);
  if (family == "gemma3_text") {
    config.sliding_window = 16;
    config.is_sliding = {true, true, true, false};
  }
  return config;
}

std::vector<schema::ScoredGroup> Groups(const LearnerShape& shape) {
  base::RandomWalk walk({.seed = 3});
  const auto ids = [&](std::int64_t count) {
    std::vector<schema::TokenId> some;
    for (std::int64_t i = 0; i < count; ++i) some.push_back(static_cast<schema::TokenId>(3 + walk.Below(300)));
    return some;
  };
  std::vector<schema::ScoredGroup> groups;
  for (std::int64_t g = 0; g < shape.groups_per_step; ++g) {
    schema::ScoredGroup scored;
    scored.group.ticket = static_cast<schema::Ticket>(g);
    scored.group.prompt_ids = ids(shape.group.prompt_tokens);
    for (std::int64_t r = 0; r < shape.group.completions; ++r) {
      schema::Rollout rollout;
      rollout.ids = ids(shape.group.completion_tokens);
      rollout.logprobs.assign(rollout.ids.size(), -7.0f);
      rollout.sampled_logprobs = rollout.logprobs;
      scored.group.rollouts.push_back(std::move(rollout));
      scored.rewards.emplace_back(static_cast<double>(r % 2));
    }
    groups.push_back(std::move(scored));
  }
  return groups;
}

using Case = std::tuple<const char*, at::ScalarType, bool>;
class LearnerMemoryTest : public testing::TestWithParam<Case> {};

TEST_P(LearnerMemoryTest, TheTensorsOfAStepTakeWhatIsPlanned) {
  const auto [family, type, checkpoint] = GetParam();
  const model::ModelConfig config = Shape(family, std::string(family) != "llama");
  model::Parameters parameters = model::InitialParameters(config, 1);
  for (auto& [name, tensor] : parameters) tensor = tensor.to(type);
  const model::WeightSet weights(config, std::move(parameters), 0);
  LearnerShape shape;
  shape.groups_per_step = 4;
  shape.group = {.completions = 3, .prompt_tokens = 20, .completion_tokens = 40, .type = type};
  TrainerConfig trainer;
  trainer.loss.beta = 0;
  trainer.gradient_checkpointing = checkpoint;
  trainer.micro_batch_tokens = 300;  // two groups at once
  const auto groups = Groups(shape);
  const auto single = collective::MakeSingle();
  const auto memory = std::make_shared<TensorMemory>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, memory);
    PolicyTrainer(trainer, weights, nullptr, *single).Step(groups);
  }
  const LearnerMemory plan = PlanLearner(config, trainer, shape);
  const double ratio = static_cast<double>(plan.total()) / static_cast<double>(memory->peak());
  std::printf("planned %.2f MB (pass: kept %.2f, head %.2f, layer %.2f), measured %.2f MB: %.3f\n",
              1e-6 * static_cast<double>(plan.total()), 1e-6 * static_cast<double>(plan.pass.activations),
              1e-6 * static_cast<double>(plan.pass.head), 1e-6 * static_cast<double>(plan.pass.layer),
              1e-6 * static_cast<double>(memory->peak()), ratio);
  EXPECT_GT(ratio, 0.85);
  EXPECT_LT(ratio, 1.15);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LearnerMemoryTest,
                         testing::Combine(testing::Values("llama", "qwen3", "gemma3_text"),
                                          testing::Values(at::kFloat, at::kBFloat16), testing::Bool()));

TEST(LearnerMemoryPlanTest, RanksShareMasterAndMoments) {
  const model::ModelConfig config = Shape("llama", false);
  LearnerShape shape;
  shape.group = {.completions = 2, .prompt_tokens = 4, .completion_tokens = 4, .type = at::kBFloat16};
  const LearnerMemory one = PlanLearner(config, {}, shape);
  EXPECT_EQ(one.weights, 2 * ParameterCount(config));
  EXPECT_EQ(one.gradients, 4 * ParameterCount(config));
  EXPECT_EQ(one.master, 4 * ParameterCount(config));
  EXPECT_EQ(one.moments, 8 * ParameterCount(config));
  shape.ranks = 4;
  const LearnerMemory four = PlanLearner(config, {}, shape);
  EXPECT_EQ(four.master, one.master / 4);
  EXPECT_EQ(four.moments, one.moments / 4);
  EXPECT_EQ(four.gradients, one.gradients);
}

TEST(LearnerMemoryPlanTest, TheReferenceCountsOnlyWhereItStays) {
  const model::ModelConfig config = Shape("llama", false);
  LearnerShape shape;
  shape.group = {.completions = 2, .prompt_tokens = 4, .completion_tokens = 4};
  TrainerConfig trainer;
  trainer.loss.beta = 0;
  EXPECT_EQ(PlanLearner(config, trainer, shape).reference, 0);
  trainer.loss.beta = 1e-3;
  EXPECT_EQ(PlanLearner(config, trainer, shape).reference, 4 * ParameterCount(config));
  trainer.offload_reference = true;
  EXPECT_EQ(PlanLearner(config, trainer, shape).reference, 0);
}

}  // namespace
}  // namespace autodidact::learner
