#include "weights/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/rng.h"
#include "schema/codec.h"
#include "tests/run_keys.h"
#include "tests/waits.h"
#include "weights/assembly.h"
#include "weights/delta.h"
#include "weights/flat_set.h"

namespace autodidact::weights {
namespace {

using base::Deadline;
using base::ErrorKind;
using base::Milliseconds;
using testing::HasSubstr;
using tests::kSoon;

constexpr Milliseconds kShort{150};
constexpr std::int64_t kSmallPart = 10'001;  // no multiple of anything

model::ModelConfig TinyModel() {
  model::ModelConfig config;
  config.vocab_size = 50;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.num_layers = 2;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.head_dim = 4;
  config.max_position_embeddings = 64;
  config.is_sliding = {false, false};
  return config;
}

model::SharedWeights Version(std::uint64_t version, at::ScalarType type = at::kFloat, std::uint64_t seed = 1) {
  model::Parameters parameters = model::InitialParameters(TinyModel(), seed);
  for (auto& [name, tensor] : parameters) tensor = tensor.to(type);
  return std::make_shared<const model::WeightSet>(TinyModel(), std::move(parameters), version);
}

// The next version: every hundredth value of each tensor moved a little.
model::SharedWeights Step(const model::SharedWeights& weights) {
  model::Parameters parameters;
  for (const auto& [name, tensor] : weights->parameters()) {
    at::Tensor next = tensor.clone();
    next.view({-1}).slice(0, 0, next.numel(), 100).add_(0.01);
    parameters.emplace(name, std::move(next));
  }
  return std::make_shared<const model::WeightSet>(weights->config(), std::move(parameters), weights->version() + 1);
}

void ExpectEqual(const model::SharedWeights& got, const model::SharedWeights& expected) {
  EXPECT_EQ(got->version(), expected->version());
  ASSERT_EQ(got->parameters().size(), expected->parameters().size());
  for (const auto& [name, tensor] : expected->parameters()) {
    EXPECT_EQ(got->at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(got->at(name), tensor)) << name;
  }
}

TEST(WeightStoreTest, WaitEndsWhenTheVersionIsPublished) {
  WeightStore store;
  std::thread publisher([&] {
    store.Publish(Version(1));
    store.Publish(Version(4));
  });
  const auto weights = store.WaitFor(3, Deadline::In(kSoon));
  publisher.join();
  EXPECT_EQ((*weights)->version(), 4u);
  EXPECT_EQ(store.newest(), 4u);
}

TEST(WeightStoreTest, WaitEndsAtItsDeadlineNamingTheVersions) {
  WeightStore store;
  store.Publish(Version(2));
  const auto weights = store.WaitFor(3, Deadline::In(kShort));
  ASSERT_FALSE(weights.ok());
  EXPECT_EQ(weights.failure().kind, ErrorKind::kRetryLater);
  EXPECT_THAT(weights.failure().reason, HasSubstr("version 3"));
  EXPECT_THAT(weights.failure().reason, HasSubstr("newest: 2"));
}

TEST(WeightStoreTest, VersionsOnlyGrow) {
  WeightStore store;
  store.Publish(Version(2));
  EXPECT_THROW(store.Publish(Version(2)), base::Error);
}

TEST(LocalSourceTest, SetIsSharedNotCopied) {
  WeightStore store;
  const auto weights = Version(0);
  store.Publish(weights);
  EXPECT_EQ(MakeLocalSource(store)->Fetch(0, Deadline::In(kSoon)).value(), weights);
}

class TransferTest : public testing::Test {
 protected:
  std::unique_ptr<WeightSource> Source(const std::string& endpoint) {
    return MakeNetworkSource(context_, endpoint, keys_.Of("actor-0"), TinyModel(), at::kCPU);
  }

