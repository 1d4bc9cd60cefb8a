#include "estimators/selection.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "json/json.h"
#include "model/folder.h"
#include "tests/paths.h"

namespace autodidact::estimators {
namespace {

namespace fs = std::filesystem;

// What transformers computes (tests/golden/make_selection_goldens.py).
const json::Json& Goldens() {
  static const json::Json goldens = json::ParseFile(tests::SourceFolder() / "tests/golden/selection.json");
  return goldens;
}

// Symbols "a0" … "a44" after <pad>, <bos>, <eos>: the vocabulary of the golden models.
const text::Tokenizer& Symbols() {
  static const text::Tokenizer tokenizer = [] {
    const fs::path folder = fs::path(testing::TempDir()) / ("selection_" + std::to_string(getpid()));
    fs::create_directories(folder);
    std::vector<std::string> symbols;
    for (int i = 0; i < 45; ++i) symbols.push_back("a" + std::to_string(i));
    text::WriteSymbolTokenizer({{"<pad>", "<bos>", "<eos>"}, "<bos>"}, symbols, folder / "tokenizer.json");
    return text::Tokenizer(folder);
  }();
  return tokenizer;
}

SelectionConfig Config() {
  SelectionConfig config;
  config.self_select.instruction = "{prompt} {candidates} a40";
  config.self_select.candidate = "{index} {text}";
  config.self_select.separator = " ";
  config.self_select.choices = {"a41", "a42", "a43", "a44"};
  config.rule.extractor = answers::Extractor::kWholeText;
  return config;
}

struct Case {
  explicit Case(const json::Json& values)
      : values(values),
        weights(model::LoadModel(tests::SourceFolder() / "tests/golden/models" / std::string(values["model"]),
                                 at::kFloat, at::kCPU)) {
    prompt.text = values["question"];
    group.prompt_ids = values["prompt_ids"].get<std::vector<schema::TokenId>>();
    for (const json::Json& rollout : values["rollouts"]) {
      schema::Rollout& made = group.rollouts.emplace_back();
      made.ids = rollout["ids"].get<std::vector<schema::TokenId>>();
      made.text = rollout["text"];
    }
  }

  const json::Json& values;
  model::SharedWeights weights;
  schema::Prompt prompt;
  schema::RolloutGroup group;
};

std::vector<double> Numbers(const json::Json& list) {
  return list.get<std::vector<double>>();
}

// The scores that a reference's account names, after "scores".
std::vector<double> ScoresOf(const schema::Reference& reference) {
  std::istringstream stream(reference.generation.substr(reference.generation.find("scores") + 6));
  std::vector<double> scores;
  for (double score = 0; stream >> score;) scores.push_back(score);
  return scores;
}

void ExpectNear(const std::string& what, const std::vector<double>& got, const std::vector<double>& expected) {
  constexpr double kTolerance = 2e-5;  // relative
  ASSERT_EQ(got.size(), expected.size()) << what;
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::abs(got[i] - expected[i]) / std::abs(expected[i]));
  }
  std::printf("%s: %.2g of a tolerance of %.2g (%.1f %%)\n", what.c_str(), worst, kTolerance, 100 * worst / kTolerance);
  EXPECT_LT(worst, kTolerance) << what;
}

