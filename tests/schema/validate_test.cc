#include "schema/validate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace autodidact::schema {
namespace {

constexpr Ticket kBeyond = std::uint64_t{1} << 62;

void IsRefused(const Checked& checked, Refusal why) {
  ASSERT_TRUE(checked.has_value());
  EXPECT_STREQ(Name(checked->why), Name(why)) << checked->text;
  EXPECT_FALSE(checked->text.empty());
}

TEST(ValidateTest, AReplyWithLeasesIsWhatWasAskedFor) {
  const Lease lease{.ticket = 3, .prompt = {.id = "q", .text = "a", .messages = {}}};
  EXPECT_FALSE(Check(LeaseReply{RunState::kRunning, {lease}}, 1));
  EXPECT_FALSE(Check(LeaseReply{RunState::kWaiting, {}}, 1));
  IsRefused(Check(LeaseReply{RunState::kRunning, {lease}}, 0), Refusal::kSizes);
  IsRefused(Check(LeaseReply{RunState::kRunning, {lease, lease}}, 9), Refusal::kLease);
  IsRefused(Check(LeaseReply{RunState::kRunning, {{.ticket = 3}}}, 1), Refusal::kSizes);
  IsRefused(Check(LeaseReply{RunState::kRunning, {{.ticket = kBeyond, .prompt = lease.prompt}}}, 1), Refusal::kLease);
}

TEST(ValidateTest, NobodySpeaksForAnotherAndOnlyActorsAskServices) {
  ScoredGroup group;
  group.actor = "actor-0";
  const Heartbeat heartbeat{.role = "judge-1", .kind = RoleKind::kJudge};
  EXPECT_FALSE(CheckSender(group, ""));  // in one process
  EXPECT_FALSE(CheckSender(group, "actor-0"));
  EXPECT_FALSE(CheckSender(LeaseRequest{.actor = "actor-0"}, "actor-0"));
  EXPECT_FALSE(CheckSender(heartbeat, "judge-1"));
  EXPECT_FALSE(CheckSender(SynthesisRequest{3, {"a"}}, "actor-7"));
  EXPECT_FALSE(CheckSender(WeightRequest{}, "actor-0"));
  for (const char* other : {"actor-1", "actor-00", "judge-0", "learner", "supervisor", "actor-0 "}) {
    IsRefused(CheckSender(group, other), Refusal::kSender);
    IsRefused(CheckSender(LeaseRequest{.actor = "actor-0"}, other), Refusal::kSender);
    IsRefused(CheckSender(heartbeat, other), Refusal::kSender);
  }
  for (const char* service : {"judge-0", "anchor-0", "anchor", "learner", "agent-0"}) {
    IsRefused(CheckSender(SynthesisRequest{3, {"a"}}, service), Refusal::kSender);
    IsRefused(CheckSender(JudgeRequest{}, service), Refusal::kSender);
    IsRefused(CheckSender(WeightRequest{}, service), Refusal::kSender);
    IsRefused(CheckSender(WeightPart{}, service), Refusal::kSender);
  }
}

TEST(ValidateTest, ASynthesisNeedsCandidates) {
  EXPECT_FALSE(Check(SynthesisRequest{3, {""}}));
  IsRefused(Check(SynthesisRequest{3, {}}), Refusal::kSizes);
  IsRefused(Check(SynthesisRequest{3, std::vector<std::string>(5'000)}), Refusal::kSizes);
  IsRefused(Check(SynthesisRequest{kBeyond, {"a"}}), Refusal::kLease);
}

TEST(ValidateTest, AReferenceIsOfTheTicketAndOfNumbers) {
  const Reference reference{.text = "a", .generation = "a", .rubric = {{"c", 1}}};
  EXPECT_FALSE(Check(SynthesisReply{3, reference}, 3));
  EXPECT_FALSE(Check(SynthesisReply{3, base::Failure{}}, 3));
  IsRefused(Check(SynthesisReply{4, reference}, 3), Refusal::kLease);
  Reference wrong = reference;
  wrong.stages = 0;
  IsRefused(Check(SynthesisReply{3, wrong}, 3), Refusal::kNumbers);
  wrong = reference;
  wrong.rubric[0].points = std::numeric_limits<double>::infinity();
  IsRefused(Check(SynthesisReply{3, wrong}, 3), Refusal::kNumbers);
  wrong.rubric = {{"", 1}};
  IsRefused(Check(SynthesisReply{3, wrong}, 3), Refusal::kSizes);
}

TEST(ValidateTest, AJudgeNeedsResponsesAndSomethingToHoldThemAgainst) {
  const auto request = [](Target target) { return JudgeRequest{3, std::move(target), {"a", "b"}, {1, 1}}; };
  EXPECT_FALSE(Check(request(WholeText{""})));
  EXPECT_FALSE(Check(request(Labels{{"4"}})));
  EXPECT_FALSE(Check(request(Rubric{{{"is short", -1}}})));
  EXPECT_FALSE(Check(request(Tests{"assert f(1)", "", ""})));
  EXPECT_FALSE(Check(request(Program{"def f", {}})));
  IsRefused(Check(request(Labels{})), Refusal::kSizes);
  IsRefused(Check(request(Rubric{})), Refusal::kSizes);
  IsRefused(Check(request(Rubric{{{"is short", std::nan("")}}})), Refusal::kNumbers);
  IsRefused(Check(request(Tests{})), Refusal::kSizes);
  IsRefused(Check(request(Program{"def f", std::vector<std::string>(5'000)})), Refusal::kSizes);
  IsRefused(Check(JudgeRequest{3, WholeText{"a"}, {}, {}}), Refusal::kSizes);
  IsRefused(Check(JudgeRequest{3, WholeText{"a"}, {"a"}, {}}), Refusal::kSizes);
  IsRefused(Check(JudgeRequest{3, WholeText{"a"}, {"a"}, {~0u}}), Refusal::kNumbers);
}

TEST(ValidateTest, ALengthPenaltyWidensTheRewards) {
  const Judged asked{.ticket = 3, .responses = 1, .criteria = 0, .rewards = {-2, 1}};
  EXPECT_FALSE(Check(JudgeReply{3, {}, {-2.0}}, asked));
  IsRefused(Check(JudgeReply{3, {}, {-2.5}}, asked), Refusal::kNumbers);
}

TEST(ValidateTest, EveryFigureThatIsReportedHasAKindOfRole) {
  EXPECT_NE(FindReported(RoleKind::kJudge, "judge/cache_hit"), nullptr);
  EXPECT_EQ(FindReported(RoleKind::kActor, "judge/cache_hit"), nullptr);
  EXPECT_EQ(FindReported(RoleKind::kJudge, "reward"), nullptr);
}

}  // namespace
}  // namespace autodidact::schema