  const tests::RunKeys keys_;
  net::Context context_;
  WeightStore store_;
};

TEST_F(TransferTest, WholeSetArrivesBitForBitInEveryType) {
  for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    WeightStore store;
    const auto weights = Version(3, type);
    store.Publish(weights);
    WeightPublisher publisher(store, context_, "tcp://127.0.0.1:*", keys_.Of("learner"), kSmallPart);
    ExpectEqual(Source(publisher.endpoint())->Fetch(3, Deadline::In(kSoon)).value(), weights);
  }
}

TEST_F(TransferTest, DeltasGiveTheSameSetsInFewerBytes) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    WeightStore store;
    auto weights = Version(0, type);
    store.Publish(weights);
    WeightPublisher publisher(store, context_, std::string("inproc://") + c10::toString(type), {}, kSmallPart);
    const auto source = Source(publisher.endpoint());
    ExpectEqual(source->Fetch(0, Deadline::In(kSoon)).value(), weights);
    const auto whole = source->transfer_bytes();
    for (int step = 0; step < 3; ++step) {
      weights = Step(weights);
      store.Publish(weights);
      const auto before = source->transfer_bytes();
      ExpectEqual(source->Fetch(weights->version(), Deadline::In(kSoon)).value(), weights);
      EXPECT_LT(source->transfer_bytes() - before, whole / 4) << c10::toString(type);
      EXPECT_EQ(source->newest(), weights->version());
    }
    EXPECT_GT(source->transfer_seconds(), 0);
  }
}

TEST_F(TransferTest, SetThatHasNothingInCommonIsSentWhole) {
  store_.Publish(Version(0));
  WeightPublisher publisher(store_, context_, "inproc://weights", {}, kSmallPart);
  const auto source = Source(publisher.endpoint());
  ASSERT_TRUE(source->Fetch(0, Deadline::In(kSoon)).ok());
  const auto other = Version(1, at::kFloat, /*seed=*/2);
  store_.Publish(other);
  ExpectEqual(source->Fetch(1, Deadline::In(kSoon)).value(), other);
}

TEST_F(TransferTest, ActorThatMissedVersionsGetsTheNewestWhole) {
  auto weights = Version(0);
  store_.Publish(weights);
  net::Context& context = context_;
  auto first = std::make_unique<WeightPublisher>(store_, context, "inproc://first", net::Security{}, kSmallPart);
  const auto source = Source(first->endpoint());
  ASSERT_TRUE(source->Fetch(0, Deadline::In(kSoon)).ok());
  for (int step = 0; step < 5; ++step) store_.Publish(weights = Step(weights));
  ExpectEqual(source->Fetch(5, Deadline::In(kSoon)).value(), weights);
}

TEST_F(TransferTest, WaitingFetchEndsAtItsDeadline) {
  store_.Publish(Version(0));
  WeightPublisher publisher(store_, context_, "inproc://weights", {});
  const auto source = Source(publisher.endpoint());
  const auto weights = source->Fetch(7, Deadline::In(kShort));
  ASSERT_FALSE(weights.ok());
  EXPECT_EQ(weights.failure().kind, ErrorKind::kRetryLater);
  EXPECT_THAT(weights.failure().reason, HasSubstr("version 7"));
}

TEST_F(TransferTest, FetchWaitsForAPublisherThatComesLater) {
  const auto source = Source("inproc://later");
  const auto weights = Version(2);
  store_.Publish(weights);
  WeightPublisher publisher(store_, context_, "inproc://later", {});
  ExpectEqual(source->Fetch(1, Deadline::In(kSoon)).value(), weights);
}

// Stands between a source and a publisher and changes what passes.
class Meddler {
 public:
  Meddler(net::Context& context, const std::string& publisher, std::function<void(schema::WeightPart&)> change)
      : client_(context, {publisher}, {}, {"meddler", "publisher"}),
        server_(context, "inproc://meddler", {}, [this, change](net::Incoming incoming) {
          auto reply = std::make_shared<net::ReplyHandle>(std::move(incoming.reply));
          client_.CallAsync(incoming.bytes, Deadline::In(kSoon), "passing on",
                            [reply, change](base::Outcome<std::string> answer) {
                              if (!answer.ok()) return;
                              schema::Message message = schema::Decode(*answer);
                              if (auto* part = std::get_if<schema::WeightPart>(&message)) change(*part);
                              reply->Send(schema::Encode(message));
                            });
        }) {}

