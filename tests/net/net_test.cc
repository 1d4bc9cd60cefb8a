#include "net/net.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/bounded_queue.h"
#include "base/format.h"
#include "base/guarded.h"
#include "echo.h"

namespace autodidact::net {
namespace {

using base::Deadline;
using base::ErrorKind;
using testing::HasSubstr;

constexpr Milliseconds kShort{150};

Client::Options Named(const std::string& peer, Milliseconds retry_after = kSoon) {
  return {.name = "tester", .peer = peer, .retry_after = retry_after, .server = "learner"};
}

// Keeps what is asked, for a test that answers by itself.
struct Silent {
  base::BoundedQueue<Incoming> asked{1000};
  void operator()(Incoming incoming) { asked.TryPush(std::move(incoming)); }
};

base::Error ErrorOf(const std::function<void()>& fn) {
  try {
    fn();
  } catch (const base::Error& error) {
    return error;
  }
  return base::Error(ErrorKind::kBug, "nothing was thrown");
}

// libzmq gives a closed port back a little later, on a thread of its own.
std::unique_ptr<Server> BindAgain(Context& context, const std::string& endpoint) {
  const Deadline deadline = Deadline::In(kSoon);
  while (true) {
    try {
      return std::make_unique<Server>(context, endpoint, ServerSide(), Echo);
    } catch (const base::Error&) {
      if (deadline.Passed()) throw;
      std::this_thread::yield();
    }
  }
}

// The same facts hold over every transport.
class TransportTest : public testing::TestWithParam<const char*> {
 protected:
  Context context_;
};
INSTANTIATE_TEST_SUITE_P(Transports, TransportTest, testing::Values("inproc://server", "tcp://127.0.0.1:*"),
                         [](const auto& info) { return std::string(info.param).substr(0, 3); });

TEST_P(TransportTest, ReplyBelongsToItsRequest) {
  Server server(context_, GetParam(), ServerSide(), Echo);
  Client client(context_, {server.endpoint()}, ClientSide(), Named("echo"));
  EXPECT_EQ(client.Call("a", Deadline::In(kSoon), "asking").value(), "echo a");
  EXPECT_EQ(client.Call("", Deadline::In(kSoon), "asking").value(), "echo ");
}

TEST_P(TransportTest, ManyCallsFromManyThreadsGetTheirOwnReplies) {
  Server server(context_, GetParam(), ServerSide(), Echo);
  Client client(context_, {server.endpoint()}, ClientSide(), Named("echo"));
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const std::string text = std::to_string(t) + "/" + std::to_string(i);
        if (client.Call(text, Deadline::In(kSoon), "asking").value() == "echo " + text) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 800);
}

TEST_P(TransportTest, RepliesMayComeInAnyOrderFromAnyThread) {
  Silent silent;
  Server server(context_, GetParam(), ServerSide(), std::ref(silent));
  Client client(context_, {server.endpoint()}, ClientSide(), Named("slow"));
  base::Guarded<std::map<std::string, std::string>> replies;
  constexpr int kCalls = 20;
  for (int i = 0; i < kCalls; ++i) {
    client.CallAsync(std::to_string(i), Deadline::In(kSoon), "asking", [&, i](base::Outcome<std::string> reply) {
      replies.With([&](auto& map) { map[std::to_string(i)] = reply.value(); });
    });
  }
  std::vector<Incoming> asked;
  for (int i = 0; i < kCalls; ++i) asked.push_back(std::move(silent.asked.Pop(Deadline::In(kSoon)).value()));
  std::thread answerer([&] {
    for (auto it = asked.rbegin(); it != asked.rend(); ++it) it->reply.Send("re " + it->bytes);
  });
  answerer.join();
  ASSERT_TRUE(replies.WaitUntil(Deadline::In(kSoon), [](const auto& map) { return map.size() == kCalls; }));
  replies.With([](const auto& map) {
    for (const auto& [question, reply] : map) EXPECT_EQ(reply, "re " + question);
  });
}

TEST_P(TransportTest, LargeMessagesArriveWhole) {
  Server server(context_, GetParam(), ServerSide(), Echo);
  Client client(context_, {server.endpoint()}, ClientSide(), Named("echo"));
  std::string large(30 << 20, 'x');
  large[12345] = 'y';
  EXPECT_EQ(client.Call(large, Deadline::In(kSoon), "asking").value(), "echo " + large);
}

TEST_P(TransportTest, CallFailsAtItsDeadlineNamingPeerAndDoing) {
  Silent silent;
  Server server(context_, GetParam(), ServerSide(), std::ref(silent));
  Client client(context_, {server.endpoint()}, ClientSide(), Named("anchor service"));
  const auto reply = client.Call("a", Deadline::In(kShort), "synthesis of ticket 7");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.failure().kind, ErrorKind::kRetryLater);
  EXPECT_THAT(reply.failure().reason, HasSubstr("anchor service"));
  EXPECT_THAT(reply.failure().reason, HasSubstr("synthesis of ticket 7"));
  EXPECT_THAT(reply.failure().reason, HasSubstr("within 0."));
}