TEST(SelectionGoldenTest, ScoresAndPicksAreThoseOfTransformers) {
  const SelectionConfig config = Config();
  for (const json::Json& values : Goldens()) {
    const Case golden(values);
    const std::string name = values["model"];
    const Selector selector(config, golden.weights, Symbols());
    const auto select = [&](EstimatorKind kind, int size) {
      auto selected = selector.Select(kind, golden.prompt, golden.group, {size});
      EXPECT_TRUE(selected.front().ok()) << selected.front().failure().reason;
      return *selected.front();
    };
    const auto perplexities = Numbers(values["perplexities"]);
    const auto lowest = std::min_element(perplexities.begin(), perplexities.end()) - perplexities.begin();
    const auto by_perplexity = select(EstimatorKind::kMinPerplexity, 4);
    ExpectNear(name + " perplexities", ScoresOf(by_perplexity), perplexities);
    EXPECT_EQ(by_perplexity.text, values["rollouts"][static_cast<std::size_t>(lowest)]["text"]);

    for (const char* size : {"2", "4"}) {
      const auto mutual = Numbers(values["mutual_predictabilities"][size]);
      const auto highest = std::max_element(mutual.begin(), mutual.end()) - mutual.begin();
      const auto by_others = select(EstimatorKind::kMutualPredictability, std::stoi(size));
      ExpectNear(name + " mutual predictabilities", ScoresOf(by_others), mutual);
      EXPECT_EQ(by_others.text, values["rollouts"][static_cast<std::size_t>(highest)]["text"]);
    }

    const auto choices = Numbers(values["choices"]);
    const auto chosen = std::max_element(choices.begin(), choices.end()) - choices.begin();
    const auto by_choice = select(EstimatorKind::kSelfSelect, 4);
    ExpectNear(name + " choices", ScoresOf(by_choice), choices);
    EXPECT_EQ(by_choice.text, values["rollouts"][static_cast<std::size_t>(chosen)]["text"]);
  }
}

TEST(SelectionGoldenTest, FullPrecisionScores) {
  for (const json::Json& values : Goldens()) {
    const Case golden(values);
    std::vector<std::vector<schema::TokenId>> completions, contexts;
    for (const schema::Rollout& rollout : golden.group.rollouts) {
      completions.push_back(rollout.ids);
      contexts.push_back(golden.group.prompt_ids);
      for (const schema::TokenId id : rollout.ids) {
        if (id > 2) contexts.back().push_back(id);
      }
      contexts.back().insert(contexts.back().end(), golden.group.prompt_ids.begin() + 1, golden.group.prompt_ids.end());
    }
    const PairScores pairs = PairLogprobs(*golden.weights, contexts, completions);
    for (std::size_t j = 0; j < 4; ++j) {
      for (std::size_t i = 0; i < 4; ++i) {
        if (i == j) continue;
        EXPECT_NEAR(pairs[j][i], values["pairs"][j][i].get<double>(), 1e-5);
      }
    }
    ExpectNear("pairs", MutualPredictabilities(pairs, 4), Numbers(values["mutual_predictabilities"]["4"]));
  }
}

TEST(SelectionTest, WhatIsSelectedAmongTheFirstDoesNotDependOnTheRest) {
  const SelectionConfig config = Config();
  const Case golden(Goldens()[0]);
  const Selector selector(config, golden.weights, Symbols());
  schema::RolloutGroup two = golden.group;
  two.rollouts.resize(2);
  for (const EstimatorKind kind :
       {EstimatorKind::kMinPerplexity, EstimatorKind::kSelfSelect, EstimatorKind::kMutualPredictability}) {
    const auto selected = selector.Select(kind, golden.prompt, golden.group, {1, 2, 4});
    EXPECT_EQ(selected[0]->text, golden.group.rollouts[0].text) << base::NameIn(kind);
    EXPECT_EQ(selected[1]->text, selector.Select(kind, golden.prompt, two)->text) << base::NameIn(kind);
  }
}

TEST(SelectionTest, TheQuestionMatters) {
  const SelectionConfig config = Config();
  const Case golden(Goldens()[0]);
  const Selector selector(config, golden.weights, Symbols());
  schema::Prompt other;
  other.text = "a1 a1";
  for (const EstimatorKind kind : {EstimatorKind::kSelfSelect, EstimatorKind::kMutualPredictability}) {
    EXPECT_NE(selector.Select(kind, golden.prompt, golden.group)->generation,
              selector.Select(kind, other, golden.group)->generation)
        << base::NameIn(kind);
  }
}

