#include "learner/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "collective/collective.h"
#include "json/json.h"
#include "numbers.h"
#include "tests/paths.h"

namespace autodidact::learner {
namespace {

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
  EXPECT_TRUE(parameters.parameters().at("vector").equal(at::ones({2})));
}

// A model's worth of numbers that are not alike, and a gradient for each rank and step.
model::WeightSet ManyWeights(at::ScalarType type) {
  const at::Tensor numbers = at::arange(5000, at::kFloat).sin();
  return {{},
          {{"matrix", numbers.narrow(0, 0, 4900).view({70, 70}).to(type)},
           {"vector", numbers.narrow(0, 4900, 100).to(type)}},
          0};
}
at::Tensor GradientOf(int rank, int step, const FlatParameters& parameters) {
  const at::Tensor places = at::arange(parameters.size(), at::kFloat);
  // Padding has no gradient.
  at::Tensor gradient = at::zeros({parameters.size()});
  for (const auto& [name, part] : parameters.Unflatten(gradient)) {
    part.copy_(parameters.Unflatten((places * (1.3 + rank) + step).cos())[name]);
  }
  return gradient;
}

TEST(ShardedAdamWTest, HasTheBitsOfOneRankThatAddsUpInRankOrder) {
  const OptimizerConfig config{.learning_rate = 0.01, .weight_decay = 0.1, .max_grad_norm = 0.5};
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const int size : {1, 2, 3}) {
      FlatParameters whole(ManyWeights(type));
      AdamW alone(config, whole);
      double norm = 0;
      for (int step = 0; step < 3; ++step) {
        for (int rank = 0; rank < size; ++rank) whole.grad().add_(GradientOf(rank, step, whole));
        norm = alone.Step().grad_norm;
      }
      EXPECT_GT(norm, config.max_grad_norm);  // the clipping is part of it
      collective::SpawnRanks(size, [&](collective::Communicator& communicator) {
        FlatParameters parameters(ManyWeights(type));
        AdamW sharded(config, parameters, &communicator);
        for (int step = 0; step < 3; ++step) {
          parameters.grad().copy_(GradientOf(communicator.rank(), step, parameters));
          const auto info = sharded.Step();
          if (step == 2) {
            EXPECT_EQ(info.grad_norm, norm);
          }
          EXPECT_EQ(parameters.grad().abs().max().item<float>(), 0);
        }
        EXPECT_TRUE(parameters.flat().equal(whole.flat())) << size;
        for (const StateVector vector : sharded.vectors()) {
          const at::Tensor collected = sharded.Collect(vector);
          EXPECT_EQ(collected.defined(), communicator.rank() == 0);
          if (collected.defined()) {
            EXPECT_TRUE(collected.equal(alone.Collect(vector))) << NameOf(vector);
          }
        }
      });
    }
  }
}

TEST(MasterWeightsTest, UpdatesTooSmallForBf16AddUpInTheMaster) {
  const model::WeightSet ones({}, {{"vector", at::ones({8}, at::kBFloat16)}}, 0);
  FlatParameters parameters(ones);
  AdamW optimizer({.learning_rate = 1e-5, .max_grad_norm = 0}, parameters);
  const at::Tensor& weights = parameters.parameters().at("vector");
  for (int step = 1; step <= 300; ++step) {
    parameters.grad().fill_(1);
    optimizer.Step();
    // A step of Adam with the same gradient every time is the learning rate.
    const at::Tensor master = optimizer.Collect(StateVector::kMaster).narrow(0, 0, 8);
    // fp32 below one rounds by up to 2^-25 in every step.
    EXPECT_NEAR(master[0].item<double>(), 1 - 1e-5 * step, std::ldexp(1.0, -25) * step);
    EXPECT_TRUE(weights.equal(master.to(at::kBFloat16)));
  }
  // bf16 steps by 2^-8 below one: a single update is lost in it, 300 are not.
  EXPECT_LT(weights[0].item<double>(), 1);
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
