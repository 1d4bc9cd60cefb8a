#include "schema/codec.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"

namespace autodidact::schema {
namespace {

Rollout SomeRollout() {
  return {.ids = {5, 6, 2},
          .logprobs = {-0.5f, -1.25f, -0.125f},
          .sampled_logprobs = {-0.25f, -1.0f, 0.0f},
          .first_version = 7,
          .last_version = 8,
          .stop = StopReason::kStopString,
          .text = "ÄÖ \n\0x"};
}

// One message of every kind, with every field set to something that is not its default.
std::vector<Message> EveryKind() {
  const Prompt prompt{"id-1", "what is it?", {{"system", "be brief"}, {"user", "2+2"}}, R"({"id":"id-1","x":[1,2]})"};
  const base::Failure failure{base::ErrorKind::kDisconnected, "the anchor is gone"};
  const Reference reference{"four", "## Answer\nfour", {{"says four", 7}, {"is short", -2.5}}, 2};
  return {
      LeaseRequest{"actor-1", 4, 9},
      LeaseReply{RunState::kWaiting, {{41, prompt, 2, 60000, 9}}},
      SynthesisRequest{41, {"four", "4", ""}},
      SynthesisReply{41, reference},
      SynthesisReply{42, failure},
      JudgeRequest{41, "four", {{"says four", -3}}, {"4", "5"}, {1, 2}},
      JudgeReply{41, {{1, 0, VerdictKind::kNotMet, "it says five"}}, {1.0, failure}},
      ScoredGroup{"actor-1",
                  {41, {1, 5, 6}, {SomeRollout(), SomeRollout()}},
                  reference,
                  {{0, 1, VerdictKind::kInvalid, "no reply"}},
                  {0.5, failure},
                  1.5f,
                  0.25f,
                  0.125f},
      SubmitReply{Receipt::kStale, RunState::kFinished},
      Heartbeat{"judge-0", "tcp://127.0.0.1:9", "host", 4711, "waiting", 12, {{"judge/calls", 3}}},
      Directory{RunState::kWaiting, 6, "inproc://w", {"inproc://a"}, {"inproc://j", "inproc://k"}},
      WeightRequest{true, 3, 5, 1000, 2, true, 5},
      WeightPart{5, true, 4, {{"model.norm.weight", ElementType::kBFloat16, {64}}}, 1, 3, 128, 99, "payload\0bytes"},
      FailureReply{failure},
  };
}

TEST(CodecTest, GivesBackEveryKindOfMessageAsItWas) {
  for (const Message& message : EveryKind()) {
    EXPECT_EQ(Decode(Encode(message)), message) << Describe(message);
  }
}

TEST(CodecTest, CoversEveryKindOfMessage) {
  std::vector<bool> seen(std::variant_size_v<Message>);
  for (const Message& message : EveryKind()) seen[message.index()] = true;
  for (std::size_t kind = 0; kind < seen.size(); ++kind) EXPECT_TRUE(seen[kind]) << "kind " << kind;
}

TEST(CodecTest, GivesEqualBytesForEqualMessages) {
  for (const Message& message : EveryKind()) EXPECT_EQ(Encode(message), Encode(Message(message)));
}

// Design §2: the request to the anchor is a function of the candidates alone.
TEST(CodecTest, SynthesisRequestHasTheSameBytesWhateverTheQuestionIs) {
  const std::vector<std::string> candidates = {"AA L T OW", "AE L T OW"};
  std::vector<std::string> encoded;
  for (const char* question : {"a a l t o", "an entirely different and much longer question"}) {
    const Lease lease{17, Prompt{question, question, {}, question}, 1, 1000, 0};
    encoded.push_back(Encode(SynthesisRequest{lease.ticket, candidates}));
  }
  EXPECT_EQ(encoded[0], encoded[1]);
}

TEST(CodecTest, RefusesBytesThatAreCutShort) {
  for (const Message& message : EveryKind()) {
    const std::string bytes = Encode(message);
    for (std::size_t size = 0; size + 8 < bytes.size(); size += 8) {
      try {
        // A cut that only loses unread padding may still decode; it must never crash or give something else's kind.
        const Message decoded = Decode(std::string_view(bytes).substr(0, size));
        EXPECT_EQ(decoded.index(), message.index());
      } catch (const base::Error& error) {
        EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      }
    }
  }
}

TEST(CodecTest, NeverCrashesOnDamagedBytes) {
  base::RandomWalk walk({.seed = 11, .item = 1});
  int refused = 0;
  for (int round = 0; round < 200; ++round) {
    for (const Message& message : EveryKind()) {
      std::string bytes = Encode(message);
      for (int i = 0; i < 3; ++i) bytes[walk.Below(bytes.size())] = static_cast<char>(walk.Below(256));
      try {
        Decode(bytes);
      } catch (const base::Error& error) {
        EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(CodecTest, RefusesARolloutWhoseLogprobsDoNotMatchItsTokens) {
  Rollout rollout = SomeRollout();
  rollout.logprobs.pop_back();
  ScoredGroup scored;
  scored.group.rollouts = {rollout};
  EXPECT_THROW(Decode(Encode(scored)), base::Error);
}

TEST(CodecTest, DecodeReplyTurnsAFailureReplyIntoItsFailure) {
  const base::Failure failure{base::ErrorKind::kRetryLater, "busy"};
  const auto outcome = DecodeReply<LeaseReply>(Encode(FailureReply{failure}));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.failure(), failure);
  EXPECT_THROW(DecodeReply<LeaseReply>(Encode(SubmitReply{})), base::Error);
}

}  // namespace
}  // namespace autodidact::schema
