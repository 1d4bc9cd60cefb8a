// The sampler against a plain reference, and its counts against its probabilities.
#include "engine/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "engine/torch_sampling.h"

namespace autodidact::engine {
namespace {

struct Reference {
  std::vector<double> raw;   // softmax(logits / T)
  std::vector<double> kept;  // after penalty and filters; 0 where cut
};

std::vector<double> Softmax(const std::vector<double>& logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> result;
  double total = 0;
  for (const double logit : logits) total += std::exp(logit - largest);
  for (const double logit : logits) result.push_back(std::exp(logit - largest) / total);
  return result;
}

// Hugging Face's processors one after the other, each on whole vectors, with -inf for what is cut.
Reference Filter(const std::vector<float>& logits, const SamplingParams& params,
                 const std::vector<schema::TokenId>& seen) {
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> scores(logits.begin(), logits.end());
  Reference reference;
  {
    std::vector<double> raw = scores;
    for (double& score : raw) score /= params.temperature;
    reference.raw = Softmax(raw);
  }
  std::vector<bool> done(logits.size(), false);
  for (const schema::TokenId id : seen) {
    if (done[id]) continue;
    done[id] = true;
    scores[id] = scores[id] < 0 ? scores[id] * params.repetition_penalty : scores[id] / params.repetition_penalty;
  }
  for (double& score : scores) score /= params.temperature;
  if (params.top_k > 0) {
    std::vector<double> sorted = scores;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    const double threshold = sorted[std::min<std::size_t>(params.top_k, sorted.size()) - 1];
    for (double& score : scores) score = score < threshold ? -infinity : score;
  }
  if (params.top_p < 1) {
    const std::vector<double> probabilities = Softmax(scores);
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });
    double before = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0 && before >= params.top_p) scores[order[i]] = -infinity;
      before += probabilities[order[i]];
    }
  }
  if (params.min_p > 0) {
    const std::vector<double> probabilities = Softmax(scores);
    const double largest = *std::max_element(probabilities.begin(), probabilities.end());
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (probabilities[i] < params.min_p * largest) scores[i] = -infinity;
    }
  }
  reference.kept = Softmax(scores);
  return reference;
}

std::vector<float> SomeLogits(std::size_t size, double spread) {
  std::vector<float> logits;
  base::RandomWalk walk({11, base::RandomStream::kTest, size, 0});
  for (std::size_t i = 0; i < size; ++i) logits.push_back(static_cast<float>(spread * walk.Normal()));
  return logits;
}

DrawnToken DrawOnce(Sampler& sampler, const std::vector<float>& logits, const SamplingParams& params,
                    std::uint32_t position, const std::vector<schema::TokenId>& prompt = {}) {
  std::vector<float> row(static_cast<std::size_t>(Sampler::PaddedSize(static_cast<std::int64_t>(logits.size()))),
                         99.0f);
  std::copy(logits.begin(), logits.end(), row.begin());
  DrawSpec spec;
  spec.params = &params;
  spec.key = {5, base::RandomStream::kRollout, 3, 1};
  spec.position = position;
  spec.prompt = prompt;
  return sampler.Draw(row.data(), static_cast<std::int64_t>(logits.size()), spec);
}

