#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zmq.h>

#include <atomic>

#include "base/rng.h"
#include "echo.h"

namespace autodidact::net {
namespace {

using base::Deadline;
using base::ErrorKind;
using testing::HasSubstr;

constexpr Milliseconds kRefusal{800};

Client::Options Asking(const std::string& server = "learner") {
  return {.name = "tester", .peer = "vault", .retry_after = kSoon, .server = server};
}

template <class Fn>
base::ErrorKind KindThrownBy(Fn fn) {
  try {
    fn();
  } catch (const base::Error& error) {
    return error.kind();
  }
  return ErrorKind::kBug;
}

// A server on the loopback that counts what it is asked.
class SecurityTest : public testing::Test {
 protected:
  // Until the server has noticed it, on its own thread.
  bool SeesStrangers(std::uint64_t count) {
    const Deadline deadline = Deadline::In(kSoon);
    while (strangers_ < count && !deadline.Passed()) strangers_ += context_.TakeStrangers();
    return strangers_ >= count;
  }

  Context context_;
  std::atomic<int> requests_{0};
  std::uint64_t strangers_ = 0;
  Server server_{context_, "tcp://127.0.0.1:*", ServerSide(), [this](Incoming incoming) {
                   ++requests_;
                   Echo(std::move(incoming));
                 }};
};

TEST_F(SecurityTest, AKnownKeyIsLetInUnderItsName) {
  Client client(context_, {server_.endpoint()}, ClientSide(), Asking());
  EXPECT_EQ(client.Call("a", Deadline::In(kSoon), "asking").value(), "echo a");
  EXPECT_EQ(context_.TakeStrangers(), 0u);
}

TEST_F(SecurityTest, AnUnknownKeyIsRefusedAndCounted) {
  Security stranger = ClientSide();
  stranger.own = MakeKeyPair();
  Client client(context_, {server_.endpoint()}, stranger, Asking());
  const auto reply = client.Call("a", Deadline::In(kRefusal), "asking");
  ASSERT_FALSE(reply.ok());
  EXPECT_THAT(reply.failure().reason, HasSubstr("refused our key"));
  EXPECT_EQ(requests_, 0);
  EXPECT_TRUE(SeesStrangers(1));
}

TEST_F(SecurityTest, TheKeysOfAnotherRunAreRefused) {
  const tests::RunKeys other;
  Security foreign = other.Of("actor-0");
  foreign.known = ClientSide().known;  // it knows whom it asks
  Client client(context_, {server_.endpoint()}, foreign, Asking());
  EXPECT_FALSE(client.Call("a", Deadline::In(kRefusal), "asking").ok());
  EXPECT_EQ(requests_, 0);
  EXPECT_TRUE(SeesStrangers(1));
}

TEST_F(SecurityTest, APeerWithoutKeysIsRefusedAndCounted) {
  void* context = zmq_ctx_new();
  void* plain = zmq_socket(context, ZMQ_DEALER);
  const int linger = 0;
  zmq_setsockopt(plain, ZMQ_LINGER, &linger, sizeof linger);
  ASSERT_EQ(zmq_connect(plain, server_.endpoint().c_str()), 0);
  zmq_send(plain, "12345678", 8, ZMQ_SNDMORE);
  zmq_send(plain, "a", 1, 0);
  EXPECT_TRUE(SeesStrangers(1));
  EXPECT_EQ(requests_, 0);
  zmq_close(plain);
  zmq_ctx_term(context);
}

TEST_F(SecurityTest, AnImpostorWithAnotherKeyGetsNoRequests) {
  std::atomic<int> requests{0};
  Security impostor = ServerSide();
  impostor.own = MakeKeyPair();
  Server server(context_, "tcp://127.0.0.1:*", impostor, [&](Incoming) { ++requests; });
  Client client(context_, {server.endpoint()}, ClientSide(), Asking());
  EXPECT_FALSE(client.Call("a", Deadline::In(kRefusal), "asking").ok());
  EXPECT_EQ(requests, 0);
}

TEST_F(SecurityTest, AServiceAnswersByTheKeyOfItsKind) {
  const tests::RunKeys keys({"anchor", "anchor-0", "actor-0"});
  Security anchor = keys.Of("anchor-0");
  anchor.serving = keys.Of("anchor").own;
  Server server(context_, "tcp://127.0.0.1:*", anchor, Echo);
  Client client(context_, {server.endpoint()}, keys.Of("actor-0"), Asking("anchor"));
  EXPECT_TRUE(client.Call("a", Deadline::In(kSoon), "asking").ok());
}

TEST_F(SecurityTest, TcpWithoutKeysIsBadInput) {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "tcp://*:*", "tcp://0.0.0.0:*", "tcp://10.1.2.3:5000"}) {
    EXPECT_EQ(KindThrownBy([&] { Server(context_, endpoint, {}, Echo); }), ErrorKind::kBadInput) << endpoint;
  }
  EXPECT_EQ(KindThrownBy([&] { Client(context_, {"tcp://127.0.0.1:5000"}, {}, Asking()); }), ErrorKind::kBadInput);
  Client client(context_, {}, {}, Asking());
  EXPECT_EQ(KindThrownBy([&] { client.SetEndpoints({"tcp://10.1.2.3:5000"}); }), ErrorKind::kBadInput);
}

