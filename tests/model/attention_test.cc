// The two implementations of attention against each other, and packed groups against separate sequences.
#include "model/attention.h"

#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include <iostream>

#include "base/error.h"
#include "golden.h"

namespace autodidact::model {
namespace {

Ids RandomIds(std::size_t count, std::int32_t seed, std::int32_t vocabulary) {
  Ids ids;
  for (std::size_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int32_t>((static_cast<std::uint32_t>(seed) * 7919u + i * i * 31u + i * 17u) %
                                            static_cast<std::uint32_t>(vocabulary)));
  }
  return ids;
}

// Two groups with continuations of different lengths (one empty), a lone sequence longer than a block, one token.
PackedBatch MixedBatch() {
  PackedBatch batch;
  const auto first = batch.Add(RandomIds(13, 1, 48));
  for (const std::size_t size : {5u, 0u, 9u, 150u}) batch.AddContinuation(first, RandomIds(size, 2, 48));
  batch.Add(RandomIds(270, 3, 48));
  const auto second = batch.Add(RandomIds(140, 4, 48));
  batch.AddContinuation(first, RandomIds(3, 5, 48));  // out of order: not beside its siblings
  for (const std::size_t size : {1u, 17u}) batch.AddContinuation(second, RandomIds(size, 6, 48));
  batch.Add(RandomIds(1, 7, 48));
  return batch;
}

class AttentionTest : public testing::TestWithParam<std::int64_t> {};

TEST_P(AttentionTest, CpuLoopsEqualLibtorchOperators) {
  const PackedBatch batch = MixedBatch();
  const AttentionShape shape{.num_heads = 6, .num_kv_heads = 2, .head_dim = 20, .scale = 0.2, .window = GetParam()};
  const RopeTable rope = MakeRopeTable({}, shape.head_dim, 512, at::kCPU);
  const auto plan = MakeAttentionPlan(batch, shape.window, at::kCPU);
  const at::Tensor input = Random({batch.num_tokens(), shape.qkv_width()}, 1);
  const at::Tensor weight = Random({batch.num_tokens(), shape.num_heads * shape.head_dim}, 2);
  std::vector<at::Tensor> outputs;
  std::vector<at::Tensor> gradients;
  for (const bool fused : {true, false}) {
    const at::Tensor qkv = input.clone().requires_grad_(true);
    const at::Tensor out = fused ? CpuAttention(qkv, rope, plan, shape) : GenericAttention(qkv, rope, *plan, shape);
    (out * weight).sum().backward();
    outputs.push_back(out.detach());
    gradients.push_back(qkv.grad());
  }
  const double forward = MaxDifference(outputs[0], outputs[1]);
  const double backward = MaxDifference(gradients[0], gradients[1]) / gradients[1].abs().max().item<double>();
  std::cout << "forward " << forward << ", backward " << backward << " of a tolerance of 1e-5\n";
  EXPECT_LT(forward, 1e-5);
  EXPECT_LT(backward, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Windows, AttentionTest, testing::Values(0, 1, 4, 16, 145, 1000));

class PackedBatchTest : public testing::TestWithParam<std::string> {};

TEST_P(PackedBatchTest, GroupGivesTheHiddenStatesAndGradientsOfSeparateSequences) {
  const SharedWeights weights = LoadGolden(GetParam()).weights;
  const Ids prompt = RandomIds(11, 1, 48);
  const std::vector<Ids> completions = {RandomIds(7, 2, 48), RandomIds(3, 3, 48), RandomIds(12, 4, 48)};

  const Parameters together = Trainable(weights->parameters());
  PackedBatch packed;
  const std::size_t head = packed.Add(prompt);
  for (const Ids& completion : completions) packed.AddContinuation(head, completion);
  const at::Tensor hidden = Forward(weights->config(), together, packed);
  const at::Tensor direction = Random({hidden.size(1)}, 3);
  (hidden.narrow(0, 11, hidden.size(0) - 11) * direction).sum().backward();

  const Parameters apart = Trainable(weights->parameters());
  PackedBatch separate;
  for (const Ids& completion : completions) {
    Ids whole = prompt;
    whole.insert(whole.end(), completion.begin(), completion.end());
    separate.Add(whole);
  }
  const at::Tensor expected_hidden = Forward(weights->config(), apart, separate);
  std::vector<at::Tensor> expected;
  for (const Segment& segment : separate.segments()) {
    expected.push_back(expected_hidden.narrow(0, segment.begin + 11, segment.size() - 11));
  }
  (at::cat(expected) * direction).sum().backward();

  EXPECT_LT(MaxDifference(hidden.narrow(0, 11, hidden.size(0) - 11), at::cat(expected)), 1e-4);
  for (const auto& [name, parameter] : together) {
    if (name == "lm_head.weight") continue;  // the hidden states do not depend on it
    const at::Tensor reference = apart.at(name).grad();
    const double error = (parameter.grad() - reference).norm().item<double>() / reference.norm().item<double>();
    EXPECT_LT(error, 1e-4) << name;
  }
}

TEST_P(PackedBatchTest, SameInputsGiveTheSameBits) {
  const SharedWeights weights = LoadGolden(GetParam()).weights;
  const PackedBatch batch = MixedBatch();
  std::vector<at::Tensor> hidden;
  std::vector<Parameters> parameters;
  for (int repeat = 0; repeat < 2; ++repeat) {
    parameters.push_back(Trainable(weights->parameters()));
    hidden.push_back(Forward(weights->config(), parameters.back(), batch));
    hidden.back().square().sum().backward();
  }
  EXPECT_TRUE(hidden[0].equal(hidden[1]));
  for (const auto& [name, parameter] : parameters[0]) {
    if (name == "lm_head.weight") continue;  // the hidden states do not depend on it
    EXPECT_TRUE(parameter.grad().equal(parameters[1].at(name).grad())) << name;
  }
}

// The path of other dtypes and devices, run here in bfloat16, follows the fp32 one as closely as its rounding allows.
TEST_P(PackedBatchTest, Bfloat16FollowsFloat32) {
  const SharedWeights weights = LoadGolden(GetParam()).weights;
  Parameters narrow;
  for (const auto& [name, tensor] : weights->parameters()) narrow.emplace(name, tensor.to(at::kBFloat16));
  const PackedBatch batch = MixedBatch();
  const at::Tensor exact = Forward(weights->config(), weights->parameters(), batch);
  const at::Tensor rounded = Forward(weights->config(), narrow, batch);
  EXPECT_EQ(rounded.scalar_type(), at::kBFloat16);
  const double error = (rounded.to(at::kFloat) - exact).norm().item<double>() / exact.norm().item<double>();
  std::cout << "relative error " << error << " of a tolerance of 0.1\n";
  EXPECT_LT(error, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Families, PackedBatchTest, testing::ValuesIn(GoldenNames()),
                         [](const auto& info) { return info.param; });

TEST(PackedBatchShapeTest, ContinuationsGoOnAfterTheirPrefix) {
  PackedBatch batch;
  batch.Add(Ids{1, 2});
  const auto prompt = batch.Add(Ids{3, 4, 5});
  batch.AddContinuation(prompt, Ids{6, 7});
  const auto last = batch.AddContinuation(prompt, Ids{8});
  EXPECT_EQ(batch.ids(), (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(batch.positions(), (std::vector<std::int64_t>{0, 1, 0, 1, 2, 3, 4, 3}));
  EXPECT_EQ(batch.segments()[last].begin, 7);
  EXPECT_EQ(batch.segments()[last].prefix_begin, 2);
  EXPECT_EQ(batch.segments()[last].prefix_end, 5);
}

TEST(PackedBatchShapeTest, ContinuationOfAContinuationIsABug) {
  PackedBatch batch;
  const auto prompt = batch.Add(Ids{1});
  const auto next = batch.AddContinuation(prompt, Ids{2});
  EXPECT_THROW(batch.AddContinuation(next, Ids{3}), base::Error);
}

}  // namespace
}  // namespace autodidact::model
