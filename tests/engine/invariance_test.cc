// On the CPU a rollout's bits depend on its request and the weights alone.
#include "test_models.h"

namespace autodidact::engine {
namespace {

using namespace testing;

void ExpectSameBits(const schema::RolloutGroup& a, const schema::RolloutGroup& b) {
  ASSERT_EQ(a.rollouts.size(), b.rollouts.size());
  for (std::size_t i = 0; i < a.rollouts.size(); ++i) {
    EXPECT_EQ(a.rollouts[i].ids, b.rollouts[i].ids) << "rollout " << i;
    EXPECT_EQ(a.rollouts[i].logprobs, b.rollouts[i].logprobs) << "rollout " << i;
    EXPECT_EQ(a.rollouts[i].sampled_logprobs, b.rollouts[i].sampled_logprobs) << "rollout " << i;
  }
}

// Families differ in their paths through the kernels, so each is tried.
class InvarianceTest : public ::testing::TestWithParam<const char*> {
 protected:
  model::ModelConfig Config() const { return SmallConfig(GetParam()); }
  GroupRequest Target() const {
    GroupRequest request = Request(41, 37, 8, 50);
    request.sampling.top_p = 0.95f;
    request.sampling.stop_ids = {2, 17};  // rollouts end at different times
    return request;
  }
  schema::RolloutGroup Alone() const {
    Engine engine({.cache_tokens = 16384}, RandomWeights(Config()), SymbolTokenizer());
    return Generate(engine, Target());
  }
};

TEST_P(InvarianceTest, AloneAndInABatchGiveTheSameBits) {
  Engine engine({.cache_tokens = 65536}, RandomWeights(Config()), SymbolTokenizer());
  std::vector<GroupRequest> requests;
  for (schema::Ticket ticket = 0; ticket < 5; ++ticket) requests.push_back(Request(ticket, 3 + 40 * ticket, 3, 60));
  requests.push_back(Target());
  for (schema::Ticket ticket = 60; ticket < 63; ++ticket) requests.push_back(Request(ticket, 9, 5, 20));
  const std::vector<GroupResult> results = GenerateAll(engine, requests);
  ExpectSameBits(results[5].group.value(), Alone());
}

TEST_P(InvarianceTest, OneAndTwoThreadsGiveTheSameBits) {
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const schema::RolloutGroup one = Alone();
  at::set_num_threads(2);
  const schema::RolloutGroup two = Alone();
  at::set_num_threads(before);
  ExpectSameBits(one, two);
}

TEST_P(InvarianceTest, PreemptionGivesTheSameBits) {
  Engine engine({.cache_tokens = 16 * 60}, RandomWeights(Config()), SymbolTokenizer());
  std::vector<GroupRequest> requests;
  for (schema::Ticket ticket = 0; ticket < 3; ++ticket) requests.push_back(Request(ticket, 30, 8, 60));
  requests.push_back(Target());
  const std::vector<GroupResult> results = GenerateAll(engine, requests);
  EXPECT_GT(engine.stats().preemptions, 0);
  ExpectSameBits(results[3].group.value(), Alone());
}

TEST_P(InvarianceTest, ARolloutDoesNotDependOnItsSiblings) {
  Engine engine({.cache_tokens = 16384}, RandomWeights(Config()), SymbolTokenizer());
  GroupRequest fewer = Target();
  fewer.num_rollouts = 3;
  schema::RolloutGroup all = Alone();
  all.rollouts.resize(3);
  ExpectSameBits(Generate(engine, fewer), all);
}

INSTANTIATE_TEST_SUITE_P(Families, InvarianceTest, ::testing::Values("llama", "qwen2", "qwen3", "gemma3_text"),
                         [](const auto& info) { return FamilyName(info.param); });

}  // namespace
}  // namespace autodidact::engine
