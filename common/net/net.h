// Request and reply between roles: bytes in, bytes out, every wait with a deadline. Over inproc:// in one process and
// tcp:// between processes, by the same code.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"

namespace autodidact::net {

// Z85-encoded CURVE keys (40 characters each).
struct KeyPair {
  std::string public_key;
  std::string secret_key;
};
KeyPair MakeKeyPair();

// Public keys of all who may take part in a run, by name ("learner", "actor-3").
using KeyRing = std::map<std::string, std::string>;

// Who we are, and whom we know. Over TCP, the loopback too, every connection is encrypted and both ends prove who they
// are (CURVE, ZeroMQ RFC 26): binding or connecting there without keys is Error(kBadInput). inproc:// needs none.
struct Security {
  std::optional<KeyPair> own;      // as whom we ask
  std::optional<KeyPair> serving;  // as whom we answer, where that is another: the services of a kind share one
  KeyRing known;                   // who is let in, and whom we may ask
};

// Owns the ZeroMQ context: one per process (all inproc peers share it). Outlives every Server and Client made from it.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Connections that servers of this context have refused since the last call: without a key, with an unknown one, or
  // that speak something else. Thread-safe.
  std::uint64_t TakeStrangers();

 private:
  friend class Server;
  friend class Client;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The way back to one caller; use once, from any thread, also after the Server is gone (then it does nothing).
class ReplyHandle {
 public:
  void Send(std::string bytes);

 private:
  friend class Server;
  struct Address;
  std::shared_ptr<Address> address_;
};

struct Incoming {
  std::string bytes;
  std::string peer;    // who asked, for messages: a name or an identity
  std::string sender;  // the name under which its key is known; empty over inproc://, where nobody is a stranger
  ReplyHandle reply;
};

// Answers requests. One thread inside owns the socket; `handler` runs on it and must not block: it answers at once or
// moves the Incoming to a queue of its own and answers later. An exception from the handler is logged and the request
// stays unanswered (its caller's deadline ends the wait).
class Server {
 public:
  // endpoint: "inproc://name", "tcp://127.0.0.1:5555", or instead of the port "*" for a free one, "40000-40100" for a
  // free one of these. Error(kBadInput) when it cannot bind.
  Server(Context& context, const std::string& endpoint, const Security& security,
         std::function<void(Incoming)> handler);
  ~Server();  // closes the socket; requests not answered yet are lost
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The endpoint to connect to, with the port that was chosen.
  const std::string& endpoint() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Asks one server, or any of several replicas. Thread-safe: any number of calls may be under way. A thread inside owns
// the sockets. A request goes to the replica with the fewest calls in flight; with several replicas, when one has not
// answered after `retry_after`, it is sent to the next one as well (services are stateless) and the first reply counts.
class Client {
 public:
  struct Options {
    std::string name;  // who we are, for the peer's messages
    std::string peer;  // what the peer is ("anchor service"), for our failures
    base::Milliseconds retry_after{10'000};
    std::string server = {};  // the name whose key the peer must have; not needed over inproc://
  };
  Client(Context& context, std::vector<std::string> endpoints, const Security& security, Options options);
  ~Client();  // every call under way fails with kDisconnected
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Blocks until the reply or the deadline. Fails with kRetryLater naming the peer, `doing` and for how long it was
  // waited; with kDisconnected when the client is closed.
  base::Outcome<std::string> Call(std::string bytes, base::Deadline deadline, const std::string& doing);

  // The same without blocking: `done` runs on the client's own thread and must not block.
  void CallAsync(std::string bytes, base::Deadline deadline, std::string doing,
                 std::function<void(base::Outcome<std::string>)> done);

  // Replaces the replicas; calls under way on those that are gone are sent to another.
  void SetEndpoints(std::vector<std::string> endpoints);

  // Every call under way and every later one fails with kDisconnected. Never blocks.
  void Close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Why nobody can be asked at this endpoint, which may come from outside; empty where it is good.
std::string WhyNoPeer(const std::string& endpoint);

}  // namespace autodidact::net