 private:
  net::Client client_;
  net::Server server_;
};

TEST_F(TransferTest, CorruptedPartIsFetchedAgainWhole) {
  auto weights = Version(0);
  store_.Publish(weights);
  WeightPublisher publisher(store_, context_, "inproc://weights", {}, kSmallPart);
  std::atomic<int> corrupted{0};
  std::atomic<int> deltas_after{0};
  const std::vector<std::function<void(schema::WeightPart&)>> damages = {
      [](schema::WeightPart& part) { part.payload[part.payload.size() / 2] ^= 1; },
      [](schema::WeightPart& part) { part.payload.pop_back(); },
      [](schema::WeightPart& part) { part.checksum ^= 1; },
      [](schema::WeightPart& part) { part.raw_size *= 1000; },
      [](schema::WeightPart& part) { part.num_parts = 0; },
      [](schema::WeightPart& part) { part.part += 1; },
      [](schema::WeightPart& part) { part.tensors.pop_back(); },
      [](schema::WeightPart& part) { part.is_delta = !part.is_delta; }};
  std::atomic<std::size_t> damage{0};
  Meddler meddler(context_, publisher.endpoint(), [&](schema::WeightPart& part) {
    const std::size_t now = damage;
    if (corrupted > static_cast<int>(now)) {
      // Later parts of the damaged attempt may still come; a new attempt begins with part 0.
      deltas_after += part.is_delta && part.part == 0 ? 1 : 0;
    } else if (part.part == 0) {
      damages[now](part);
      ++corrupted;
    }
  });
  const auto source = Source("inproc://meddler");
  for (std::size_t i = 0; i < damages.size(); ++i) {
    ExpectEqual(source->Fetch(weights->version(), Deadline::In(kSoon)).value(), weights);
    EXPECT_EQ(corrupted, static_cast<int>(i) + 1);
    EXPECT_EQ(deltas_after, 0) << i;
    weights = Step(weights);
    if (i + 1 == damages.size()) break;
    damage = i + 1;
    store_.Publish(weights);
  }
}