// Only tokens of the reference's set are drawn, both log-probabilities are the reference's, and the counts fit: the
// chi-square statistic stays under its mean plus five standard deviations, with all tokens expected under ten times
// pooled.
void ExpectFits(const std::vector<float>& logits, const SamplingParams& params, int draws,
                const std::vector<schema::TokenId>& prompt = {}) {
  const Reference reference = Filter(logits, params, prompt);
  Sampler sampler;
  std::vector<int> counts(logits.size(), 0);
  double worst = 0;
  for (int i = 0; i < draws; ++i) {
    const DrawnToken token = DrawOnce(sampler, logits, params, static_cast<std::uint32_t>(i), prompt);
    ASSERT_GT(reference.kept[token.id], 0) << "token " << token.id << " was cut";
    ++counts[token.id];
    worst = std::max(worst, std::abs(token.logprob - std::log(reference.raw[token.id])));
    worst = std::max(worst, std::abs(token.sampled_logprob - std::log(reference.kept[token.id])));
  }
  EXPECT_LT(worst, 2e-5);
  double statistic = 0;
  double pooled_expected = 0;
  double pooled_count = 0;
  int cells = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double expected = reference.kept[i] * draws;
    if (expected < 10) {
      pooled_expected += expected;
      pooled_count += counts[i];
      continue;
    }
    statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
    ++cells;
  }
  if (pooled_expected >= 10) {
    statistic += (pooled_count - pooled_expected) * (pooled_count - pooled_expected) / pooled_expected;
    ++cells;
  }
  const double freedom = std::max(1, cells - 1);
  std::printf("chi-square %.1f with %.0f degrees of freedom, log-probabilities within %.1g\n", statistic, freedom,
              worst);
  EXPECT_LT(statistic, freedom + 5 * std::sqrt(2 * freedom));
}

TEST(SamplerTest, CountsFitTheDistribution) {
  ExpectFits(SomeLogits(13, 1.0), {}, 20000);
}

TEST(SamplerTest, CountsFitAVocabularyOfManyBlocks) {
  ExpectFits(SomeLogits(1301, 2.0), {}, 20000);
}

TEST(SamplerTest, TemperatureSharpensTheDistribution) {
  SamplingParams params;
  params.temperature = 0.5f;
  ExpectFits(SomeLogits(13, 1.0), params, 20000);
}

TEST(SamplerTest, TopKKeepsTheKLikeliest) {
  for (const std::int32_t k : {1, 5, 40, 999, 5000}) {
    SamplingParams params;
    params.top_k = k;
    ExpectFits(SomeLogits(1000, 1.0), params, 4000);
  }
}

TEST(SamplerTest, TopKKeepsTiesWithTheKth) {
  SamplingParams params;
  params.top_k = 2;
  ExpectFits({1, 3, 2, 2, 2, 0}, params, 2000);
}

TEST(SamplerTest, TopPKeepsTheSmallestSufficientSet) {
  for (const float p : {0.01f, 0.3f, 0.9f, 0.999f}) {
    SamplingParams params;
    params.top_p = p;
    ExpectFits(SomeLogits(700, 2.0), params, 4000);
  }
}

TEST(SamplerTest, TopPWorksOnAFlatDistribution) {
  SamplingParams params;
  params.top_p = 0.5f;
  ExpectFits(SomeLogits(3000, 0.01), params, 2000);
}

TEST(SamplerTest, MinPCutsWhatIsFarBelowTheLikeliest) {
  SamplingParams params;
  params.min_p = 0.1f;
  ExpectFits(SomeLogits(300, 2.0), params, 4000);
}

TEST(SamplerTest, FiltersApplyInHuggingFacesOrder) {
  SamplingParams params;
  params.repetition_penalty = 1.3f;
  params.temperature = 0.7f;
  params.top_k = 50;
  params.top_p = 0.9f;
  params.min_p = 0.02f;
  ExpectFits(SomeLogits(500, 2.0), params, 8000, {3, 7, 7, 120, 499});
}

TEST(SamplerTest, RepetitionPenaltyAloneLeavesTheUntruncatedLogprobsAlone) {
  SamplingParams params;
  params.repetition_penalty = 2.0f;
  ExpectFits(SomeLogits(40, 1.5), params, 8000, {0, 1, 2, 3, 4, 5});
}

