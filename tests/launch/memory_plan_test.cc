#include "launch/wiring/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "launch/train/training.h"
#include "launch/wiring/wiring.h"
#include "tests/paths.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = tests::SourceFolder();

// Weights of the published models: of Gemma 3 the text part.
const std::map<std::string, std::int64_t> kPublished = {
    {"llama-3.1-8b", 8'030'261'248}, {"qwen3-4b", 4'022'468'096}, {"gemma-3-4b", 3'880'263'168}};

// "llama-3.1-8b-math500.yaml" -> "llama-3.1-8b"
std::string ModelOf(const fs::path& file) {
  const std::string name = file.stem().string();
  return name.substr(0, name.rfind('-'));
}

std::vector<std::string> WithShape(const fs::path& file, std::vector<std::string> overrides = {}) {
  overrides.push_back("model=" + (kRoot / "tests/golden/shapes" / ModelOf(file)).string());
  return overrides;
}

MemoryPlan PlanOf(const fs::path& file, const std::vector<std::string>& overrides = {}) {
  const RunConfig config = ReadRunConfig(file, WithShape(file, overrides), Files::kAnywhere);
  return PlanMemory(config, model::ReadModelConfig(config.model), config.placement.ranks, kAssumedPromptTokens);
}

std::vector<fs::path> PaperConfigs() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(kRoot / "configs/paper")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  return files;
}

TEST(PaperConfigsTest, EachIsPlannedFromItsConfigJsonAloneAndFitsEightGpus) {
  const auto files = PaperConfigs();
  EXPECT_EQ(files.size() % kPublished.size(), 0);
  for (const fs::path& file : files) {
    const MemoryPlan plan = PlanOf(file);
    EXPECT_EQ(plan.num_weights, kPublished.at(ModelOf(file))) << file;
    std::int64_t gpus = 0;
    for (const MemoryPlace& place : plan.places) {
      EXPECT_TRUE(place.gpu) << file;
      gpus += place.count;
    }
    EXPECT_LE(gpus, 8) << file;
    const std::string text = DryRun({.config_file = file}, WithShape(file)).text;
    EXPECT_NE(text.find("# the run fits"), std::string::npos) << file << "\n" << text;
    std::printf("%s\n%s", file.filename().c_str(), text.substr(text.find("# memory plan")).c_str());
  }
}

TEST(PaperConfigsTest, HaveThePapersSettings) {
  for (const fs::path& file : PaperConfigs()) {
    const RunConfig config = ReadRunConfig(file, WithShape(file), Files::kAnywhere);
    EXPECT_EQ(config.train.trainer.optimizer.learning_rate, 5e-7) << file;
    EXPECT_EQ(config.train.trainer.optimizer.schedule, learner::Schedule::kConstant) << file;
    EXPECT_EQ(config.train.groups_per_step * config.train.num_generations, 256) << file;
    EXPECT_EQ(config.train.num_generations, 8) << file;
    EXPECT_EQ(config.train.trainer.loss.beta, 1e-3) << file;
    EXPECT_EQ(config.train.max_steps, 1000) << file;
    const bool math = file.string().ends_with("math500.yaml");
    EXPECT_EQ(config.rollout.max_new_tokens, math ? 1536 : 1024) << file;
    const std::string model = ModelOf(file);
    EXPECT_EQ(config.rollout.temperature, model == "gemma-3-4b" ? 1.0f : 0.7f) << file;
    EXPECT_EQ(config.rollout.top_k, model == "gemma-3-4b" ? 64 : model == "qwen3-4b" ? 20 : 50) << file;
    EXPECT_EQ(config.rollout.top_p, model == "gemma-3-4b" ? 0.95f : model == "qwen3-4b" ? 0.8f : 0.9f) << file;
  }
}

TEST(MemoryPlanTest, SaysWhatDoesNotFit) {
  const fs::path file = kRoot / "configs/paper/llama-3.1-8b-math500.yaml";
  const MemoryPlan plan = PlanOf(file, {"device_memory_gib=40"});
  EXPECT_FALSE(plan.fits());
  EXPECT_FALSE(plan.places.front().fits());
  const auto [text, fits] = DryRun({.config_file = file}, WithShape(file, {"device_memory_gib=40"}));
  EXPECT_FALSE(fits);
  EXPECT_NE(text.find("learner x 5 (one GPU each)"), std::string::npos) << text;
  EXPECT_NE(text.find("# the run DOES NOT FIT"), std::string::npos) << text;
}

TEST(MemoryPlanTest, EachPlaceThatIsTooSmallIsToldWithWhatIsLargestAndItsKeys) {
  MemoryPlan plan;
  plan.places = {{.who = "learner",
                  .count = 2,
                  .gpu = true,
                  .items = {{"program", 1 << 30}, {"activations", std::int64_t{9} << 30}},
                  .limit = std::int64_t{8} << 30},
                 {.who = "judge", .count = 3, .gpu = false, .items = {{"program", 1 << 30}}, .limit = 2 << 29}};
  EXPECT_THAT(
      WhatDoesNotFit(plan, /*one_machine=*/false),
      testing::ElementsAre(testing::AllOf(
          testing::HasSubstr("memory: learner needs 10.0 GiB"), testing::HasSubstr("GPU (device_memory_gib) has 8.0"),
          testing::HasSubstr("activations 9.0, program 1.0"), testing::HasSubstr("train.micro_batch_tokens"))));
  plan.places.erase(plan.places.begin());
  EXPECT_TRUE(WhatDoesNotFit(plan, /*one_machine=*/false).empty());
  EXPECT_THAT(WhatDoesNotFit(plan, /*one_machine=*/true),
              testing::ElementsAre(testing::HasSubstr("need 3.0 GiB together, and it has 1.0")));
}

TEST(MemoryPlanTest, MoreLearnersShareTheOptimizerStateAndFullGradientsRemain) {
  const fs::path file = kRoot / "configs/paper/qwen3-4b-math500.yaml";
  const auto bytes_of = [&](const std::string& ranks, const std::string& what) -> std::int64_t {
    const MemoryPlan plan = PlanOf(file, {"placement.ranks=" + ranks});
    for (const auto& item : plan.places.front().items) {
      if (item.what == what) return item.bytes;
    }
    return 0;
  };
  const std::string four = "[learner*4, actor, anchor, judge]", eight = "[learner*8, actor, anchor, judge]";
  EXPECT_EQ(bytes_of(four, "moments"), 2 * bytes_of(eight, "moments"));
  EXPECT_EQ(bytes_of(four, "fp32 master"), 2 * bytes_of(eight, "fp32 master"));
  EXPECT_EQ(bytes_of(four, "gradients"), bytes_of(eight, "gradients"));
  EXPECT_GT(bytes_of(four, "gradients"), 0);
}

TEST(MemoryPlanTest, OneProcessHoldsAllRolesTogether) {
  const fs::path file = kRoot / "configs/paper/qwen3-4b-math500.yaml";
  const RunConfig config = ReadRunConfig(file, WithShape(file, {"device=cpu", "dtype=float32"}), Files::kAnywhere);
  const MemoryPlan plan = PlanMemory(config, model::ReadModelConfig(config.model), {}, 100);
  ASSERT_EQ(plan.places.size(), 1u);
  // Initial, published, trained, gradients, two moments, and one packed form for actor and anchor each.
  EXPECT_GT(plan.places[0].total(), 8 * 4 * plan.num_weights);
}

TEST(MemoryPlanTest, TheResidentPeakIsThisProcesss) {
  const std::int64_t before = PeakResidentBytes();
  EXPECT_GT(before, 1 << 20);
  const std::vector<char> block(std::size_t{256} << 20, 1);
  EXPECT_GE(PeakResidentBytes(), before);
  EXPECT_GT(PeakResidentBytes(), 256 << 20);
}

}  // namespace
}  // namespace autodidact::launch
