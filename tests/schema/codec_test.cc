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
  const Prompt prompt{"id-1", "what is it?", {{"system", "be brief"}, {"user", "2+2"}}, R"({"tools":[1]})", {}};
  const base::Failure failure{base::ErrorKind::kDisconnected, "the anchor is gone"};
  const Reference reference{"four", "## Answer\nfour", {{"says four", 7}, {"is short", -2.5}}, 2};
  return {
      LeaseRequest{"actor-1", 4, 9},
      LeaseReply{RunState::kWaiting, {{41, prompt, {}, 2, 60000, 9}}},
      LeaseReply{RunState::kRunning, {{42, prompt, Labels{{"4", "four"}}}, {43, prompt, Rubric{{{"says four", -2}}}}}},
      LeaseReply{RunState::kRunning,
                 {{44, prompt, Tests{"assert f(1)", "f", "def f"}}, {45, prompt, Inputs{{"f(1)"}}}}},
      LeaseReply{RunState::kRunning, {{46, prompt, MadeReference{"it is four"}}}},
      SynthesisRequest{41, {"four", "4", ""}},
      SynthesisReply{41, reference},
      SynthesisReply{42, failure},
      JudgeRequest{41, WholeText{"four"}, {"4", "5"}, {1, 2}},
      JudgeRequest{42, Labels{{"4", "four"}}, {"4"}, {1}},
      JudgeRequest{43, Rubric{{{"says four", -3}}}, {"4"}, {1}},
      JudgeRequest{44, Tests{"assert f(1)", "f", "def f"}, {"4"}, {1}},
      JudgeRequest{45, Program{"def f", {"f(1)"}}, {"4"}, {1}},
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
      Heartbeat{
          "judge-0", RoleKind::kJudge, 77, "tcp://127.0.0.1:9", "host", 4711, "waiting", 12, {{"judge/calls", 3}}},
      Directory{RunState::kWaiting, "inproc://w", {"inproc://a"}, {"inproc://j", "inproc://k"}},
      WeightRequest{true, 3, 5, 1000, 2, true, 5},
      WeightPart{5, true, 4, {{"model.norm.weight", ElementType::kBFloat16, {64}}}, 1, 3, 128, 99, "payload\0bytes"},
      FailureReply{failure},
      Refused{Refusal::kTokens, "token 3 is 99"},
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
    const Lease lease{17, Prompt{question, question}, Labels{{question}}, 1, 1000, 0};
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

// A message in words of 8 bytes, in one segment.
std::string Words(const std::vector<std::uint64_t>& words) {
  const std::uint32_t head[] = {0, static_cast<std::uint32_t>(words.size())};
  std::string bytes(reinterpret_cast<const char*>(head), sizeof head);
  bytes.append(reinterpret_cast<const char*>(words.data()), words.size() * sizeof words[0]);
  return bytes;
}

std::uint64_t StructPointer(std::uint64_t offset, std::uint64_t data_words, std::uint64_t pointers) {
  return offset << 2 | data_words << 32 | pointers << 48;
}

// `size`: 1 is bits, 2 bytes, 7 structs (then `count` is in words).
std::uint64_t ListPointer(std::uint64_t offset, std::uint64_t size, std::uint64_t count) {
  return 1 | offset << 2 | size << 32 | count << 35;
}

// A LeaseReply (kind 1) with a list of leases that is made of nothing.
std::string LeasesOfNothing(std::uint64_t count) {
  return Words({StructPointer(0, 1, 1), 1 /* kind */, StructPointer(0, 1, 1), 0 /* state */, ListPointer(0, 7, 0),
                count << 2 /* so many structs of no words */});
}

TEST(CodecTest, AFewBytesThatSayThatTheyAreMillionsOfStructsAreRefused) {
  EXPECT_EQ(std::get<LeaseReply>(Decode(LeasesOfNothing(3))).leases.size(), 3u);
  for (const std::uint64_t count : {1'000ull, 20'000'000ull, (1ull << 29) - 1}) {
    EXPECT_LE(LeasesOfNothing(count).size(), 80u);
    EXPECT_THROW(Decode(LeasesOfNothing(count)), base::Error) << count;
  }
}

// Each byte of a list of bytes can be read as a struct.
TEST(CodecTest, StructsOfOneByteEachAreRefused) {
  std::vector<std::uint64_t> words = {StructPointer(0, 1, 1), 1, StructPointer(0, 1, 1), 0, ListPointer(0, 2, 8'000)};
  words.resize(words.size() + 1'000);
  EXPECT_THROW(Decode(Words(words)), base::Error);
}

// One text to which many pointers lead would be as many texts.
TEST(CodecTest, PartsThatAreReadAgainAndAgainAreRefused) {
  constexpr std::uint64_t kTexts = 500;
  std::vector<std::uint64_t> words = {StructPointer(0, 1, 1), 2 /* SynthesisRequest */, StructPointer(0, 1, 1), 0,
                                      ListPointer(0, 6, kTexts)};
  for (std::uint64_t i = 0; i < kTexts; ++i) words.push_back(ListPointer(kTexts - 1 - i, 2, 4'000));
  words.resize(words.size() + 500);  // the one text
  EXPECT_THROW(Decode(Words(words)), base::Error);
}

TEST(CodecTest, DeepMessagesAreRefused) {
  // A struct that points at itself.
  EXPECT_THROW(Decode(Words({StructPointer(0, 1, 1), 6 /* ScoredGroup */, StructPointer((1u << 30) - 2, 1, 1)})),
               base::Error);
}

TEST(CodecTest, KindsThatSayLittleMayNotSayMuch) {
  Heartbeat heartbeat{.role = "actor-0", .doing = std::string(60'000, 'x')};
  EXPECT_NO_THROW(Decode(Encode(heartbeat)));
  heartbeat.doing.resize(70'000);
  EXPECT_THROW(Decode(Encode(heartbeat)), base::Error);
  EXPECT_THROW(Decode(Encode(LeaseRequest{.actor = std::string(5'000, 'a')})), base::Error);
}

TEST(CodecTest, AMessageAsLargeAsItsPartsIsRead) {
  LeaseReply reply;
  reply.leases.resize(500);
  for (auto& lease : reply.leases) lease.prompt.messages.resize(40);
  EXPECT_EQ(std::get<LeaseReply>(Decode(Encode(reply))), reply);
}

TEST(CodecTest, ARefusalComesBackAsAFailure) {
  const auto outcome = DecodeReply<LeaseReply>(Encode(Refused{Refusal::kConfig, "another run's"}));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.failure(), (base::Failure{base::ErrorKind::kBadInput, "refused (config): another run's"}));
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
