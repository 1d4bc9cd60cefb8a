#include "test_models.h"

namespace autodidact::engine {
namespace {

using namespace testing;

model::ModelConfig Llama() {
  return SmallConfig("llama");
}

TEST(SchedulerTest, AGroupLargerThanTheCacheFailsWithItsReason) {
  Engine engine({.cache_tokens = 16 * 10}, RandomWeights(Llama()), SymbolTokenizer());
  // 2 pages of prompt and 8 of first tokens fit; the seventeenth token of each does not.
  const std::vector<GroupResult> results = GenerateAll(engine, {Request(1, 20, 8, 40), Request(2, 20, 2, 20)});
  ASSERT_FALSE(results[0].group.ok());
  EXPECT_EQ(results[0].group.failure().kind, base::ErrorKind::kBadInput);
  EXPECT_NE(results[0].group.failure().reason.find("cache of 160 tokens"), std::string::npos)
      << results[0].group.failure().reason;
  EXPECT_TRUE(results[1].group.ok());
}

TEST(SchedulerTest, APromptLargerThanTheCacheFailsWithItsReason) {
  Engine engine({.cache_tokens = 160}, RandomWeights(Llama()), SymbolTokenizer());
  const std::vector<GroupResult> results = GenerateAll(engine, {Request(1, 200, 1, 4)});
  ASSERT_FALSE(results[0].group.ok());
  EXPECT_NE(results[0].group.failure().reason.find("200 tokens"), std::string::npos);
}

TEST(SchedulerTest, APromptAsLongAsTheContextFailsWithItsReason) {
  Engine engine({.cache_tokens = 4096}, RandomWeights(Llama()), SymbolTokenizer());
  const std::vector<GroupResult> results = GenerateAll(engine, {Request(1, 512, 1, 4), Request(2, 511, 2, 4)});
  ASSERT_FALSE(results[0].group.ok());
  EXPECT_NE(results[0].group.failure().reason.find("context is 512"), std::string::npos);
  ASSERT_TRUE(results[1].group.ok());
  EXPECT_EQ(results[1].group->rollouts[0].ids.size(), 1u);
  EXPECT_EQ(results[1].group->rollouts[0].stop, schema::StopReason::kMaxLength);
}

TEST(SchedulerTest, ABadRequestFailsAlone) {
  Engine engine({.cache_tokens = 4096, .max_rows = 4}, RandomWeights(Llama()), SymbolTokenizer());
  GroupRequest empty = Request(1, 1, 1, 4);
  empty.prompt_ids.clear();
  GroupRequest outside = Request(2, 3, 1, 4);
  outside.prompt_ids[1] = kVocab;
  const std::vector<GroupResult> results =
      GenerateAll(engine, {empty, outside, Request(3, 3, 5, 4), Request(4, 3, 4, 4)});
  EXPECT_FALSE(results[0].group.ok());
  EXPECT_FALSE(results[1].group.ok());
  EXPECT_FALSE(results[2].group.ok());
  EXPECT_TRUE(results[3].group.ok());
}

TEST(SchedulerTest, GroupsBeyondMaxRowsWait) {
  Engine engine({.cache_tokens = 65536, .max_rows = 8}, RandomWeights(Llama()), SymbolTokenizer());
  for (schema::Ticket ticket = 0; ticket < 6; ++ticket) engine.Add(Request(ticket, 5, 4, 6));
  std::size_t finished = 0;
  while (!engine.idle()) finished += engine.Step().size();
  EXPECT_EQ(finished, 6u);
  EXPECT_EQ(engine.stats().decoded_tokens, 6 * 4 * 6);
  // Three waves of two groups, each with five decode steps after its prefill.
  EXPECT_EQ(engine.stats().decode_steps, 15);
}

TEST(SchedulerTest, RolloutsEndAtMaxNewTokens) {
  Engine engine({}, RandomWeights(Llama()), SymbolTokenizer());
  const schema::RolloutGroup group = Generate(engine, Request(1, 5, 3, 17));
  for (const schema::Rollout& rollout : group.rollouts) {
    EXPECT_EQ(rollout.ids.size(), 17u);
    EXPECT_EQ(rollout.stop, schema::StopReason::kMaxLength);
    EXPECT_EQ(rollout.text, SymbolTokenizer().Decode(rollout.ids));
  }
}

TEST(SchedulerTest, RolloutsKeepTheEndOfTextToken) {
  model::ModelConfig config = Llama();
  config.eos_token_ids = {2};
  Engine engine({}, RandomWeights(config), SymbolTokenizer());
  GroupRequest request = Request(1, 5, 8, 200);
  request.sampling.stop_ids = {9, 10, 11};
  const schema::RolloutGroup group = Generate(engine, request);
  int ended = 0;
  for (const schema::Rollout& rollout : group.rollouts) {
    for (std::size_t i = 0; i < rollout.ids.size(); ++i) {
      const schema::TokenId id = rollout.ids[i];
      const bool stops = id == 2 || (id >= 9 && id <= 11);
      EXPECT_EQ(stops, i + 1 == rollout.ids.size() && rollout.stop == schema::StopReason::kEndOfText);
    }
    ended += rollout.stop == schema::StopReason::kEndOfText;
  }
  EXPECT_GT(ended, 0);
}

TEST(SchedulerTest, AStopStringAcrossTokensCutsTheTextAndKeepsTheIds) {
  Engine engine({}, RandomWeights(Llama()), SymbolTokenizer());
  GroupRequest request = Request(5, 7, 2, 30);
  const schema::RolloutGroup free_run = Generate(engine, request);
  const schema::Rollout& whole = free_run.rollouts[0];
  // From the middle of the eighth symbol to the ninth.
  const std::string eighth = SymbolTokenizer().TokenOf(whole.ids[7]);
  const std::string ninth = SymbolTokenizer().TokenOf(whole.ids[8]);
  const std::string stop = eighth.substr(1) + " " + ninth;
  const std::size_t place = whole.text.find(stop);
  ASSERT_NE(place, std::string::npos);
  request.sampling.stop_strings = {"never there", stop};
  const schema::RolloutGroup stopped_run = Generate(engine, request);
  const schema::Rollout& stopped = stopped_run.rollouts[0];
  EXPECT_EQ(stopped.stop, schema::StopReason::kStopString);
  EXPECT_EQ(stopped.text, whole.text.substr(0, place));
  ASSERT_LE(stopped.ids.size(), 9u);
  EXPECT_TRUE(std::equal(stopped.ids.begin(), stopped.ids.end(), whole.ids.begin()));
  EXPECT_NE(SymbolTokenizer().Decode(stopped.ids).find(stop), std::string::npos);
}

TEST(SchedulerTest, NewWeightsTakeEffectBetweenStepsAndAreRecorded) {
  Engine engine({}, RandomWeights(Llama(), 1, 4), SymbolTokenizer());
  engine.Add(Request(1, 5, 2, 12));
  EXPECT_EQ(engine.weight_version(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(engine.Step().empty());
  engine.SetWeights(RandomWeights(Llama(), 2, 5));
  EXPECT_EQ(engine.weight_version(), 5u);
  engine.Add(Request(2, 5, 2, 3));
  std::vector<GroupResult> results;
  while (!engine.idle()) {
    for (GroupResult& result : engine.Step()) results.push_back(std::move(result));
  }
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].ticket, 2u);
  EXPECT_EQ(results[0].group->rollouts[0].first_version, 5u);
  EXPECT_EQ(results[1].group->rollouts[1].first_version, 4u);
  EXPECT_EQ(results[1].group->rollouts[1].last_version, 5u);
}

TEST(SchedulerTest, NewWeightsAreTheOnesThatAreUsed) {
  const model::SharedWeights second = RandomWeights(Llama(), 2, 1);
  Engine engine({}, RandomWeights(Llama(), 1, 0), SymbolTokenizer());
  Generate(engine, Request(1, 5, 1, 4));
  engine.SetWeights(second);
  Engine fresh({}, second, SymbolTokenizer());
  EXPECT_EQ(Generate(engine, Request(2, 9, 3, 12)), Generate(fresh, Request(2, 9, 3, 12)));
}

TEST(SchedulerTest, EveryPageComesBack) {
  // Room for exactly one group at a time: a leaked page would make the second fail.
  Engine engine({.cache_tokens = 16 * 10}, RandomWeights(Llama()), SymbolTokenizer());
  for (schema::Ticket ticket = 0; ticket < 5; ++ticket) {
    Generate(engine, Request(ticket, 30, 4, 33));
  }
}

TEST(SchedulerTest, StreamsSeedsTicketsAndRolloutsDrawDifferently) {
  Engine engine({}, RandomWeights(Llama()), SymbolTokenizer());
  GroupRequest request = Request(1, 5, 2, 20, 1.5f);
  const schema::RolloutGroup base = Generate(engine, request);
  EXPECT_NE(base.rollouts[0].ids, base.rollouts[1].ids);
  request.seed = 8;
  EXPECT_NE(Generate(engine, request).rollouts[0].ids, base.rollouts[0].ids);
  request.seed = 7;
  request.stream = base::RandomStream::kSynthesis;
  EXPECT_NE(Generate(engine, request).rollouts[0].ids, base.rollouts[0].ids);
  request.stream = base::RandomStream::kRollout;
  request.ticket = 2;
  EXPECT_NE(Generate(engine, request).rollouts[0].ids, base.rollouts[0].ids);
  request.ticket = 1;
  EXPECT_EQ(Generate(engine, request), base);
}

TEST(ScoreContinuationsTest, EmptyContinuationsHaveNoScores) {
  const model::SharedWeights weights = RandomWeights(Llama());
  const auto scores = ScoreContinuations(*weights, SomePrompt(4), {{}, {3, 4}, {}});
  ASSERT_EQ(scores.size(), 3u);
  EXPECT_TRUE(scores[0].empty());
  EXPECT_EQ(scores[1].size(), 2u);
  const at::Tensor logprobs = at::log_softmax(LastLogits(*weights, SomePrompt(4)), 0);
  EXPECT_NEAR(scores[1][0], logprobs[3].item<float>(), 1e-5);
}

}  // namespace
}  // namespace autodidact::engine