TEST_F(SecurityTest, EveryAddressOfAHostCanBeServedWithKeys) {
  Server server(context_, "tcp://0.0.0.0:*", ServerSide(), Echo);
  const std::string port = server.endpoint().substr(server.endpoint().rfind(':'));
  Client client(context_, {"tcp://127.0.0.1" + port}, ClientSide(), Asking());
  EXPECT_TRUE(client.Call("a", Deadline::In(kSoon), "asking").ok());
}

TEST_F(SecurityTest, MalformedAndMissingKeysAreBadInput) {
  Security short_key = ServerSide();
  short_key.own->secret_key.pop_back();
  EXPECT_EQ(KindThrownBy([&] { Server(context_, "tcp://127.0.0.1:*", short_key, Echo); }), ErrorKind::kBadInput);
  Security nobody = ServerSide();
  nobody.known.clear();
  EXPECT_EQ(KindThrownBy([&] { Server(context_, "tcp://127.0.0.1:*", nobody, Echo); }), ErrorKind::kBadInput);
  EXPECT_EQ(KindThrownBy([&] { Client(context_, {"tcp://127.0.0.1:5"}, ClientSide(), Asking("judge")); }),
            ErrorKind::kBadInput);
}

// A peer that has keys of the run and speaks ZeroMQ, but not our protocol: nothing it sends may hurt.
class StrangerTest : public testing::Test {
 protected:
  static constexpr int kMessages = 300;

  static void SetKey(void* socket, int option, const std::string& key) {
    zmq_setsockopt(socket, option, key.c_str(), key.size() + 1);  // Z85 with its end
  }
  // Random messages of 1 to 6 frames of up to 64 bytes, over a raw DEALER.
  void Babble(void* socket) {
    base::RandomWalk random({.seed = 7, .stream = base::RandomStream::kTest});
    for (int i = 0; i < kMessages; ++i) {
      const auto frames = 1 + random.Below(6);
      for (std::uint64_t f = 0; f < frames; ++f) {
        std::string bytes(random.Below(65), '\0');
        for (char& byte : bytes) byte = static_cast<char>(random.Below(256));
        zmq_send(socket, bytes.data(), bytes.size(), f + 1 < frames ? ZMQ_SNDMORE : 0);
      }
    }
  }
  Context context_;
};

TEST_F(StrangerTest, MessagesThatAreNoRequestsDoNotDisturbAServer) {
  Server server(context_, "tcp://127.0.0.1:*", ServerSide(), Echo);
  void* raw_context = zmq_ctx_new();
  void* raw = zmq_socket(raw_context, ZMQ_DEALER);
  const int linger = 0;
  zmq_setsockopt(raw, ZMQ_LINGER, &linger, sizeof linger);
  SetKey(raw, ZMQ_CURVE_SERVERKEY, ServerSide().own->public_key);
  SetKey(raw, ZMQ_CURVE_PUBLICKEY, ClientSide().own->public_key);
  SetKey(raw, ZMQ_CURVE_SECRETKEY, ClientSide().own->secret_key);
  ASSERT_EQ(zmq_connect(raw, server.endpoint().c_str()), 0);
  Babble(raw);
  Client client(context_, {server.endpoint()}, ClientSide(), Asking());
  EXPECT_EQ(client.Call("a", Deadline::In(kSoon), "asking").value(), "echo a");
  zmq_close(raw);
  zmq_ctx_term(raw_context);
}

TEST_F(StrangerTest, MessagesThatAreNoRepliesDoNotDisturbAClient) {
  void* raw_context = zmq_ctx_new();
  void* raw = zmq_socket(raw_context, ZMQ_DEALER);
  const int linger = 0;
  zmq_setsockopt(raw, ZMQ_LINGER, &linger, sizeof linger);
  const int yes = 1;
  zmq_setsockopt(raw, ZMQ_CURVE_SERVER, &yes, sizeof yes);
  SetKey(raw, ZMQ_CURVE_SECRETKEY, ServerSide().own->secret_key);
  ASSERT_EQ(zmq_bind(raw, "tcp://127.0.0.1:*"), 0);
  std::string endpoint(256, '\0');
  std::size_t size = endpoint.size();
  zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, endpoint.data(), &size);
  endpoint.resize(size - 1);
  Client client(context_, {endpoint}, ClientSide(), Asking());
  std::atomic<bool> failed{false};
  std::thread caller([&] { failed = !client.Call("a", Deadline::In(kRefusal), "asking").ok(); });
  Babble(raw);
  caller.join();
  EXPECT_TRUE(failed);
  zmq_close(raw);
  zmq_ctx_term(raw_context);
}

}  // namespace
}  // namespace autodidact::net
