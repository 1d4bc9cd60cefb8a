#include <gtest/gtest.h>

#include "golden.h"

namespace autodidact::model {
namespace {

struct Case {
  std::int64_t rows;
  std::int64_t vocabulary;
};

class ScoreTokensTest : public testing::TestWithParam<Case> {};

// 200 rows of 60,000 make several chunks, the last one shorter.
TEST_P(ScoreTokensTest, EqualsLogSoftmaxAndItsGradients) {
  const auto [rows, vocabulary] = GetParam();
  const double temperature = 0.6;
  const at::Tensor targets = at::arange(rows, at::kLong) * 7919 % vocabulary;
  const at::Tensor direction = Random({rows}, 3);
  const at::Tensor hidden = Random({rows, 24}, 1).requires_grad_(true);
  const at::Tensor head = Random({vocabulary, 24}, 2).requires_grad_(true);
  const TokenScores scores = ScoreTokens(hidden, head, targets, temperature);
  (scores.logprobs_M * direction).sum().backward();
  EXPECT_FALSE(scores.entropies_M.requires_grad());

  const at::Tensor hidden_oracle = hidden.detach().clone().requires_grad_(true);
  const at::Tensor head_oracle = head.detach().clone().requires_grad_(true);
  const at::Tensor table = at::log_softmax(at::mm(hidden_oracle, head_oracle.t()) / temperature, 1);
  const at::Tensor logprobs = table.gather(1, targets.unsqueeze(1)).squeeze(1);
  (logprobs * direction).sum().backward();
  const at::Tensor entropies = -(table.exp() * table).sum(1);

  EXPECT_LT(MaxDifference(scores.logprobs_M, logprobs), 5e-5);
  EXPECT_LT(MaxDifference(scores.entropies_M, entropies), 5e-5);
  EXPECT_LT(MaxDifference(hidden.grad(), hidden_oracle.grad()), 5e-5);
  EXPECT_LT(MaxDifference(head.grad(), head_oracle.grad()), 5e-5);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ScoreTokensTest, testing::Values(Case{1, 5}, Case{37, 80}, Case{200, 60'000}));

TEST(ScoreTokensOfNoneTest, NoRowsGiveNoScores) {
  const TokenScores scores = ScoreTokens(at::empty({0, 8}), at::ones({5, 8}), at::empty({0}, at::kLong), 1.0);
  EXPECT_EQ(scores.logprobs_M.size(0), 0);
}

}  // namespace
}  // namespace autodidact::model