TEST(SelectionTest, AGroupThatDoesNotFitFailsAsAWhole) {
  const SelectionConfig config = Config();
  Case golden(Goldens()[0]);  // a context of 128 tokens
  golden.group.rollouts[3].ids.assign(130, 5);
  for (int i = 0; i < 130; ++i) golden.group.rollouts[3].text += " a2";
  const Selector selector(config, golden.weights, Symbols());
  for (const EstimatorKind kind :
       {EstimatorKind::kMinPerplexity, EstimatorKind::kSelfSelect, EstimatorKind::kMutualPredictability}) {
    const auto selected = selector.Select(kind, golden.prompt, golden.group);
    ASSERT_FALSE(selected.ok());
    EXPECT_EQ(selected.failure().kind, base::ErrorKind::kBadInput);
    EXPECT_NE(selected.failure().reason.find("context of 128"), std::string::npos) << selected.failure().reason;
  }
}

TEST(SelectionTest, ASelectedRolloutWithoutAnAnswerIsAFailure) {
  SelectionConfig config = Config();
  config.rule.extractor = answers::Extractor::kBoxed;
  const Case golden(Goldens()[0]);
  const auto selected =
      Selector(config, golden.weights, Symbols()).Select(EstimatorKind::kMinPerplexity, golden.prompt, golden.group);
  ASSERT_FALSE(selected.ok());
  EXPECT_NE(selected.failure().reason.find("no answer"), std::string::npos);
}

TEST(SelfSelectTest, RepliesEndTheTurnAndCandidatesAreNeverExpanded) {
  SelfSelectPrompt prompt = Config().self_select;
  const auto query = EncodeSelfSelect(prompt, text::ChatFormat::kPlain, Symbols(), "a1", {"a2 a3", "a4"}, 2);
  EXPECT_EQ(Symbols().Decode(query.prompt), "a1 a41 a2 a3 a42 a4 a40");
  ASSERT_EQ(query.replies.size(), 2u);
  EXPECT_EQ(query.replies[1], (std::vector<schema::TokenId>{45, 2}));
  EXPECT_THROW(EncodeSelfSelect(prompt, text::ChatFormat::kPlain, Symbols(), "{candidates}", {"a2"}, 2), base::Error)
      << "the placeholder in the question must reach the tokenizer as it is";
}

TEST(SelfSelectTest, BadPromptsAreRefused) {
  SelfSelectPrompt prompt = Config().self_select;
  EXPECT_NO_THROW(Validate(SelfSelectPrompt()));
  prompt.choices = {"a1", "a1"};
  EXPECT_THROW(Validate(prompt), base::Error);
  prompt = Config().self_select;
  prompt.candidate = "{text}";
  EXPECT_THROW(Validate(prompt), base::Error);
  EXPECT_THROW(CheckSelection(EstimatorKind::kSelfSelect, Config(), Symbols(), 5), base::Error);
  SelectionConfig numbers = Config();
  numbers.self_select.choices.clear();
  EXPECT_THROW(CheckSelection(EstimatorKind::kSelfSelect, numbers, Symbols(), 4), base::Error);
  EXPECT_NO_THROW(CheckSelection(EstimatorKind::kSelfSelect, Config(), Symbols(), 4));
}

TEST(QuestionTest, ThePromptStandsInItsTemplateAndTurnsStandAsTheyAre) {
  const QuestionFormat format{.system = "Be brief.", .text = "Q: {prompt}", .format = text::ChatFormat::kPlain};
  schema::Prompt prompt;
  prompt.text = "why {prompt}?";
  const auto turns = QuestionTurns(format, prompt);
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0].content, "Be brief.");
  EXPECT_EQ(turns[1].content, "Q: why {prompt}?");
  prompt.messages = {{"user", "a"}, {"assistant", "b"}, {"user", "c"}};
  EXPECT_EQ(QuestionTurns(format, prompt).size(), 4u);
  EXPECT_EQ(QuestionText(prompt), "user: a\nassistant: b\nuser: c");
}

}  // namespace
}  // namespace autodidact::estimators
