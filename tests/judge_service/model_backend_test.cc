#include "judge_service/model_backend.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "judge_service/model_judge.h"

namespace autodidact::judge_service {
namespace {

using Ids = std::vector<schema::TokenId>;

// A random model over whole symbols: its verdicts mean nothing, but they must be its own probabilities.
class ModelBackendTest : public testing::Test {
 protected:
  ModelBackendTest() {
    const auto file = std::filesystem::path(testing::TempDir()) / ("judge_" + std::to_string(getpid()) + ".json");
    text::WriteSymbolTokenizer({.special_tokens = {"<pad>", "<bos>", "<eos>"}},
                               {"a", "b", "c", "?", "yes", "no", "<", "eos>"}, file);
    tokenizer_ = std::make_unique<text::Tokenizer>(file);
    std::filesystem::remove(file);
    model::ModelConfig config;
    config.vocab_size = tokenizer_->vocab_size();
    config.hidden_size = 16;
    config.intermediate_size = 24;
    config.num_layers = 2;
    config.num_heads = config.num_kv_heads = 2;
    config.head_dim = 8;
    config.max_position_embeddings = 16;
    config.attention_scale = 0.35;
    config.is_sliding = {false, false};
    config.bos_token_id = 1;
    config.eos_token_ids = {2};
    weights_ = std::make_shared<const model::WeightSet>(config, model::InitialParameters(config, 3, 1.0), 0);
    config_.instruction = "{response} ? {criterion}";
  }

  std::vector<ItemVerdict> Judge(const std::string& response, const std::vector<std::string>& items) {
    ModelBackend backend(config_, weights_, *tokenizer_);
    backend.Start({.id = 9, .response = response, .items = items});
    const auto results = backend.Step(base::Deadline::In(std::chrono::seconds(1)));
    EXPECT_EQ(results.size(), 1u);
    EXPECT_EQ(results.at(0).id, 9u);
    EXPECT_TRUE(backend.idle());
    return results.at(0).verdicts;
  }

  // P(yes) / (P(yes) + P(no)) after a text, by two scores of their own.
  double Share(const std::string& prompt) const {
    const auto score = [&](const char* choice) {
      const Ids prefix = tokenizer_->Encode(prompt);
      return engine::ScoreContinuations(*weights_, prefix, {tokenizer_->Encode(choice, false)}).at(0).at(0);
    };
    const double yes = std::exp(score("yes"));
    return yes / (yes + std::exp(score("no")));
  }

  static double SaidShare(const ItemVerdict& verdict) {
    return std::stod(verdict.reason.substr(verdict.reason.find('=') + 1));
  }

  std::unique_ptr<text::Tokenizer> tokenizer_;
  model::SharedWeights weights_;
  ModelBackendConfig config_;
};

TEST_F(ModelBackendTest, AVerdictIsTheModelsOwnChoice) {
  const std::vector<std::string> items = {"a", "b a", "b b b", "c", "c a"};
  std::vector<double> shares;
  for (const std::string& item : items) shares.push_back(Share("a b ? " + item));
  // Between two of the shares: whatever the random model prefers, there are both kinds.
  std::vector<double> sorted = shares;
  std::sort(sorted.begin(), sorted.end());
  ASSERT_GT(sorted[2] - sorted[1], 1e-3) << "the test needs clear cases";
  config_.threshold = (sorted[1] + sorted[2]) / 2;
  const auto verdicts = Judge("a b", items);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const bool met = shares[i] > config_.threshold;
    EXPECT_EQ(verdicts[i].kind, met ? schema::VerdictKind::kMet : schema::VerdictKind::kNotMet) << items[i];
    EXPECT_NEAR(SaidShare(verdicts[i]), shares[i], 1e-4);
  }
}

TEST_F(ModelBackendTest, TheVerdictDoesNotDependOnWhatElseIsAsked) {
  const auto together = Judge("a b", {"a", "b a", "c"});
  EXPECT_EQ(Judge("a b", {"b a"}).at(0).reason, together.at(1).reason);
}

TEST_F(ModelBackendTest, ManyResponsesAreJudgedInOneComputation) {
  ModelBackend backend(config_, weights_, *tokenizer_);
  const std::vector<std::string> responses = {"a b", "c", "zebra", "b b a"};
  for (std::size_t i = 0; i < responses.size(); ++i)
    backend.Start({.id = i, .response = responses[i], .items = {"a", "c b"}});
  const auto results = backend.Step(base::Deadline::In(std::chrono::seconds(1)));
  ASSERT_EQ(results.size(), responses.size());
  for (std::size_t i = 0; i < responses.size(); ++i) {
    const auto alone = Judge(responses[i], {"a", "c b"});
    EXPECT_EQ(results[i].id, i);
    for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ(results[i].verdicts[k].reason, alone[k].reason) << responses[i];
  }
}

TEST_F(ModelBackendTest, TheCriterionMayComeFirst) {
  config_.instruction = "{criterion} ? {response}";
  const auto verdicts = Judge("a b", {"a", "b"});
  EXPECT_NEAR(SaidShare(verdicts[1]), Share("b ? a b"), 1e-4);
}

TEST_F(ModelBackendTest, AHigherThresholdTurnsAYesIntoANo) {
  const std::vector<std::string> items = {"a", "b a", "b b b", "c", "c a"};
  config_.threshold = 0.999999;
  for (const ItemVerdict& verdict : Judge("a b", items)) EXPECT_EQ(verdict.kind, schema::VerdictKind::kNotMet);
}

TEST_F(ModelBackendTest, WhatDoesNotFitOrCannotBeSaidIsInvalidAndNotANo) {
  const auto verdicts = Judge("a a a a a a a a", {"b", "b b b b b b b b b", "zebra"});
  EXPECT_NE(verdicts[0].kind, schema::VerdictKind::kInvalid);
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(verdicts[i].kind, schema::VerdictKind::kInvalid);
    EXPECT_FALSE(verdicts[i].may_retry);
  }
  EXPECT_NE(verdicts[1].reason.find("does not fit"), std::string::npos) << verdicts[1].reason;
  EXPECT_NE(verdicts[2].reason.find("zebra"), std::string::npos) << verdicts[2].reason;
}

// This vocabulary has no other way to write it.
TEST_F(ModelBackendTest, AResponseCannotSpellASpecialToken) {
  const ItemVerdict verdict = Judge("a <eos> b", {"c"}).at(0);
  EXPECT_EQ(verdict.kind, schema::VerdictKind::kInvalid);
  EXPECT_NE(verdict.reason.find("'<eos>' only by the control token"), std::string::npos) << verdict.reason;
}

TEST_F(ModelBackendTest, RefusesAConfigThatCannotJudge) {
  ModelBackendConfig config = config_;
  config.instruction = "{response}";
  EXPECT_THROW(ModelBackend(config, weights_, *tokenizer_), base::Error);
  config = config_;
  config.no = "yes";
  EXPECT_THROW(ModelBackend(config, weights_, *tokenizer_), base::Error);
  config.no = "";
  EXPECT_THROW(ModelBackend(config, weights_, *tokenizer_), base::Error);
}

}  // namespace
}  // namespace autodidact::judge_service
