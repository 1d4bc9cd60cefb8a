// Against transformers: logits, greedy ids, log-probabilities and gradients of a GRPO-like loss.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <iostream>

#include "tests/paths.h"

#include "golden.h"

namespace autodidact::model {
namespace {

constexpr double kLogitTolerance = 1e-4;
constexpr double kGradientTolerance = 1e-4;

void PrintUse(const std::string& what, double used, double tolerance) {
  std::cout << what << ": " << used << " of a tolerance of " << tolerance << "\n";
}

at::Tensor Logits(const WeightSet& weights, const Ids& ids) {
  PackedBatch batch;
  batch.Add(ids);
  return at::mm(Forward(weights.config(), weights.parameters(), batch),
                LmHead(weights.config(), weights.parameters()).t());
}

Ids Greedy(const WeightSet& weights, Ids ids, std::size_t length) {
  const at::NoGradGuard no_gradients;
  while (ids.size() < length) ids.push_back(Logits(weights, ids)[-1].argmax().item<std::int32_t>());
  return ids;
}

class ParityTest : public testing::TestWithParam<std::string> {};

TEST_P(ParityTest, LogitsEqualTransformers) {
  const Golden golden = LoadGolden(GetParam());
  const double difference =
      MaxDifference(Logits(*golden.weights, golden.values["ids"].get<Ids>()), TensorOf(golden.values["logits"]));
  PrintUse("logits", difference, kLogitTolerance);
  EXPECT_LT(difference, kLogitTolerance);
}

TEST_P(ParityTest, GreedyIdsEqualTransformers) {
  const Golden golden = LoadGolden(GetParam());
  const auto expected = golden.values["greedy"].get<Ids>();
  EXPECT_EQ(Greedy(*golden.weights, golden.values["prompt"].get<Ids>(), expected.size()), expected);
}

// -Σ min(ratio·A, clip(ratio)·A) + beta·kl over all completion tokens, divided by their number.
at::Tensor GrpoLoss(const std::vector<at::Tensor>& logprobs, const json::Json& golden) {
  const auto epsilon = golden["epsilon"].get<double>();
  at::Tensor total = at::zeros({}, at::kFloat);
  std::int64_t num_tokens = 0;
  for (std::size_t c = 0; c < logprobs.size(); ++c) {
    const auto advantage = golden["advantages"][c].get<double>();
    const at::Tensor old = TensorOf(golden["old_logprobs"][c]).to(at::kFloat);
    const at::Tensor reference = TensorOf(golden["reference_logprobs"][c]).to(at::kFloat);
    const at::Tensor ratio = (logprobs[c] - old).exp();
    const at::Tensor surrogate = at::minimum(ratio * advantage, ratio.clamp(1 - epsilon, 1 + epsilon) * advantage);
    const at::Tensor kl = (reference - logprobs[c]).exp() - (reference - logprobs[c]) - 1;
    total = total - (surrogate - golden["beta"].get<double>() * kl).sum();
    num_tokens += logprobs[c].size(0);
  }
  return total / static_cast<double>(num_tokens);
}

// Sums of a gradient's entries with the signs that make_model_goldens.py defines.
std::vector<double> Projections(const at::Tensor& gradient, std::size_t count) {
  const at::Tensor flat = gradient.to(at::kDouble).flatten().contiguous();
  const double* values = flat.const_data_ptr<double>();
  std::vector<double> sums(count, 0.0);
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    for (std::size_t k = 0; k < count; ++k) {
      const auto mixed =
          static_cast<std::uint32_t>(static_cast<std::uint64_t>(i + 1) * 2654435761u + (k + 1) * 2246822519u);
      sums[k] += ((mixed >> 15) & 1u) ? -values[i] : values[i];
    }
  }
  return sums;
}

void ExpectGradients(const Parameters& parameters, const json::Json& expected) {
  double worst = 0;
  for (const auto& [name, parameter] : parameters) {
    ASSERT_TRUE(expected.contains(name)) << name;
    ASSERT_TRUE(parameter.grad().defined()) << name;
    const auto norm = expected[name]["norm"].get<double>();
    const auto sums = expected[name]["projections"].get<std::vector<double>>();
    const std::vector<double> found = Projections(parameter.grad(), sums.size());
    double error = std::abs(parameter.grad().to(at::kDouble).norm().item<double>() - norm) / norm;
    for (std::size_t k = 0; k < sums.size(); ++k) error = std::max(error, std::abs(found[k] - sums[k]) / norm);
    EXPECT_LT(error, kGradientTolerance) << name;
    worst = std::max(worst, error);
  }
  EXPECT_EQ(parameters.size(), expected.size());
  PrintUse("gradients", worst, kGradientTolerance);
}

void CheckLossAndGradients(const std::string& name, bool checkpoint) {
  const Golden golden = LoadGolden(name);
  const ModelConfig& config = golden.weights->config();
  const Parameters parameters = Trainable(golden.weights->parameters());
  const auto completions = golden.values["completions"].get<std::vector<Ids>>();
  const PackedGroup group = PackGroup(golden.values["prompt"].get<Ids>(), completions);
  const at::Tensor hidden = Forward(config, parameters, group.batch, checkpoint);
  std::vector<at::Tensor> logprobs;
  double worst = 0;
  for (std::size_t c = 0; c < completions.size(); ++c) {
    const TokenScores scores = ScoreTokens(hidden.index_select(0, group.rows[c]), LmHead(config, parameters),
                                           at::tensor(completions[c]), golden.values["temperature"].get<double>());
    worst = std::max(worst, MaxDifference(scores.logprobs_M, TensorOf(golden.values["logprobs"][c])));
    worst = std::max(worst, MaxDifference(scores.entropies_M, TensorOf(golden.values["entropies"][c])));
    logprobs.push_back(scores.logprobs_M);
  }
  PrintUse("log-probabilities and entropies", worst, kLogitTolerance);
  EXPECT_LT(worst, kLogitTolerance);
  const at::Tensor loss = GrpoLoss(logprobs, golden.values);
  EXPECT_NEAR(loss.item<double>(), golden.values["loss"].get<double>(), 1e-5);
  loss.backward();
  ExpectGradients(parameters, golden.values["gradients"]);
}

TEST_P(ParityTest, GrpoGradientsOfThePackedGroupEqualTransformers) {
  CheckLossAndGradients(GetParam(), false);
}

TEST_P(ParityTest, GrpoGradientsEqualTransformersWhenCheckpointed) {
  CheckLossAndGradients(GetParam(), true);
}

TEST_P(ParityTest, SavedFolderLoadsInTransformers) {
  const char* python = std::getenv("AUTODIDACT_PYTHON");
  if (!python) GTEST_SKIP() << "set AUTODIDACT_PYTHON to a Python with transformers to run this";
  const Golden golden = LoadGolden(GetParam());
  const auto folder = std::filesystem::path(testing::TempDir()) / ("saved_" + GetParam());
  // In the dtype of the golden file, so that nothing is rounded; in shards.
  const std::string dtype = golden.weights->config().dtype;
  const at::ScalarType type = dtype == "float32" ? at::kFloat : dtype == "bfloat16" ? at::kBFloat16 : at::kHalf;
  SaveModel(*golden.weights, type, folder, {}, 10'000);
  EXPECT_TRUE(std::filesystem::exists(folder / "model.safetensors.index.json"));
  const std::string command = std::string(python) + " " + tests::SourceFolder().string() +
                              "/tests/golden/check_saved_model.py " + folder.string() + " " +
                              (GoldenFolder(GetParam()) / "golden.json").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Families, ParityTest, testing::ValuesIn(GoldenNames()),
                         [](const auto& info) { return info.param; });

TEST(StoriesTest, GreedyIdsAreThoseOfTheReferenceProgram) {
  const auto folder = tests::DataFolder() / "stories260k";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no test data in " << folder << "; set AUTODIDACT_DATA";
  const SharedWeights weights = LoadModel(folder, at::kFloat, at::kCPU);
  EXPECT_EQ(ParameterCount(weights->config()), 260032);
  const json::Json expected = json::ParseFile(folder / "greedy_200.json");
  Ids ids = expected.at("prompt_ids").get<Ids>();
  const auto greedy = expected.at("greedy_ids").get<Ids>();
  const Ids found = Greedy(*weights, ids, ids.size() + greedy.size());
  ids.insert(ids.end(), greedy.begin(), greedy.end());
  EXPECT_EQ(found, ids);
}

}  // namespace
}  // namespace autodidact::model
