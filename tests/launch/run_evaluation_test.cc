#include "launch/wiring/run_evaluation.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "launch/wiring/scoring.h"
#include "tests/tiny_model.h"

namespace autodidact::launch {
namespace {

class RunEvaluationTest : public testing::Test {
 protected:
  RunEvaluationTest() {
    const auto folder = std::filesystem::path(testing::TempDir()) / ("run_evaluation_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    auto tiny = tests::MakeTinyModel({"a", "b"}, folder / "tokenizer.json");
    std::filesystem::remove_all(folder);
    model_ = {std::move(tiny.weights), std::move(tiny.tokenizer)};
    config_.prompt.chat.format = "plain";
    config_.answer.extractor = answers::Extractor::kWholeText;
    config_.answer.comparator = Comparison::kExact;
    config_.rollout.max_new_tokens = 1;
    rows_.emplace_back().prompt = {.id = "q", .text = "a b", .messages = {}};
    rows_[0].answers = {"a"};
  }

  base::Metrics Evaluated() {
    const auto evaluate = EvaluationOfRun(config_, rows_, model_, stop_.get_token());
    return evaluate ? evaluate(model_.weights) : base::Metrics{};
  }

  LoadedModel model_;
  RunConfig config_;
  std::vector<data::Row> rows_;
  std::stop_source stop_;
};

// One question: the share of its rollouts that are right is a multiple of one over their number.
TEST_F(RunEvaluationTest, GroupsAreAsLargeAsThoseOfTheConfig) {
  for (const int size : {3, 7}) {
    config_.train.num_generations = size;
    bool between = false;
    for (int seed = 0; seed < 20; ++seed) {
      config_.seed = seed;
      const double right = Evaluated().at("eval/single") * size;
      EXPECT_NEAR(right, std::round(right), 1e-9) << "of " << size << ", seed " << seed;
      between = between || (right > 0.5 && right < size - 0.5);
    }
    EXPECT_TRUE(between) << "no group of " << size << " tells its size";
  }
}

TEST_F(RunEvaluationTest, LabelsGiveSingleGreedyAndMajority) {
  std::vector<std::string> names;
  for (const auto& [name, value] : Evaluated()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"eval/greedy", "eval/majority", "eval/single"}));
}

TEST_F(RunEvaluationTest, WithoutRowsThereIsNone) {
  rows_.clear();
  EXPECT_FALSE(EvaluationOfRun(config_, rows_, model_, {}));
}

TEST_F(RunEvaluationTest, ARowWithoutALabelIsFoundBeforeTheRun) {
  rows_[0].answers.clear();
  EXPECT_THROW(EvaluationOfRun(config_, rows_, model_, {}), base::Error);
}

TEST_F(RunEvaluationTest, AStopBreaksItOff) {
  stop_.request_stop();
  try {
    Evaluated();
    FAIL() << "it went on";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kRetryLater);
  }
}

TEST_F(RunEvaluationTest, WhatIsGeneratedFollowsTheConfig) {
  config_.seed = 8;
  config_.rollout.max_new_tokens = 5;
  const auto generation = GenerationOf(config_, LoadChatTemplate(config_.prompt.chat, config_.model));
  EXPECT_EQ(generation.seed, 8u);
  EXPECT_EQ(generation.sampling.max_new_tokens, 5);
  EXPECT_EQ(generation.truth(rows_[0]), schema::Supervision(schema::Labels{{"a"}}));
  EXPECT_TRUE(generation.comparison.by_program);
  EXPECT_FALSE(generation.comparison.same);
  config_.answer.verifier.command = {"true"};
  EXPECT_TRUE(GenerationOf(config_, LoadChatTemplate(config_.prompt.chat, config_.model)).comparison.same);
}

}  // namespace
}  // namespace autodidact::launch
