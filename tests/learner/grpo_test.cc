#include "learner/grpo.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "json/json.h"
#include "numbers.h"
#include "tests/paths.h"

namespace autodidact::learner {
namespace {

class GrpoLossTest : public testing::Test {
 protected:
  // tests/golden/make_grpo_goldens.py: torch autograd, a loop per sequence and token.
  const json::Json golden_ = json::ParseFile(tests::SourceFolder() / "tests/golden/grpo_losses.json");

  LossConfig ConfigOf(const json::Json& kase) const {
    LossConfig config;
    config.type = base::ValueNamed<LossType>(kase["loss_type"].get<std::string>(), "loss_type");
    config.epsilon = golden_["epsilon"];
    config.epsilon_high = config.type == LossType::kCispo ? golden_["cispo_cap"] : golden_["epsilon_high"];
    config.beta = golden_["beta"];
    config.max_completion_length = golden_["max_completion_length"];
    config.importance_sampling.level = base::ValueNamed<RatioLevel>(kase["level"].get<std::string>(), "level");
    config.importance_sampling.mode = base::ValueNamed<CorrectionMode>(kase["mode"].get<std::string>(), "mode");
    config.importance_sampling.clip_min = golden_["clip_min"];
    config.importance_sampling.clip_max = config.importance_sampling.mode == CorrectionMode::kMask
                                              ? golden_["clip_max_mask"]
                                              : golden_["clip_max_truncate"];
    return config;
  }

  // The rollouts [first, last) of the golden batch.
  LossInput InputOf(std::size_t first, std::size_t last) const {
    std::vector<std::int64_t> rollout;
    std::vector<float> lengths, advantages;
    std::int64_t begin = 0, end = 0, offset = 0;
    for (std::size_t n = 0; n < golden_["lengths"].size(); ++n) {
      const std::int64_t length = golden_["lengths"][n];
      if (n == first) begin = offset;
      offset += length;
      if (n + 1 == last) end = offset;
      if (n < first || n >= last) continue;
      for (std::int64_t t = 0; t < length; ++t) {
        rollout.push_back(static_cast<std::int64_t>(n - first));
        advantages.push_back(golden_["advantages"][n]);
      }
      lengths.push_back(static_cast<float>(length));
    }
    const auto part = [&](const char* name) { return Numbers(golden_[name]).slice(0, begin, end).clone(); };
    LossInput input;
    input.logprobs_M = part("logprobs").requires_grad_(true);
    input.old_logprobs_M = part("old");
    input.rollout_logprobs_M = part("rollout");
    input.ref_logprobs_M = part("ref");
    input.advantages_M = at::tensor(advantages);
    input.rollout_M = at::tensor(rollout);
    input.lengths_N = at::tensor(lengths);
    return input;
  }

  LossNormaliser Whole() const {
    double tokens = 0;
    for (const auto& length : golden_["lengths"]) tokens += length.get<double>();
    return {.rollouts = static_cast<double>(golden_["lengths"].size()), .tokens = tokens};
  }
};

constexpr double kTolerance = 1e-5;

TEST_F(GrpoLossTest, EveryLossTypeAgreesWithAutogradOverPlainLoops) {
  double worst = 0;
  for (const json::Json& kase : golden_["cases"]) {
    const LossInput input = InputOf(0, golden_["lengths"].size());
    const LossOutput output = GrpoLoss(ConfigOf(kase), input, Whole());
    output.loss.backward();
    const double loss_error = std::abs(output.loss.item<double>() - kase["loss"].get<double>());
    const double gradient_error = (input.logprobs_M.grad() - Numbers(kase["gradient"])).abs().max().item<double>();
    EXPECT_LT(loss_error, kTolerance) << kase.dump();
    EXPECT_LT(gradient_error, kTolerance) << kase.dump();
    worst = std::max({worst, loss_error, gradient_error});
  }
  std::printf("used %.1f %% of the tolerance %g\n", 100 * worst / kTolerance, kTolerance);
}

TEST_F(GrpoLossTest, MicroBatchesAddUpToTheWhole) {
  for (const json::Json& kase : golden_["cases"]) {
    double sum = 0;
    for (const auto& [first, last] : {std::pair<std::size_t, std::size_t>{0, 1}, {1, 4}}) {
      sum += GrpoLoss(ConfigOf(kase), InputOf(first, last), Whole()).loss.item<double>();
    }
    EXPECT_NEAR(sum, kase["loss"].get<double>(), kTolerance) << kase.dump();
  }
}

TEST(GrpoCheckTest, RefusesASequenceRatioWithATokenSumLoss) {
  LossConfig config;
  config.importance_sampling = {.level = RatioLevel::kSequence, .mode = CorrectionMode::kTruncate};
  config.max_completion_length = 8;
  for (const LossType type : {LossType::kDapo, LossType::kDrGrpo, LossType::kCispo}) {
    config.type = type;
    EXPECT_THROW(Check(config), base::Error);
  }
  for (const LossType type : {LossType::kGrpo, LossType::kGspo}) {
    config.type = type;
    EXPECT_NO_THROW(Check(config));
  }
}

TEST(GrpoCheckTest, RefusesTokenWeightsWithGspo) {
  LossConfig config;
  config.type = LossType::kGspo;
  EXPECT_NO_THROW(Check(config));
  config.importance_sampling = {.level = RatioLevel::kToken, .mode = CorrectionMode::kTruncate};
  EXPECT_THROW(Check(config), base::Error);
}

using Rewards = std::vector<std::optional<double>>;

TEST(AdvantageTest, IsZeroWhenAllRewardsAreEqual) {
  for (const auto& advantage : Advantages(Rewards{1.0, 1.0, 1.0}, ScaleRewards::kGroup, 0)) EXPECT_EQ(advantage, 0.0);
}

TEST(AdvantageTest, IsTheRewardInUnbiasedStandardDeviationsOfItsGroup) {
  // mean 0.5, squares 4 × 0.25, over 3: std 0.57735.
  const auto advantages = Advantages(Rewards{1.0, 0.0, 1.0, 0.0}, ScaleRewards::kGroup, 0);
  EXPECT_NEAR(*advantages[0], 0.5 / (0.5773502692 + 1e-4), 1e-9);
  EXPECT_NEAR(*advantages[1], -0.5 / (0.5773502692 + 1e-4), 1e-9);
}

TEST(AdvantageTest, LeavesOutRolloutsWithoutAReward) {
  const auto advantages = Advantages(Rewards{1.0, std::nullopt, 0.0}, ScaleRewards::kNone, 0);
  EXPECT_EQ(advantages[0], 0.5);
  EXPECT_EQ(advantages[1], std::nullopt);
  EXPECT_EQ(advantages[2], -0.5);
}

TEST(AdvantageTest, AGroupWithFewerThanTwoRewardsHasNone) {
  for (const auto& advantage : Advantages(Rewards{1.0, std::nullopt}, ScaleRewards::kGroup, 0)) {
    EXPECT_EQ(advantage, std::nullopt);
  }
}

}  // namespace
}  // namespace autodidact::learner