TEST_P(TransportTest, LateReplyIsDropped) {
  Silent silent;
  Server server(context_, GetParam(), ServerSide(), std::ref(silent));
  Client client(context_, {server.endpoint()}, ClientSide(), Named("slow"));
  EXPECT_FALSE(client.Call("first", Deadline::In(kShort), "asking").ok());
  auto first = silent.asked.Pop(Deadline::In(kSoon));
  first->reply.Send("too late");
  std::thread answerer([&] { silent.asked.Pop(Deadline::In(kSoon))->reply.Send("in time"); });
  EXPECT_EQ(client.Call("second", Deadline::In(kSoon), "asking").value(), "in time");
  answerer.join();
}

TEST_P(TransportTest, HandlerThatThrowsLeavesTheRequestUnanswered) {
  Server server(context_, GetParam(), ServerSide(), [](Incoming incoming) {
    if (incoming.bytes == "bad") base::ThrowBadInput("cannot read it");
    Echo(std::move(incoming));
  });
  Client client(context_, {server.endpoint()}, ClientSide(), Named("echo"));
  EXPECT_FALSE(client.Call("bad", Deadline::In(kShort), "asking").ok());
  EXPECT_EQ(client.Call("good", Deadline::In(kSoon), "asking").value(), "echo good");
}

TEST_P(TransportTest, ClosingTheClientFailsCallsUnderWay) {
  Silent silent;
  Server server(context_, GetParam(), ServerSide(), std::ref(silent));
  base::Guarded<std::vector<base::Failure>> failures;
  {
    Client client(context_, {server.endpoint()}, ClientSide(), Named("slow"));
    for (int i = 0; i < 3; ++i) {
      client.CallAsync("a", Deadline::In(kSoon), "asking", [&](base::Outcome<std::string> reply) {
        failures.With([&](auto& list) { list.push_back(reply.failure()); });
      });
    }
  }
  failures.With([](const auto& list) {
    ASSERT_EQ(list.size(), 3u);
    for (const auto& failure : list) EXPECT_EQ(failure.kind, ErrorKind::kDisconnected);
  });
}

TEST_P(TransportTest, ClosedClientRefusesLaterCalls) {
  Server server(context_, GetParam(), ServerSide(), Echo);
  Client client(context_, {server.endpoint()}, ClientSide(), Named("echo"));
  client.Close();
  const auto reply = client.Call("a", Deadline::In(kSoon), "asking");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.failure().kind, ErrorKind::kDisconnected);
}

TEST_P(TransportTest, ReplyAfterTheServerIsGoneDoesNothing) {
  Silent silent;
  auto server = std::make_unique<Server>(context_, GetParam(), ServerSide(), std::ref(silent));
  Client client(context_, {server->endpoint()}, ClientSide(), Named("slow"));
  client.CallAsync("a", Deadline::In(kSoon), "asking", [](const auto&) {});
  auto incoming = silent.asked.Pop(Deadline::In(kSoon));
  server.reset();
  incoming->reply.Send("nobody hears it");
}

TEST_P(TransportTest, ServerSeesTheNameOfItsCaller) {
  Silent silent;
  Server server(context_, GetParam(), ServerSide(), std::ref(silent));
  Client client(context_, {server.endpoint()}, ClientSide(), Named("slow"));
  client.CallAsync("a", Deadline::In(kSoon), "asking", [](const auto&) {});
  const auto incoming = silent.asked.Pop(Deadline::In(kSoon));
  const bool in_process = std::string(GetParam()).starts_with("inproc");
  // In one process a caller's own word for itself; else the name that its key is known by.
  EXPECT_THAT(incoming->peer, HasSubstr(in_process ? "tester" : "actor-0"));
  EXPECT_EQ(incoming->sender, in_process ? "" : "actor-0");
}

