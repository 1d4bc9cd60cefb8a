// The words of the other rooms' failures, made by those rooms, lead to the key that they hang on.
#include "launch/train/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estimators/estimator.h"
#include "estimators/vote.h"
#include "judge_service/program_judge.h"
#include "launch/train/lesson_watch.h"
#include "launch/wiring/wiring.h"
#include "programs/verifier.h"
#include "tests/paths.h"

namespace autodidact::launch {
namespace {

using testing::AllOf;
using testing::HasSubstr;

data::GroupRecord GroupOf(const std::vector<std::string>& texts) {
  data::GroupRecord record;
  record.scored.reference = schema::Reference{.text = "r"};
  for (const std::string& text : texts) {
    schema::Rollout rollout;
    rollout.ids = {1};
    rollout.text = text;
    record.scored.group.rollouts.push_back(rollout);
    record.scored.rewards.emplace_back(0.0);
  }
  return record;
}

data::GroupRecord WithoutReference(const base::Outcome<schema::Reference>& reference) {
  data::GroupRecord record = GroupOf({"a", "b"});
  EXPECT_FALSE(reference.ok());
  record.scored.reference = reference;
  record.scored.rewards.clear();
  return record;
}

data::GroupRecord WithRewards(const std::vector<schema::Reward>& rewards) {
  data::GroupRecord record = GroupOf({"a", "b"});
  record.scored.rewards = rewards;
  return record;
}

std::string Advice(const RunConfig& config, const data::GroupRecord& group, std::int64_t answered = 2) {
  return WhyNothingIsTaught(config, learner::Lessons({group}, {}, true), answered);
}

TEST(AdviceTest, AnExtractorWhoseFormNeverOccursIsNamed) {
  RunConfig config;
  const estimators::AnswerRule rule;
  EXPECT_THAT(Advice(config, WithoutReference(estimators::MajorityReference(rule, {"a", "b"}))),
              AllOf(HasSubstr("1 of 1 groups have no reference"), HasSubstr("answer.extractor")));
  const text::Tokenizer tokenizer(tests::SourceFolder() / "configs/demo/base");
  const estimators::SynthesisConfig synthesis{.prompt = {.instruction = "{candidates} =>", .separator = " "},
                                              .rule = rule};
  estimators::SynthesisPlan plan(synthesis, tokenizer, {"a", "b"}, 0);
  plan.Advance({std::string("a")});
  EXPECT_THAT(Advice(config, WithoutReference(plan.result())), HasSubstr("; answer.extractor: "));
  EXPECT_THAT(Advice(config, GroupOf({"a", "b"}), /*answered=*/0),
              AllOf(HasSubstr("no rollout with a reward above 0"), HasSubstr("answer.extractor")));
  const auto reply = judge_service::JudgeByProgram(
      {}, {.ticket = 1, .target = schema::WholeText{"a"}, .responses = {"b", "c"}, .lengths = {1, 1}});
  EXPECT_THAT(Advice(config, WithRewards(reply.rewards)), HasSubstr("answer.extractor"));
}

TEST(AdviceTest, ACandidateThatTheAnchorCannotHoldAndAMissingHeadingAreNamed) {
  const text::Tokenizer tokenizer(tests::SourceFolder() / "configs/demo/base");
  estimators::SynthesisConfig synthesis{.prompt = {.instruction = "{candidates} =>", .separator = " "}};
  synthesis.sampling.max_new_tokens = 4;
  const estimators::SynthesisPlan tight(synthesis, tokenizer, {"a b d e", "b"}, 8);
  EXPECT_THAT(Advice({}, WithoutReference(tight.result())), HasSubstr("; anchor.context: "));
  synthesis.prompt.heading = "=";
  estimators::SynthesisPlan plan(synthesis, tokenizer, {"a", "b"}, 0);
  plan.Advance({std::string("a")});
  EXPECT_THAT(Advice({}, WithoutReference(plan.result())), HasSubstr("; anchor.heading: "));
}

TEST(AdviceTest, AVerifierIsNamedWhetherItFailsOrSaysNo) {
  RunConfig config;
  config.answer.verifier.command = {"/bin/false"};
  programs::Verifier verifier({.command = config.answer.verifier.command});
  const auto failed = verifier.Equal("1", "1");
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(Advice(config, WithRewards({failed.failure(), failed.failure()})),
              AllOf(HasSubstr("fewer than two rewards (verifier /bin/false"), HasSubstr("; answer.verifier: ")));
  EXPECT_THAT(Advice(config, GroupOf({"a", "b"})), HasSubstr("; answer.verifier: "));
  const auto same = [&](const std::string& a, const std::string& b) { return verifier.Equal(a, b); };
  const auto vote = estimators::MajorityUnder(same, answers::Extractor::kWholeText, {"a", "b"});
  config.estimator = estimators::EstimatorKind::kMajority;
  EXPECT_THAT(Advice(config, WithoutReference(vote)), HasSubstr("; answer.verifier: "));
}

TEST(AdviceTest, AJudgeThatIsAwayIsToldFromOneThatTalksNonsense) {
  RunConfig config;
  config.judge.judging.kind = judge_service::JudgeKind::kRubric;
  config.judge.backend = JudgeBackend::kEndpoint;
  const auto reason = [](const std::string& text) {
    const base::Failure failure{base::ErrorKind::kBadInput, text};
    return WithRewards({failure, failure});
  };
  const std::string none = "no valid verdict on a criterion with points to gain; the last: ";
  EXPECT_THAT(Advice(config, reason(none + "the judge's endpoint failed after 6 tries: Couldn't connect to server")),
              HasSubstr("; judge.endpoint.base_url: "));
  EXPECT_THAT(Advice(config, reason(none + "the judge's endpoint failed after 1 tries: HTTP 401: who are you")),
              HasSubstr("; judge.endpoint.api_key_env: "));
  EXPECT_THAT(Advice(config, reason(none + "got text, expected a JSON object")), HasSubstr("; judge.endpoint.model: "));
  EXPECT_THAT(Advice(config, GroupOf({"a", "b"})), HasSubstr("; judge.endpoint.model: "));
}

TEST(AdviceTest, CutRolloutsAndEqualOnesAreNamed) {
  RunConfig config;
  auto group = GroupOf({"a", "b"});
  for (auto& rollout : group.scored.group.rollouts) rollout.stop = schema::StopReason::kMaxLength;
  EXPECT_THAT(Advice(config, group, 0), HasSubstr("; rollout.max_completion_length: 2 of 2 rollouts are cut"));
  EXPECT_THAT(Advice(config, group), HasSubstr("; rollout.max_completion_length: got 256"));
  EXPECT_THAT(Advice(config, GroupOf({"a", "a"})), HasSubstr("; rollout.temperature: got 1"));
}

TEST(AdviceTest, AnswersThatTheComparatorCannotDecideAreNotTakenForMissing) {
  const base::Failure failure{base::ErrorKind::kBadInput, "the answer has no value that could be compared"};
  EXPECT_THAT(Advice({}, WithRewards({failure, failure})), HasSubstr("; answer.comparator: "));
}

TEST(AdviceTest, FullRewardsLeaveNothingToLearn) {
  EXPECT_THAT(Advice({}, WithRewards({1.0, 1.0})), HasSubstr("nothing is left to learn"));
}

TEST(AdviceTest, PromptsThatAreTooLongAreNamed) {
  data::GroupRecord unsampled;
  unsampled.scored.reference =
      base::Failure{base::ErrorKind::kBadInput, "the prompt has 600 tokens, the model's context is 512"};
  EXPECT_THAT(Advice({}, unsampled), AllOf(HasSubstr("were not sampled"), HasSubstr("; data.train: ")));
}

TEST(LessonWatchTest, EndsTheRunWithADiagnosisAfterSoManyEmptySteps) {
  RunConfig config;
  config.train.max_empty_steps = 2;
  LessonWatch watch(config);
  const std::vector<data::GroupRecord> groups = {GroupOf({"a", "b"})};
  const std::vector<std::string> dropped;
  const base::Metrics metrics = {{"grad_norm", 0.1}};
  auto found = watch.Look({.step = 1, .groups = groups, .dropped = dropped, .metrics = metrics});
  EXPECT_FALSE(found.end);
  EXPECT_EQ(found.metrics.at("groups/all_wrong"), 1);
  EXPECT_EQ(watch.diagnosis(), "");
  found = watch.Look({.step = 2, .groups = groups, .dropped = dropped, .metrics = metrics});
  EXPECT_EQ(found.end, learner::RunEnd::kEmpty);
  EXPECT_THAT(watch.diagnosis(), AllOf(HasSubstr("in the last 2 steps: 2 of 2 groups"), HasSubstr("answer.extractor")));
}

TEST(LessonWatchTest, AStepThatTeachesNeedsAGradient) {
  RunConfig config;
  LessonWatch watch(config);
  const std::vector<data::GroupRecord> groups = {WithRewards({0.0, 1.0})};
  const std::vector<std::string> dropped;
  const base::Metrics still = {{"grad_norm", 0.0}}, moving = {{"grad_norm", 0.1}};
  watch.Look({.step = 1, .groups = groups, .dropped = dropped, .metrics = still});
  EXPECT_EQ(watch.Conclude(), learner::RunEnd::kEmpty);
  watch.Look({.step = 2, .groups = groups, .dropped = dropped, .metrics = moving});
  EXPECT_EQ(watch.Conclude(), learner::RunEnd::kFinished);
}

}  // namespace
}  // namespace autodidact::launch
