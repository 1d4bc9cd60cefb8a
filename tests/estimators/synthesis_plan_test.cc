#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "estimators/estimator.h"
#include "text/tokenizer.h"

namespace autodidact::estimators {
namespace {

using Candidates = std::vector<std::string>;
using Generations = std::vector<base::Outcome<std::string>>;

class SynthesisPlanTest : public testing::Test {
 protected:
  SynthesisPlanTest() {
    const auto file = std::filesystem::path(testing::TempDir()) / ("plan_" + std::to_string(getpid()) + ".json");
    text::TokenizerSpec spec;
    spec.special_tokens = {"<pad>", "<bos>", "<eos>", "<cand>", "<merge>"};
    text::WriteSymbolTokenizer(spec, {"a", "b", "c", "d", "x", "y", "z"}, file);
    tokenizer_ = std::make_unique<text::Tokenizer>(file);
    std::filesystem::remove(file);
    config_.prompt.candidate = "<cand> {text}";
    config_.prompt.separator = " ";
    config_.prompt.instruction = "{candidates} <merge>";
    config_.sampling.max_new_tokens = 4;
    config_.rule.extractor = answers::Extractor::kWholeText;
  }

  // The context that leaves room for `tokens` of a prompt.
  std::int64_t ContextFor(std::int64_t tokens) const { return tokens + config_.sampling.max_new_tokens; }
  std::string Decoded(const std::vector<schema::TokenId>& ids) const { return tokenizer_->Decode(ids, false); }