TEST_F(TransferTest, SetOfAnotherModelIsNeverHandedOut) {
  store_.Publish(Version(0));
  WeightPublisher publisher(store_, context_, "inproc://weights", {});
  model::ModelConfig other = TinyModel();
  other.hidden_size = 32;
  const auto source = MakeNetworkSource(context_, publisher.endpoint(), {}, other, at::kCPU);
  const auto weights = source->Fetch(0, Deadline::In(Milliseconds(1'000)));
  ASSERT_FALSE(weights.ok());
  EXPECT_THAT(weights.failure().reason, HasSubstr("the model has"));
}

// Asks a publisher as anyone could.
class StrangerTest : public TransferTest {
 protected:
  base::Outcome<schema::WeightPart> Ask(net::Client& client, const schema::WeightRequest& request) {
    auto reply = client.Call(schema::Encode(request), Deadline::In(kSoon), "asking");
    if (!reply.ok()) return reply.failure();
    return schema::DecodeReply<schema::WeightPart>(*reply);
  }
};

TEST_F(StrangerTest, VersionThatIsNoLongerHeldIsRefused) {
  for (std::uint64_t version = 0; version < 3; ++version) store_.Publish(Version(version));
  WeightPublisher publisher(store_, context_, "inproc://weights", {});
  net::Client client(context_, {publisher.endpoint()}, {}, {"stranger", "publisher"});
  schema::WeightRequest request;
  request.has_version = true;
  request.version = 0;
  EXPECT_THAT(Ask(client, request).failure().reason, HasSubstr("no longer held"));
  request.version = 1;
  EXPECT_EQ(Ask(client, request)->version, 1u);
  request.part = 1'000'000;
  EXPECT_EQ(Ask(client, request).failure().kind, ErrorKind::kBadInput);
}

TEST_F(StrangerTest, AskerOfAnOldVersionGetsNoDelta) {
  auto weights = Version(0);
  for (int step = 0; step < 3; ++step) {
    store_.Publish(weights);
    weights = Step(weights);
  }
  WeightPublisher publisher(store_, context_, "inproc://weights", {});
  net::Client client(context_, {publisher.endpoint()}, {}, {"stranger", "publisher"});
  schema::WeightRequest request;
  request.has_weights = true;
  request.have = 1;
  EXPECT_TRUE(Ask(client, request)->is_delta);
  request.have = 0;
  EXPECT_FALSE(Ask(client, request)->is_delta);
}

TEST_F(StrangerTest, BytesThatAreNoRequestGetAClearRefusal) {
  store_.Publish(Version(0));
  WeightPublisher publisher(store_, context_, "inproc://weights", {});
  net::Client client(context_, {publisher.endpoint()}, {}, {"stranger", "publisher"});
  base::RandomWalk random({.seed = 3});
  for (int i = 0; i < 50; ++i) {
    std::string bytes(random.Below(200), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.Below(256));
    const auto reply = client.Call(bytes, Deadline::In(kSoon), "babbling");
    ASSERT_TRUE(reply.ok());
    EXPECT_TRUE(std::holds_alternative<schema::Refused>(schema::Decode(*reply)));
  }
  EXPECT_TRUE(Ask(client, {}).ok());
}

TEST(DeltaTest, ApplyingInvertsEncodingForEverySize) {
  base::RandomWalk random({.seed = 4});
  for (const std::size_t size : {0, 1, 3, 4, 5, 1000, 4099}) {
    std::string before(size, '\0');
    for (char& byte : before) byte = static_cast<char>(random.Below(256));
    std::string after = before;
    for (std::size_t i = 0; i < size; i += 7) after[i] = static_cast<char>(random.Below(256));
    EXPECT_EQ(ApplyDelta(before, EncodeDelta(before, after)), after) << size;
  }
}

TEST(DeltaTest, BytesFromOutsideNeverDecodeToAnotherSize) {
  base::RandomWalk random({.seed = 5});
  const std::string before(1000, 'x');
  const std::string delta = EncodeDelta(before, std::string(1000, 'y'));
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = delta;
    damaged[random.Below(damaged.size())] ^= static_cast<char>(1 + random.Below(255));
    if (i % 3 == 0) damaged.resize(random.Below(damaged.size()));
    const auto after = ApplyDelta(before, damaged);
    if (after) {
      EXPECT_EQ(after->size(), before.size());
    }
  }
  EXPECT_FALSE(ApplyDelta(std::string(999, 'x'), delta).has_value());
  EXPECT_FALSE(ApplyDelta(std::string(1001, 'x'), delta).has_value());
}

TEST(FlatSetTest, RangesCrossTensors) {
  const auto weights = Version(0);
  const FlatSet set(weights->parameters());
  std::string whole(set.size(), '\0');
  set.Read(0, set.size(), whole.data());
  FlatSet copy(set.infos(), TinyModel());
  for (std::uint64_t begin = 0; begin < set.size(); begin += 777) {
    const std::uint64_t size = std::min<std::uint64_t>(777, set.size() - begin);
    std::string range(size, '\0');
    set.Read(begin, size, range.data());
    EXPECT_EQ(range, whole.substr(begin, size));
    copy.Write(begin, size, range.data());
  }
  EXPECT_EQ(copy.Checksum(), set.Checksum());
  char byte = 0;
  EXPECT_THROW(set.Read(set.size(), 1, &byte), base::Error);
}

}  // namespace
}  // namespace autodidact::weights