TEST(NetTest, ConnectingBeforeTheServerExistsWorksInProcess) {
  Context context;
  Client client(context, {"inproc://later"}, ClientSide(), Named("echo"));
  base::Guarded<std::string> reply;
  client.CallAsync("a", Deadline::In(kSoon), "asking", [&](base::Outcome<std::string> outcome) {
    reply.With([&](auto& text) { text = outcome.value(); });
  });
  Server server(context, "inproc://later", ServerSide(), Echo);
  EXPECT_TRUE(reply.WaitUntil(Deadline::In(kSoon), [](const auto& text) { return text == "echo a"; }));
}

TEST(NetTest, AnotherReplicaAnswersWhenOneIsSilent) {
  Context context;
  Silent silent;
  Server mute(context, "inproc://mute", ServerSide(), std::ref(silent));
  Server echo(context, "inproc://echo", ServerSide(), Echo);
  Client client(context, {mute.endpoint(), echo.endpoint()}, ClientSide(), Named("service", Milliseconds(50)));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client.Call("a", Deadline::In(kSoon), "asking").value(), "echo a");
  EXPECT_GE(silent.asked.size(), 1u);
}

TEST(NetTest, FirstReplyCountsWhenTwoReplicasAnswer) {
  Context context;
  Silent first, second;
  Server server1(context, "inproc://1", ServerSide(), std::ref(first));
  Server server2(context, "inproc://2", ServerSide(), std::ref(second));
  Client client(context, {server1.endpoint(), server2.endpoint()}, ClientSide(), Named("service", Milliseconds(20)));
  std::thread answerer([&] {
    auto one = first.asked.Pop(Deadline::In(kSoon));
    auto two = second.asked.Pop(Deadline::In(kSoon));
    two->reply.Send("second");
    one->reply.Send("first");
  });
  const auto reply = client.Call("a", Deadline::In(kSoon), "asking");
  answerer.join();
  EXPECT_TRUE(reply.value() == "first" || reply.value() == "second");
}

TEST(NetTest, CallsGoToTheReplicaWithTheFewestInFlight) {
  Context context;
  Silent first, second;
  Server server1(context, "inproc://1", ServerSide(), std::ref(first));
  Server server2(context, "inproc://2", ServerSide(), std::ref(second));
  Client client(context, {server1.endpoint(), server2.endpoint()}, ClientSide(), Named("service"));
  for (int i = 0; i < 10; ++i) client.CallAsync("a", Deadline::In(kSoon), "asking", [](const auto&) {});
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(first.asked.Pop(Deadline::In(kSoon)).has_value());
    EXPECT_TRUE(second.asked.Pop(Deadline::In(kSoon)).has_value());
  }
}

