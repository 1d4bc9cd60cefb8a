// Both samplers against transformers' logits processors (tests/golden/make_sampling_goldens.py).
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <vector>

#include "base/error.h"
#include "engine/sampling.h"
#include "engine/torch_sampling.h"
#include "json/json.h"
#include "tests/paths.h"

namespace autodidact::engine {
namespace {

constexpr std::uint32_t kDraws = 400;

struct Case {
  SamplingParams params;
  std::vector<float> logits;
  std::vector<schema::TokenId> seen;
  std::map<schema::TokenId, std::pair<double, double>> kept;  // id -> log-probability drawn from, and untruncated

  DrawSpec Spec(std::uint32_t position) const {
    DrawSpec spec;
    spec.params = &params;
    spec.key = {5, base::RandomStream::kTest, 3, 1};
    spec.position = position;
    // Both parts count as seen.
    spec.prompt = std::span(seen).first(7);
    spec.generated = std::span(seen).subspan(7);
    return spec;
  }
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const json::Json& row : json::ParseFile(tests::SourceFolder() / "tests/golden/sampling.json")) {
    Case& made = cases.emplace_back();
    const json::Json& setting = row.at("setting");
    made.params.temperature = setting.value("temperature", 1.0f);
    made.params.top_k = setting.value("top_k", 0);
    made.params.top_p = setting.value("top_p", 1.0f);
    made.params.min_p = setting.value("min_p", 0.0f);
    made.params.repetition_penalty = setting.value("repetition_penalty", 1.0f);
    made.logits = row.at("logits").get<std::vector<float>>();
    made.seen = row.at("seen").get<std::vector<schema::TokenId>>();
    for (std::size_t i = 0; i < row.at("ids").size(); ++i) {
      made.kept[row.at("ids")[i].get<schema::TokenId>()] = {row.at("logprobs")[i].get<double>(),
                                                            row.at("untruncated")[i].get<double>()};
    }
  }
  return cases;
}

// Only kept tokens are drawn, with both log-probabilities, and every likely one is.
void ExpectGolden(const Case& expected, const std::vector<DrawnToken>& drawn) {
  std::map<schema::TokenId, int> counts;
  double worst = 0;
  for (const DrawnToken& token : drawn) {
    ASSERT_TRUE(expected.kept.contains(token.id)) << "token " << token.id << " was cut";
    const auto [logprob, untruncated] = expected.kept.at(token.id);
    worst = std::max({worst, std::abs(token.sampled_logprob - logprob), std::abs(token.logprob - untruncated)});
    ++counts[token.id];
  }
  std::printf("%zu tokens kept, log-probabilities: %.2g of a tolerance of 1e-05\n", expected.kept.size(), worst);
  EXPECT_LT(worst, 1e-5);
  for (const auto& [id, logprobs] : expected.kept) {
    // Not once in 400 draws: less than one in a million for what is drawn one time in 25.
    if (std::exp(logprobs.first) > 0.04) {
      EXPECT_GT(counts[id], 0) << "token " << id;
    }
  }
}

TEST(SamplingGoldenTest, TheCpuSamplerKeepsWhatTransformersKeeps) {
  for (const Case& expected : Cases()) {
    Sampler sampler;
    std::vector<DrawnToken> drawn;
    for (std::uint32_t position = 0; position < kDraws; ++position) {
      std::vector<float> row = expected.logits;
      row.resize(static_cast<std::size_t>(Sampler::PaddedSize(std::ssize(row))));
      drawn.push_back(sampler.Draw(row.data(), std::ssize(expected.logits), expected.Spec(position)));
    }
    ExpectGolden(expected, drawn);
  }
}

TEST(SamplingGoldenTest, TheBatchedSamplerKeepsWhatTransformersKeeps) {
  for (const Case& expected : Cases()) {
    std::vector<DrawSpec> specs;
    for (std::uint32_t position = 0; position < kDraws; ++position) specs.push_back(expected.Spec(position));
    std::vector<const DrawSpec*> draws;
    for (const DrawSpec& spec : specs) draws.push_back(&spec);
    ExpectGolden(expected, DrawRows(at::tensor(expected.logits).expand({kDraws, std::ssize(expected.logits)}), draws));
  }
}

// Greedy rows and drawn ones, of different settings, in one batch: the same tokens as one by one.
TEST(SamplingGoldenTest, RowsOfDifferentSettingsDoNotMix) {
  const std::vector<Case> cases = Cases();
  SamplingParams greedy;
  greedy.temperature = 0;
  std::vector<DrawSpec> specs;
  std::vector<at::Tensor> rows;
  for (const Case& each : cases) {
    specs.push_back(each.Spec(9));
    rows.push_back(at::tensor(each.logits));
    specs.push_back(each.Spec(9));
    specs.back().params = &greedy;
    rows.push_back(rows.back());
  }
  std::vector<const DrawSpec*> draws;
  for (const DrawSpec& spec : specs) draws.push_back(&spec);
  const std::vector<DrawnToken> together = DrawRows(at::stack(rows), draws);
  ASSERT_EQ(together.size(), specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    Sampler sampler;
    std::vector<float> row = cases[i / 2].logits;
    row.resize(static_cast<std::size_t>(Sampler::PaddedSize(std::ssize(row))));
    const DrawnToken alone = sampler.Draw(row.data(), std::ssize(cases[i / 2].logits), specs[i]);
    EXPECT_EQ(together[i].id, alone.id) << i;
    EXPECT_NEAR(together[i].logprob, alone.logprob, 1e-5) << i;
  }
}

TEST(SamplingGoldenTest, NonFiniteLogitsAreAnErrorInABatchToo) {
  for (const float temperature : {0.0f, 1.0f}) {
    SamplingParams params;
    params.temperature = temperature;
    DrawSpec spec;
    spec.params = &params;
    const DrawSpec* const draws[] = {&spec};
    EXPECT_THROW(DrawRows(at::tensor({1.0f, std::nanf(""), 2.0f}).unsqueeze(0), draws), base::Error) << temperature;
  }
}

}  // namespace
}  // namespace autodidact::engine
