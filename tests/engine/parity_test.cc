// The engine against the model room's full recomputation, for every family and both decoders.
#include "test_models.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "engine/score.h"
#include "model/folder.h"
#include "tests/paths.h"

namespace autodidact::engine {
namespace {

using namespace testing;

struct ParityCase {
  std::string family;
  bool generic;
};

class ParityTest : public ::testing::TestWithParam<ParityCase> {
 protected:
  EngineConfig Config() const { return {.cache_tokens = 8192, .max_rows = 64, .generic_decoder = GetParam().generic}; }
};

// Up to the first place where the two best logits are closer than 1e-4: there rounding decides.
TEST_P(ParityTest, GreedyIdsEqualFullRecomputation) {
  const model::SharedWeights weights = RandomWeights(SmallConfig(GetParam().family));
  Engine engine(Config(), weights, SymbolTokenizer());
  const schema::RolloutGroup group = Generate(engine, Request(3, 21, 2, 60, 0.0f));
  std::vector<schema::TokenId> ids = group.prompt_ids;
  int compared = 0;
  for (const schema::TokenId id : group.rollouts[0].ids) {
    const auto [values, best] = LastLogits(*weights, ids).topk(2);
    if ((values[0] - values[1]).item<float>() < 1e-4f) break;
    ASSERT_EQ(id, best[0].item<std::int64_t>()) << "at token " << compared;
    ids.push_back(id);
    ++compared;
  }
  EXPECT_GE(compared, 40);
  EXPECT_EQ(group.rollouts[0].ids, group.rollouts[1].ids);
}

TEST_P(ParityTest, ScoresOfManyAreThoseOfEach) {
  const model::SharedWeights weights = RandomWeights(SmallConfig(GetParam().family));
  std::vector<ScoreRequest> requests;
  for (const std::size_t length : {1u, 33u, 7u}) {
    const auto ids = Request(length, length + 5, 1, 1, 1.0f).prompt_ids;
    requests.push_back({{ids.begin(), ids.begin() + 3}, {ids.begin() + 3, ids.end()}});
  }
  const auto together = ScoreAll(*weights, requests, 0.7);
  ASSERT_EQ(together.size(), requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto alone = ScoreContinuations(*weights, requests[i].prefix, {requests[i].continuation}, 0.7);
    ASSERT_EQ(together[i].size(), requests[i].continuation.size());
    for (std::size_t t = 0; t < together[i].size(); ++t) EXPECT_NEAR(together[i][t], alone[0][t], 1e-5);
  }
}

TEST_P(ParityTest, LogprobsEqualScoreContinuations) {
  const model::SharedWeights weights = RandomWeights(SmallConfig(GetParam().family));
  Engine engine(Config(), weights, SymbolTokenizer());
  double worst = 0;
  for (const std::size_t length : {1u, 16u, 23u, 90u}) {
    const schema::RolloutGroup group = Generate(engine, Request(length, length, 5, 40, 0.8f));
    std::vector<std::vector<schema::TokenId>> continuations;
    for (const schema::Rollout& rollout : group.rollouts) continuations.push_back(rollout.ids);
    const auto scores = ScoreContinuations(*weights, group.prompt_ids, continuations, 0.8);
    for (std::size_t r = 0; r < scores.size(); ++r) {
      ASSERT_EQ(scores[r].size(), group.rollouts[r].logprobs.size());
      for (std::size_t i = 0; i < scores[r].size(); ++i) {
        worst = std::max<double>(worst, std::abs(scores[r][i] - group.rollouts[r].logprobs[i]));
        EXPECT_EQ(group.rollouts[r].logprobs[i], group.rollouts[r].sampled_logprobs[i]);
      }
    }
  }
  PrintTolerance("log-probabilities", worst, 1e-4);
  EXPECT_LT(worst, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Families, ParityTest,
                         ::testing::Values(ParityCase{"llama", false}, ParityCase{"qwen2", false},
                                           ParityCase{"qwen3", false}, ParityCase{"gemma3_text", false},
                                           ParityCase{"llama", true}, ParityCase{"qwen2", true},
                                           ParityCase{"qwen3", true}, ParityCase{"gemma3_text", true}),
                         [](const auto& info) {
                           return FamilyName(info.param.family) + (info.param.generic ? "Generic" : "Cpu");
                         });

// A prompt longer than one prefill call's rows and longer than one chunk of keys.
TEST(LongPromptTest, LogprobsEqualScoreContinuations) {
  model::ModelConfig config = SmallConfig("gemma3_text");
  config.max_position_embeddings = 2048;
  config.sliding_window = 600;
  const model::SharedWeights weights = RandomWeights(config);
  Engine engine({.cache_tokens = 4096}, weights, SymbolTokenizer());
  const schema::RolloutGroup group = Generate(engine, Request(1, 1201, 3, 20));
  std::vector<std::vector<schema::TokenId>> continuations;
  for (const schema::Rollout& rollout : group.rollouts) continuations.push_back(rollout.ids);
  const auto scores = ScoreContinuations(*weights, group.prompt_ids, continuations);
  double worst = 0;
  for (std::size_t r = 0; r < scores.size(); ++r) {
    for (std::size_t i = 0; i < scores[r].size(); ++i) {
      worst = std::max<double>(worst, std::abs(scores[r][i] - group.rollouts[r].logprobs[i]));
    }
  }
  PrintTolerance("log-probabilities after 1201 tokens", worst, 1e-4);
  EXPECT_LT(worst, 1e-4);
}

std::vector<schema::TokenId> NumbersUnder(const std::string& json, const std::string& key) {
  std::vector<schema::TokenId> numbers;
  const std::size_t begin = json.find('[', json.find(key)) + 1;
  std::istringstream list(json.substr(begin, json.find(']', begin) - begin));
  for (std::string number; std::getline(list, number, ',');) numbers.push_back(std::stoi(number));
  return numbers;
}

class StoriesTest : public ::testing::TestWithParam<bool> {};

TEST_P(StoriesTest, The200GreedyIdsAreThePublishedOnes) {
  const std::filesystem::path folder = tests::DataFolder() / "stories260k";
  if (!std::filesystem::exists(folder / "config.json")) GTEST_SKIP() << folder << " is not there; set AUTODIDACT_DATA";
  std::ifstream file(folder / "greedy_200.json");
  const std::string json{std::istreambuf_iterator<char>(file), {}};

  const model::SharedWeights weights = model::LoadModel(folder, at::kFloat, at::kCPU);
  // The texts do not matter here; a tokenizer of the same size does.
  std::vector<std::string> symbols;
  for (int i = 3; i < 512; ++i) symbols.push_back("s" + std::to_string(i));
  const std::filesystem::path tokenizer_file =
      std::filesystem::path(::testing::TempDir()) / ("engine_stories_" + std::to_string(::getpid()) + ".json");
  text::WriteSymbolTokenizer({{"<pad>", "<bos>", "<eos>"}, "<bos>"}, symbols, tokenizer_file);
  const text::Tokenizer tokenizer(tokenizer_file);

  Engine engine({.cache_tokens = 2048, .generic_decoder = GetParam()}, weights, tokenizer);
  GroupRequest request;
  request.prompt_ids = NumbersUnder(json, "prompt_ids");
  request.num_rollouts = 3;
  request.sampling.temperature = 0;
  request.sampling.max_new_tokens = 200;
  const schema::RolloutGroup group = Generate(engine, request);
  const std::vector<schema::TokenId> expected = NumbersUnder(json, "greedy_ids");
  ASSERT_EQ(expected.size(), 200u);
  for (const schema::Rollout& rollout : group.rollouts) EXPECT_EQ(rollout.ids, expected);
}

INSTANTIATE_TEST_SUITE_P(Decoders, StoriesTest, ::testing::Bool(),
                         [](const auto& info) { return std::string(info.param ? "Generic" : "Cpu"); });

}  // namespace
}  // namespace autodidact::engine