void CallTwoServersOfWhichOneDies() {
  Context context;
  Silent silent;
  auto dying = std::make_unique<Server>(context, "tcp://127.0.0.1:*", ServerSide(), std::ref(silent));
  Server echo(context, "tcp://127.0.0.1:*", ServerSide(), Echo);
  Client client(context, {dying->endpoint(), echo.endpoint()}, ClientSide(), Named("service", Milliseconds(60'000)));
  base::Guarded<std::vector<std::string>> replies;
  for (int i = 0; i < 6; ++i) {
    client.CallAsync("a", Deadline::In(kSoon / 2), "asking", [&](const base::Outcome<std::string>& reply) {
      replies.With([&](auto& all) { all.push_back(reply.ok() ? *reply : reply.failure().reason); });
    });
  }
  ASSERT_TRUE(silent.asked.Pop(Deadline::In(kSoon)).has_value());
  dying.reset();
  ASSERT_TRUE(replies.WaitUntil(Deadline::In(kSoon), [](const auto& all) { return all.size() == 6; }));
  replies.With([](const auto& all) { EXPECT_THAT(all, testing::Each("echo a")); });
}

TEST(NetTest, CallsOfAServerThatDiesAreAnsweredByAnother) {
  // Often: libzmq's thread may have news of the dying one just when its monitor is closed.
  for (int i = 0; i < 100 && !testing::Test::HasFailure(); ++i) CallTwoServersOfWhichOneDies();
}

TEST(NetTest, CallsAreSentAgainToAServerThatComesBack) {
  Context context;
  Silent silent;
  auto first = std::make_unique<Server>(context, "tcp://127.0.0.1:*", ServerSide(), std::ref(silent));
  const std::string endpoint = first->endpoint();
  Client client(context, {endpoint}, ClientSide(), Named("service"));
  base::Guarded<std::string> reply;
  client.CallAsync("a", Deadline::In(kSoon), "asking", [&](base::Outcome<std::string> outcome) {
    reply.With([&](auto& text) { text = outcome.ok() ? *outcome : outcome.failure().reason; });
  });
  ASSERT_TRUE(silent.asked.Pop(Deadline::In(kSoon)).has_value());
  first.reset();
  const auto second = BindAgain(context, endpoint);
  EXPECT_TRUE(reply.WaitUntil(Deadline::In(kSoon), [](const auto& text) { return text == "echo a"; }));
}

TEST(NetTest, NewEndpointsTakeOverTheCallsOfThoseThatAreGone) {
  Context context;
  Silent silent;
  Server mute(context, "inproc://mute", ServerSide(), std::ref(silent));
  Server echo(context, "inproc://echo", ServerSide(), Echo);
  Client client(context, {mute.endpoint()}, ClientSide(), Named("service"));
  base::Guarded<bool> answered;
  client.CallAsync("a", Deadline::In(kSoon), "asking",
                   [&](base::Outcome<std::string> reply) { answered.With([&](bool& it) { it = reply.ok(); }); });
  ASSERT_TRUE(silent.asked.Pop(Deadline::In(kSoon)).has_value());
  client.SetEndpoints({echo.endpoint()});
  EXPECT_TRUE(answered.WaitUntil(Deadline::In(kSoon), [](bool it) { return it; }));
}

TEST(NetTest, CallWithoutAnyEndpointWaitsForOneAndSaysSo) {
  Context context;
  Server echo(context, "inproc://echo", ServerSide(), Echo);
  Client client(context, {}, ClientSide(), Named("judge service"));
  const auto none = client.Call("a", Deadline::In(kShort), "asking");
  EXPECT_THAT(none.failure().reason, HasSubstr("no endpoint"));
  client.SetEndpoints({echo.endpoint()});
  EXPECT_TRUE(client.Call("a", Deadline::In(kSoon), "asking").ok());
}

// A port that is taken, so that no other program gets it, and at which nobody listens.
class DeafPort {
 public:
  DeafPort() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, any, size), 0);
    EXPECT_EQ(getsockname(socket_, any, &size), 0);
    endpoint_ = base::Format("tcp://127.0.0.1:{}", ntohs(address.sin_port));
  }
  ~DeafPort() { close(socket_); }
  const std::string& endpoint() const { return endpoint_; }

 private:
  const int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string endpoint_;
};

TEST(NetTest, FailureSaysThatNobodyAnswersAtTheAddress) {
  Context context;
  const DeafPort port;
  Client client(context, {port.endpoint()}, ClientSide(), Named("learner"));
  const auto reply = client.Call("a", Deadline::In(Milliseconds(600)), "leasing");
  EXPECT_THAT(reply.failure().reason, HasSubstr("nobody answers there"));
}

TEST(NetTest, BlockingOnTheClientsOwnThreadIsABug) {
  Context context;
  Server echo(context, "inproc://echo", ServerSide(), Echo);
  Client client(context, {echo.endpoint()}, ClientSide(), Named("echo"));
  base::Guarded<std::optional<base::Error>> error;
  client.CallAsync("a", Deadline::In(kSoon), "asking", [&](const auto&) {
    auto thrown = ErrorOf([&] { (void)client.Call("b", Deadline::In(kSoon), "asking in a callback"); });
    error.With([&](auto& slot) { slot = std::move(thrown); });
  });
  ASSERT_TRUE(error.WaitUntil(Deadline::In(kSoon), [](const auto& slot) { return slot.has_value(); }));
  error.With([](const auto& slot) { EXPECT_THAT(slot->what(), HasSubstr("own thread")); });
}

TEST(NetTest, AddressInUseIsBadInput) {
  Context context;
  Server first(context, "tcp://127.0.0.1:*", ServerSide(), Echo);
  const auto error = ErrorOf([&] { Server second(context, first.endpoint(), ServerSide(), Echo); });
  EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
  EXPECT_THAT(error.message(), HasSubstr("cannot bind " + first.endpoint()));
}

TEST(NetTest, MalformedEndpointsAreRefused) {
  Context context;
  for (const char* endpoint :
       {"", "inproc://", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://:5", "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:x", "udp://127.0.0.1:5", "127.0.0.1:5555", "tcp://10.0.0.1:5;127.0.0.1:6"}) {
    EXPECT_EQ(ErrorOf([&] { Server(context, endpoint, ServerSide(), Echo); }).kind(), ErrorKind::kBadInput) << endpoint;
    EXPECT_EQ(ErrorOf([&] { Client(context, {endpoint}, ClientSide(), Named("x")); }).kind(), ErrorKind::kBadInput)
        << endpoint;
  }
}

}  // namespace
}  // namespace autodidact::net
