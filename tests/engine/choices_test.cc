// Choices against the model's full recomputation, one sequence at a time.
#include "engine/choices.h"

#include "test_models.h"

namespace autodidact::engine {
namespace {

using namespace testing;
using Ids = std::vector<schema::TokenId>;

double FromNothing(const model::WeightSet& weights, Ids ids, const Ids& choice) {
  double sum = 0;
  for (const schema::TokenId id : choice) {
    sum += at::log_softmax(LastLogits(weights, ids).to(at::kDouble), 0)[id].item<double>();
    ids.push_back(id);
  }
  return sum;
}

class ChoicesTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ChoicesTest, ScoresEqualFullRecomputation) {
  const model::SharedWeights weights = RandomWeights(SmallConfig(GetParam()));
  std::vector<ChoiceRequest> requests(3);
  for (std::size_t r = 0; r < requests.size(); ++r) {
    requests[r].prefix = SomePrompt(5 + 14 * r, r);
    // One question asks right after the prefix; choices of several tokens share their beginning, or do not.
    for (const std::size_t length : {std::size_t{0}, std::size_t{3}, std::size_t{20}}) {
      requests[r].questions.push_back({SomePrompt(length, 7 + r), {{4}, {9}, {4, 9, 11}, {4, 9, 12}, {5, 9}}});
    }
  }
  requests[2].questions.resize(1);
  const auto results = ScoreChoices(*weights, requests);
  ASSERT_EQ(results.size(), 3u);
  double worst = 0;
  for (std::size_t r = 0; r < requests.size(); ++r) {
    ASSERT_TRUE(results[r].ok()) << results[r].failure().reason;
    ASSERT_EQ(results[r]->size(), requests[r].questions.size());
    for (std::size_t q = 0; q < requests[r].questions.size(); ++q) {
      const ChoiceRequest::Question& question = requests[r].questions[q];
      Ids ids = requests[r].prefix;
      ids.insert(ids.end(), question.ids.begin(), question.ids.end());
      ASSERT_EQ((*results[r])[q].size(), question.choices.size());
      for (std::size_t c = 0; c < question.choices.size(); ++c) {
        worst = std::max(worst, std::abs((*results[r])[q][c] - FromNothing(*weights, ids, question.choices[c])));
      }
    }
  }
  PrintTolerance("sums of log-probabilities", worst, 1e-4);
  EXPECT_LT(worst, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Families, ChoicesTest, ::testing::Values("llama", "qwen2", "qwen3", "gemma3_text"),
                         [](const auto& info) { return FamilyName(info.param); });

TEST(ScoreChoicesTest, ABadRequestFailsAloneWithItsReason) {
  const model::SharedWeights weights = RandomWeights(SmallConfig("llama"));
  const ChoiceRequest good{SomePrompt(5), {{SomePrompt(2), {{3}, {4}}}}};
  std::vector<ChoiceRequest> requests(6, good);
  requests[0].prefix.clear();
  requests[1].questions[0].choices[1].clear();
  requests[2].questions[0].ids[1] = kVocab;
  requests[3].questions[0].choices[0] = {-1};
  requests[4].prefix = SomePrompt(510);  // 510 + 2 + 1 of 512
  const auto results = ScoreChoices(*weights, requests);
  const char* reasons[] = {"prefix", "choice has no tokens", "token id 80", "token id -1", "513 tokens"};
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_FALSE(results[i].ok()) << i;
    EXPECT_EQ(results[i].failure().kind, base::ErrorKind::kBadInput);
    EXPECT_NE(results[i].failure().reason.find(reasons[i]), std::string::npos) << results[i].failure().reason;
  }
  ASSERT_TRUE(results[5].ok());
  Ids ids = good.prefix;
  ids.insert(ids.end(), good.questions[0].ids.begin(), good.questions[0].ids.end());
  EXPECT_NEAR((*results[5])[0][1], FromNothing(*weights, ids, {4}), 1e-4);
}

TEST(ScoreChoicesTest, NothingIsAskedOfNothing) {
  const model::SharedWeights weights = RandomWeights(SmallConfig("llama"));
  EXPECT_TRUE(ScoreChoices(*weights, {}).empty());
  const auto results = ScoreChoices(*weights, {{SomePrompt(3), {}}});
  ASSERT_TRUE(results[0].ok());
  EXPECT_TRUE(results[0]->empty());
}

}  // namespace
}  // namespace autodidact::engine
