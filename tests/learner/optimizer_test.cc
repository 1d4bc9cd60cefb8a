#include "learner/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "json/json.h"
#include "tests/paths.h"

namespace autodidact::learner {
namespace {

at::Tensor Numbers(const json::Json& values) {
  return at::tensor(values.get<std::vector<double>>(), at::kDouble).to(at::kFloat);
}

TEST(AdamWTest, MovesWeightsAsTorchsOwnOptimizerDoes) {
  const json::Json golden = json::ParseFile(tests::SourceFolder() / "tests/golden/adamw.json");
  const model::WeightSet start(
      {}, {{"matrix", Numbers(golden["start"]["matrix"]).view({4, 3})}, {"vector", Numbers(golden["start"]["vector"])}},
      0);
  FlatParameters parameters(start);
  AdamW optimizer({.learning_rate = 0.02,
                   .schedule = Schedule::kCosine,
                   .warmup_steps = 2,
                   .total_steps = 6,
                   .beta1 = 0.9,
                   .beta2 = 0.95,
                   .eps = 1e-8,
                   .weight_decay = 0.1,
                   .max_grad_norm = 1.0},
                  parameters);
  constexpr double kTolerance = 1e-6;
  double worst = 0;
  for (const json::Json& step : golden["steps"]) {
    parameters.parameters().at("matrix").mutable_grad().copy_(Numbers(step["gradient_matrix"]).view({4, 3}));
    parameters.parameters().at("vector").mutable_grad().copy_(Numbers(step["gradient_vector"]));
    const auto info = optimizer.Step();
    EXPECT_NEAR(info.learning_rate, step["learning_rate"].get<double>(), 1e-12);
    EXPECT_NEAR(info.grad_norm, step["norm"].get<double>(), 1e-5);
    at::NoGradGuard no_grad;
    for (const char* name : {"matrix", "vector"}) {
      const double error =
          (parameters.parameters().at(name).flatten() - Numbers(step[name])).abs().max().item<double>();
      EXPECT_LT(error, kTolerance) << name;
      worst = std::max(worst, error);
    }
  }
  std::printf("used %.1f %% of the tolerance %g\n", 100 * worst / kTolerance, kTolerance);
}

TEST(AdamWTest, RefusesAGradientThatIsNotFiniteAndMovesNothing) {
  const model::WeightSet start({}, {{"vector", at::ones({2})}}, 0);
  FlatParameters parameters(start);
  AdamW optimizer({}, parameters);
  parameters.grad().fill_(std::nan(""));
  EXPECT_THROW(optimizer.Step(), base::Error);
  EXPECT_TRUE(parameters.flat().equal(at::ones({2})));
}

TEST(ScheduleTest, LinearReachesItsFinalFraction) {
  const OptimizerConfig config{
      .learning_rate = 1.0, .schedule = Schedule::kLinear, .total_steps = 10, .final_fraction = 0.1};
  EXPECT_DOUBLE_EQ(LearningRateAt(config, 0), 1.0);
  EXPECT_DOUBLE_EQ(LearningRateAt(config, 5), 0.55);
  EXPECT_DOUBLE_EQ(LearningRateAt(config, 10), 0.1);
  EXPECT_DOUBLE_EQ(LearningRateAt(config, 99), 0.1);
}

}  // namespace
}  // namespace autodidact::learner