TEST(SamplerTest, GreedyTakesTheLowestIdAmongEquals) {
  SamplingParams params;
  params.temperature = 0;
  params.top_k = 1;
  Sampler sampler;
  const std::vector<float> logits = {1, 4, 2, 4, 3};
  const DrawnToken token = DrawOnce(sampler, logits, params, 0);
  EXPECT_EQ(token.id, 1);
  const Reference reference = Filter(logits, {}, {});
  EXPECT_NEAR(token.logprob, std::log(reference.raw[1]), 1e-6);
  EXPECT_EQ(token.sampled_logprob, token.logprob);
}

TEST(SamplerTest, ImpossibleTokensAreNeverDrawn) {
  std::vector<float> logits(600, -200.0f);
  logits[300] = 0;
  logits[599] = 0;
  Sampler sampler;
  for (std::uint32_t i = 0; i < 500; ++i) {
    const schema::TokenId id = DrawOnce(sampler, logits, {}, i).id;
    EXPECT_TRUE(id == 300 || id == 599) << id;
  }
}

TEST(SamplerTest, NonFiniteLogitsAreAnError) {
  Sampler sampler;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_THROW(DrawOnce(sampler, {1, bad, 2}, {}, 0), base::Error);
  }
}

// Down to the least that float holds, by both samplers: one of the likeliest tokens, and finite log-probabilities.
TEST(SamplerTest, TinyTemperaturesDrawTheLikeliest) {
  const std::vector<float> logits = SomeLogits(300, 3.0);
  const auto likeliest = std::max_element(logits.begin(), logits.end()) - logits.begin();
  Sampler sampler;
  for (const float temperature : {1e-6f, 1e-10f, 1e-20f, 1e-30f, 1e-38f, 1e-40f, 1e-45f}) {
    for (SamplingParams params : {SamplingParams{}, SamplingParams{.top_k = 5}, SamplingParams{.top_p = 0.9f},
                                  SamplingParams{.min_p = 1.0f}, SamplingParams{.top_p = 1e-6f, .min_p = 0.5f}}) {
      params.temperature = temperature;
      const DrawnToken token = DrawOnce(sampler, logits, params, 0);
      DrawSpec spec{.params = &params,
                    .key = {5, base::RandomStream::kRollout, 3, 1},
                    .position = 0,
                    .prompt = {},
                    .generated = {}};
      const DrawSpec* const draws[] = {&spec};
      const DrawnToken other = DrawRows(at::tensor(logits).unsqueeze(0), draws).front();
      for (const DrawnToken& drawn : {token, other}) {
        EXPECT_EQ(drawn.id, likeliest) << temperature;
        EXPECT_NEAR(drawn.logprob, 0, 1e-6) << temperature;
        EXPECT_NEAR(drawn.sampled_logprob, 0, 1e-6) << temperature;
      }
    }
  }
}

// The penalty makes another token the likeliest: its untruncated log-probability is far down, yet a number.
TEST(SamplerTest, TinyTemperaturesKeepUnlikelyLogProbabilitiesFinite) {
  const std::vector<float> logits = {5.0f, 4.0f, -3.0f};
  Sampler sampler;
  SamplingParams params{.temperature = 1e-45f, .repetition_penalty = 4.0f};
  const std::vector<schema::TokenId> prompt = {0};
  const DrawnToken token = DrawOnce(sampler, logits, params, 0, prompt);
  DrawSpec spec{.params = &params,
                .key = {5, base::RandomStream::kRollout, 3, 1},
                .position = 0,
                .prompt = prompt,
                .generated = {}};
  const DrawSpec* const draws[] = {&spec};
  const DrawnToken other = DrawRows(at::tensor(logits).unsqueeze(0), draws).front();
  for (const DrawnToken& drawn : {token, other}) {
    EXPECT_EQ(drawn.id, 1);
    EXPECT_TRUE(std::isfinite(drawn.logprob));
    EXPECT_LT(drawn.logprob, -1e6f);
    EXPECT_TRUE(std::isfinite(drawn.sampled_logprob));
  }
}

}  // namespace
}  // namespace autodidact::engine
