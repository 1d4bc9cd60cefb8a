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

struct Keys {
  KeyPair server = MakeKeyPair();
  KeyPair client = MakeKeyPair();

  Security ServerSide() const { return {server, "", {client.public_key}}; }
  Security ClientSide() const { return {client, server.public_key, {}}; }
};

Client::Options Named() {
  return {"tester", "vault", kSoon};
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

TEST(SecurityTest, KnownKeyIsLetIn) {
  Context context;
  const Keys keys;
  Server server(context, "tcp://127.0.0.1:*", keys.ServerSide(), Echo);
  Client client(context, {server.endpoint()}, keys.ClientSide(), Named());
  EXPECT_EQ(client.Call("a", Deadline::In(kSoon), "asking").value(), "echo a");
}

TEST(SecurityTest, UnknownKeyIsRefused) {
  Context context;
  const Keys keys;
  std::atomic<int> requests{0};
  Server server(context, "tcp://127.0.0.1:*", keys.ServerSide(), [&](Incoming incoming) {
    ++requests;
    Echo(std::move(incoming));
  });
  Client stranger(context, {server.endpoint()}, {MakeKeyPair(), keys.server.public_key, {}}, Named());
  const auto reply = stranger.Call("a", Deadline::In(kRefusal), "asking");
  ASSERT_FALSE(reply.ok());
  EXPECT_THAT(reply.failure().reason, HasSubstr("refused our key"));
  EXPECT_EQ(requests, 0);
}

TEST(SecurityTest, KeyOfOneServerDoesNotOpenAnother) {
  Context context;
  const Keys first, second;
  Server server1(context, "tcp://127.0.0.1:*", first.ServerSide(), Echo);
  Server server2(context, "tcp://127.0.0.1:*", second.ServerSide(), Echo);
  Client client(context, {server2.endpoint()}, {first.client, second.server.public_key, {}}, Named());
  EXPECT_FALSE(client.Call("a", Deadline::In(kRefusal), "asking").ok());
}

TEST(SecurityTest, ClientWithoutKeysIsRefusedByAServerWithKeys) {
  Context context;
  Server server(context, "tcp://127.0.0.1:*", Keys().ServerSide(), Echo);
  Client client(context, {server.endpoint()}, {}, Named());
  EXPECT_FALSE(client.Call("a", Deadline::In(kRefusal), "asking").ok());
}

TEST(SecurityTest, ImpostorWithAnotherKeyGetsNoRequests) {
  Context context;
  const Keys keys;
  std::atomic<int> requests{0};
  const Security impostor{MakeKeyPair(), "", {keys.client.public_key}};
  Server server(context, "tcp://127.0.0.1:*", impostor, [&](Incoming) { ++requests; });
  Client client(context, {server.endpoint()}, keys.ClientSide(), Named());
  EXPECT_FALSE(client.Call("a", Deadline::In(kRefusal), "asking").ok());
  EXPECT_EQ(requests, 0);
}

TEST(SecurityTest, BindingOffTheLoopbackWithoutKeysIsBadInput) {
  Context context;
  for (const char* endpoint : {"tcp://*:*", "tcp://0.0.0.0:*", "tcp://eth0:*", "tcp://10.1.2.3:5000"}) {
    EXPECT_EQ(KindThrownBy([&] { Server(context, endpoint, {}, Echo); }), ErrorKind::kBadInput) << endpoint;
  }
}

TEST(SecurityTest, ConnectingOffTheLoopbackWithoutKeysIsBadInput) {
  Context context;
  EXPECT_EQ(KindThrownBy([&] { Client(context, {"tcp://10.1.2.3:5000"}, {}, Named()); }), ErrorKind::kBadInput);
  Client client(context, {}, {}, Named());
  EXPECT_EQ(KindThrownBy([&] { client.SetEndpoints({"tcp://10.1.2.3:5000"}); }), ErrorKind::kBadInput);
}

TEST(SecurityTest, BindingOffTheLoopbackWithKeysWorks) {
  Context context;
  const Keys keys;
  Server server(context, "tcp://0.0.0.0:*", keys.ServerSide(), Echo);
  const std::string port = server.endpoint().substr(server.endpoint().rfind(':'));
  Client client(context, {"tcp://127.0.0.1" + port}, keys.ClientSide(), Named());
  EXPECT_TRUE(client.Call("a", Deadline::In(kSoon), "asking").ok());
}

TEST(SecurityTest, MalformedKeysAreBadInput) {
  Context context;
  const Keys keys;
  Security short_key = keys.ServerSide();
  short_key.own->secret_key.pop_back();
  EXPECT_EQ(KindThrownBy([&] { Server(context, "tcp://127.0.0.1:*", short_key, Echo); }), ErrorKind::kBadInput);
  Security nobody = keys.ServerSide();
  nobody.allowed_clients.clear();
  EXPECT_EQ(KindThrownBy([&] { Server(context, "tcp://127.0.0.1:*", nobody, Echo); }), ErrorKind::kBadInput);
  Security no_server = keys.ClientSide();
  no_server.server_public_key = "";
  EXPECT_EQ(KindThrownBy([&] { Client(context, {"tcp://127.0.0.1:5"}, no_server, Named()); }), ErrorKind::kBadInput);
}

TEST(IsLocalTest, TellsTheLoopbackFromOtherAddresses) {
  for (const char* local :
       {"inproc://x", "tcp://127.0.0.1:1", "tcp://127.255.0.9:*", "tcp://localhost:80", "tcp://[::1]:9"}) {
    EXPECT_TRUE(IsLocal(local)) << local;
  }
  for (const char* other : {"tcp://*:1", "tcp://0.0.0.0:1", "tcp://10.0.0.1:1", "tcp://127.0.0.1.example.org:1",
                            "tcp://[::]:1", "tcp://128.0.0.1:1", "tcp://localhost.example.org:1", "", "tcp://127.1:1",
                            "tcp://10.0.0.1:2;127.0.0.1:1", "ipc:///tmp/x"}) {
    EXPECT_FALSE(IsLocal(other)) << other;
  }
}

// A peer that speaks ZeroMQ but not our protocol, from outside: nothing it sends may hurt.
class StrangerTest : public testing::Test {
 protected:
  static constexpr int kMessages = 300;

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
  Server server(context_, "tcp://127.0.0.1:*", {}, Echo);
  void* raw_context = zmq_ctx_new();
  void* raw = zmq_socket(raw_context, ZMQ_DEALER);
  const int linger = 0;
  zmq_setsockopt(raw, ZMQ_LINGER, &linger, sizeof linger);
  ASSERT_EQ(zmq_connect(raw, server.endpoint().c_str()), 0);
  Babble(raw);
  Client client(context_, {server.endpoint()}, {}, Named());
  EXPECT_EQ(client.Call("a", Deadline::In(kSoon), "asking").value(), "echo a");
  zmq_close(raw);
  zmq_ctx_term(raw_context);
}

TEST_F(StrangerTest, MessagesThatAreNoRepliesDoNotDisturbAClient) {
  void* raw_context = zmq_ctx_new();
  void* raw = zmq_socket(raw_context, ZMQ_DEALER);
  const int linger = 0;
  zmq_setsockopt(raw, ZMQ_LINGER, &linger, sizeof linger);
  ASSERT_EQ(zmq_bind(raw, "tcp://127.0.0.1:*"), 0);
  std::string endpoint(256, '\0');
  std::size_t size = endpoint.size();
  zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, endpoint.data(), &size);
  endpoint.resize(size - 1);
  Client client(context_, {endpoint}, {}, Named());
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