  std::unique_ptr<text::Tokenizer> tokenizer_;
  SynthesisConfig config_;
};

TEST_F(SynthesisPlanTest, APlainPromptHoldsBosAndTheCandidates) {
  SynthesisPlan plan(config_, *tokenizer_, {"a b", "c"}, 0);
  ASSERT_EQ(plan.prompts().size(), 1u);
  EXPECT_EQ(Decoded(plan.prompts()[0]), "<bos> <cand> a b <cand> c <merge>");
}

TEST_F(SynthesisPlanTest, WhatACandidateContainsIsNotExpanded) {
  config_.prompt.candidate = "{index}: {text}";
  EXPECT_EQ(RenderSynthesisPrompt(config_.prompt, {"{index} {candidates} {text}", "z"}),
            "1: {index} {candidates} {text} 2: z <merge>");
}

TEST_F(SynthesisPlanTest, ACandidateCannotSpellAControlTokenButTheConfigCan) {
  SynthesisPlan plan(config_, *tokenizer_, {"a <eos> b", "c"}, 0);
  EXPECT_TRUE(plan.prompts().empty());
  EXPECT_NE(plan.result().failure().reason.find("'<eos>' only by the control token"), std::string::npos);
  config_.prompt.separator = " <eos> ";
  SynthesisPlan separated(config_, *tokenizer_, {"a", "c"}, 0);
  ASSERT_EQ(separated.prompts().size(), 1u);
  EXPECT_NE(Decoded(separated.prompts()[0]).find("<eos>"), std::string::npos);
}

TEST_F(SynthesisPlanTest, CandidatesStandAsGivenOrTheMostFrequentLast) {
  const Candidates given = {"c", "a", "b", "a", "c", "d", "a"};
  EXPECT_EQ(RenderSynthesisPrompt(config_.prompt, given),
            "<cand> c <cand> a <cand> b <cand> a <cand> c <cand> d <cand> a <merge>");
  config_.prompt.order = CandidateOrder::kFrequency;
  EXPECT_EQ(RenderSynthesisPrompt(config_.prompt, given),
            "<cand> d <cand> b <cand> c <cand> c <cand> a <cand> a <cand> a <merge>");
  config_.prompt.order = CandidateOrder::kCounted;
  config_.prompt.candidate = "<cand> {count} {text}";
  EXPECT_EQ(RenderSynthesisPrompt(config_.prompt, given), "<cand> 1 d <cand> 1 b <cand> 2 c <cand> 3 a <merge>");
}

TEST_F(SynthesisPlanTest, TheSystemTurnComesFirst) {
  config_.prompt.system = "Reconcile.";
  config_.prompt.format = text::ChatFormat::kChatMl;
  const std::string prompt = RenderSynthesisPrompt(config_.prompt, {"a"});
  EXPECT_LT(prompt.find("Reconcile."), prompt.find("<cand> a <merge>"));
  EXPECT_NE(prompt.find("<cand> a <merge>"), std::string::npos);
}

// Two questions whose rollouts read the same get the same prompt, byte for byte: neither the plan nor the rendering has
// a parameter through which a question could enter.
TEST_F(SynthesisPlanTest, TheQuestionCannotEnter) {
  schema::RolloutGroup first, second;
  first.ticket = 1;
  second.ticket = 2;
  first.prompt_ids = {5, 6};
  second.prompt_ids = {7};
  for (const char* text : {"a b", "c d"}) {
    schema::Rollout rollout;
    rollout.text = text;
    first.rollouts.push_back(rollout);
    second.rollouts.push_back(rollout);
  }
  const auto prompt_of = [&](const schema::RolloutGroup& group) {
    Candidates candidates;
    for (const schema::Rollout& rollout : group.rollouts) candidates.push_back(rollout.text);
    return SynthesisPlan(config_, *tokenizer_, candidates, 0).prompts();
  };
  EXPECT_EQ(prompt_of(first), prompt_of(second));
}

TEST_F(SynthesisPlanTest, OneStageWhereTheGroupFits) {
  SynthesisPlan plan(config_, *tokenizer_, {"a", "b", "c"}, ContextFor(8));
  ASSERT_EQ(plan.prompts().size(), 1u);
  EXPECT_TRUE(plan.Advance({std::string("x y")}));
  ASSERT_TRUE(plan.result().ok());
  EXPECT_EQ(plan.result()->text, "x y");
  EXPECT_EQ(plan.result()->generation, "x y");
  EXPECT_EQ(plan.result()->stages, 1u);
}

TEST_F(SynthesisPlanTest, StagesWhereItDoesNot) {
  // Three candidates of one symbol fill a prompt of 8: bos, three pairs, merge.
  SynthesisPlan plan(config_, *tokenizer_, {"a", "b", "c", "d"}, ContextFor(8));
  ASSERT_EQ(plan.prompts().size(), 2u);
  EXPECT_EQ(plan.stage(), 1u);
  EXPECT_EQ(Decoded(plan.prompts()[0]), "<bos> <cand> a <cand> b <merge>");
  EXPECT_EQ(Decoded(plan.prompts()[1]), "<bos> <cand> c <cand> d <merge>");
  EXPECT_FALSE(plan.Advance({std::string("x"), std::string("y")}));
  ASSERT_EQ(plan.prompts().size(), 1u);
  EXPECT_EQ(plan.stage(), 2u);
  EXPECT_EQ(Decoded(plan.prompts()[0]), "<bos> <cand> x <cand> y <merge>");
  EXPECT_TRUE(plan.Advance({std::string("z")}));
  EXPECT_EQ(plan.result()->text, "z");
  EXPECT_EQ(plan.result()->stages, 2u);
}

TEST_F(SynthesisPlanTest, AnOddCandidateGoesOnAsItIs) {
  SynthesisPlan plan(config_, *tokenizer_, {"a", "b", "c"}, ContextFor(6));
  ASSERT_EQ(plan.prompts().size(), 1u);
  const std::string first = Decoded(plan.prompts()[0]);
  EXPECT_EQ(first, "<bos> <cand> b <cand> c <merge>");
  EXPECT_FALSE(plan.Advance({std::string("x")}));
  EXPECT_EQ(Decoded(plan.prompts()[0]), "<bos> <cand> a <cand> x <merge>");
}

TEST_F(SynthesisPlanTest, UnevenCandidatesArePackedInOrder) {
  SynthesisPlan plan(config_, *tokenizer_, {"a b c d", "a", "b", "c"}, ContextFor(8));
  ASSERT_EQ(plan.prompts().size(), 1u);
  EXPECT_EQ(Decoded(plan.prompts()[0]), "<bos> <cand> a <cand> b <cand> c <merge>");
}

TEST_F(SynthesisPlanTest, FailsWhereNothingFitsInsteadOfCutting) {
  SynthesisPlan alone(config_, *tokenizer_, {"a b c d", "a"}, ContextFor(6));
  EXPECT_TRUE(alone.prompts().empty());
  ASSERT_FALSE(alone.result().ok());
  EXPECT_NE(alone.result().failure().reason.find("one of 2"), std::string::npos) << alone.result().failure().reason;
  SynthesisPlan pair(config_, *tokenizer_, {"a b", "a b"}, ContextFor(6));
  EXPECT_FALSE(pair.result().ok());
  SynthesisPlan later(config_, *tokenizer_, {"a", "b", "c", "d"}, ContextFor(6));
  ASSERT_EQ(later.prompts().size(), 2u);
  EXPECT_TRUE(later.Advance({std::string("a b c"), std::string("a")}));
  EXPECT_FALSE(later.result().ok());
}

TEST_F(SynthesisPlanTest, AFailedGenerationFailsThePlan) {
  SynthesisPlan plan(config_, *tokenizer_, {"a", "b", "c", "d"}, ContextFor(8));
  EXPECT_TRUE(plan.Advance({std::string("x"), base::Failure{base::ErrorKind::kRetryLater, "lost"}}));
  ASSERT_FALSE(plan.result().ok());
  EXPECT_EQ(plan.result().failure().reason, "lost");
}

TEST_F(SynthesisPlanTest, ASynthesisNeedsItsHeadingAndAnAnswer) {
  config_.prompt.heading = "Final:";
  config_.rule.extractor = answers::Extractor::kBoxed;
  SynthesisPlan no_heading(config_, *tokenizer_, {"a"}, 0);
  EXPECT_TRUE(no_heading.Advance({std::string("\\boxed{1}")}));
  EXPECT_FALSE(no_heading.result().ok());
  SynthesisPlan no_answer(config_, *tokenizer_, {"a"}, 0);
  EXPECT_TRUE(no_answer.Advance({std::string("\\boxed{1} Final: 1")}));
  EXPECT_FALSE(no_answer.result().ok());
  SynthesisPlan good(config_, *tokenizer_, {"a"}, 0);
  EXPECT_TRUE(good.Advance({std::string("\\boxed{1} Final: \\boxed{2}")}));
  ASSERT_TRUE(good.result().ok());
  EXPECT_EQ(good.result()->text, "\\boxed{2}");
}

TEST_F(SynthesisPlanTest, ASymbolOutsideTheVocabularyFailsTheGroupOnly) {
  SynthesisPlan plan(config_, *tokenizer_, {"a", "unheard"}, 0);
  EXPECT_TRUE(plan.prompts().empty());
  EXPECT_FALSE(plan.result().ok());
  EXPECT_FALSE(SynthesisPlan(config_, *tokenizer_, {}, 0).result().ok());
}

TEST_F(SynthesisPlanTest, APromptWithoutPlacesIsRefused) {
  config_.prompt.instruction = "merge";
  EXPECT_THROW(SynthesisPlan(config_, *tokenizer_, {"a"}, 0), base::Error);
}

TEST(SynthesisContextTest, IsTheSmallerLimit) {
  SynthesisConfig config;
  EXPECT_EQ(SynthesisContext(config, 512), 512);
  config.context = 100;
  EXPECT_EQ(SynthesisContext(config, 512), 100);
  EXPECT_EQ(SynthesisContext(config, 0), 100);
  config.context = 1000;
  EXPECT_EQ(SynthesisContext(config, 512), 512);
}

}  // namespace
}  // namespace autodidact::estimators
