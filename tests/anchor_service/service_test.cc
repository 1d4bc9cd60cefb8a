#include "anchor_service/service.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/format.h"
#include "schema/codec.h"
#include "tests/tiny_model.h"

namespace autodidact::anchor_service {
namespace {

// A service with a random model over whole symbols, on its own thread.
class ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              (std::string("anchor_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    tests::TinyModel tiny = tests::MakeTinyModel({"a", "b", "c", "|", "=>"}, folder_ / "tokenizer.json");
    tokenizer_ = std::move(tiny.tokenizer);
    weights_ = std::move(tiny.weights);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ServiceConfig Config() const {
    ServiceConfig config;
    config.synthesis.prompt.instruction = "{candidates} =>";
    config.synthesis.prompt.candidate = "| {text}";
    config.synthesis.prompt.separator = " ";
    config.synthesis.sampling.temperature = 0;
    config.synthesis.sampling.max_new_tokens = 12;
    config.synthesis.rule.extractor = answers::Extractor::kWholeText;
    return config;
  }

  base::Outcome<schema::SynthesisReply> Ask(net::Client& client, const schema::Message& message) {
    const auto bytes =
        client.Call(schema::Encode(message), base::Deadline::In(std::chrono::seconds(60)), "a synthesis");
    if (!bytes.ok()) return bytes.failure();
    return schema::DecodeReply<schema::SynthesisReply>(*bytes);
  }

  std::filesystem::path folder_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  model::SharedWeights weights_;
};

TEST_F(ServiceTest, AnyReplicaGivesTheSameAnswerToTheSameRequest) {
  net::Context context;
  std::vector<schema::SynthesisReply> replies;
  for (int replica = 0; replica < 2; ++replica) {
    ServiceConfig config = Config();
    config.endpoint = base::Format("inproc://anchor-{}", replica);
    Service service(context, {}, config, weights_, *tokenizer_);
    std::jthread thread([&](const std::stop_token& stop) { service.Run(stop); });
    net::Client client(context, {service.endpoint()}, {}, {.name = "test", .peer = "anchor"});
    const auto reply = Ask(client, schema::SynthesisRequest{5, {"a b", "b c", "a"}});
    ASSERT_TRUE(reply.ok()) << reply.failure().reason;
    EXPECT_EQ(reply->ticket, 5u);
    replies.push_back(*reply);
  }
  EXPECT_EQ(replies[0], replies[1]);
}

TEST_F(ServiceTest, RefusesOtherMessagesAndBytesThatAreNone) {
  net::Context context;
  Service service(context, {}, Config(), weights_, *tokenizer_);
  std::jthread thread([&](const std::stop_token& stop) { service.Run(stop); });
  net::Client client(context, {service.endpoint()}, {}, {.name = "test", .peer = "anchor"});
  const auto reply = Ask(client, schema::LeaseRequest{"a", 1, 0});
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.failure().kind, base::ErrorKind::kBadInput);
  const auto bytes = client.Call("nonsense", base::Deadline::In(std::chrono::seconds(60)), "nonsense");
  ASSERT_TRUE(bytes.ok());
  EXPECT_FALSE(schema::DecodeReply<schema::SynthesisReply>(*bytes).ok());
}

TEST_F(ServiceTest, ACandidateThatTheVocabularyCannotExpressIsAFailureNotACrash) {
  net::Context context;
  Service service(context, {}, Config(), weights_, *tokenizer_);
  std::jthread thread([&](const std::stop_token& stop) { service.Run(stop); });
  net::Client client(context, {service.endpoint()}, {}, {.name = "test", .peer = "anchor"});
  const auto bad = Ask(client, schema::SynthesisRequest{1, {"zebra"}});
  ASSERT_TRUE(bad.ok()) << bad.failure().reason;
  EXPECT_FALSE(bad->reference.ok());
  EXPECT_TRUE(Ask(client, schema::SynthesisRequest{2, {"a"}}).ok());
}

}  // namespace
}  // namespace autodidact::anchor_service
