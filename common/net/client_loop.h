// The part of a Client that lives on its thread: calls, replicas, timers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "net/net.h"
#include "net/replica.h"
#include "net/wakeup.h"

namespace autodidact::net {

using Done = std::function<void(base::Outcome<std::string>)>;

struct Outgoing {
  SharedBytes bytes;
  base::Deadline deadline;
  base::Clock::time_point since;
  std::string doing;
  Done done;
};

// How other threads reach the loop. Once closed, calls are refused.
struct Inbox {
  std::vector<Outgoing> calls;
  std::optional<std::vector<std::string>> endpoints;
  bool closing = false;
};

// Belongs to one thread, which calls Run; the inbox is shared.
//
// A call: waiting (no replica can take it) <-> sent to one or more replicas -> done (reply, deadline or closing).
class ClientLoop {
 public:
  ClientLoop(void* context, Security security, Client::Options options, base::Guarded<Inbox>& inbox, Wakeup& wakeup);

  // Until the inbox closes; then every call has failed.
  void Run();

 private:
  struct Pending {
    Outgoing call;
    std::vector<Replica*> asked;  // in the order of sending; only replicas that may still answer
  };
  enum class TimerKind { kDeadline, kRetry };
  struct Timer {
    base::Clock::time_point at;
    std::uint64_t id;
    TimerKind kind;
    bool operator>(const Timer& other) const { return at > other.at; }
  };

  bool TakeInbox();
  void ReplaceReplicas(const std::vector<std::string>& endpoints);
  void Begin(Outgoing call);
  // Sends to the best replica that was not asked yet, if there is one.
  void Dispatch(std::uint64_t id, Pending& pending);
  Replica* Best(const Pending& pending) const;
  void FireTimers();
  void ReopenBroken();
  // Waits for the wake-up, a message, or the next timer.
  void Sleep();
  void ReadReplicas();
  // Takes the calls back that this replica will not answer, and sends them elsewhere.
  void Abandon(Replica& replica);
  void DispatchWaiting();
  void Finish(std::uint64_t id, base::Outcome<std::string> outcome);
  std::string WhyLate(const Pending& pending) const;

  void* context_;
  const Security security_;
  const Client::Options options_;
  base::Guarded<Inbox>& inbox_;
  Wakeup& wakeup_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::map<std::uint64_t, Pending> pending_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::uint64_t next_id_ = 1;
  std::size_t rotation_ = 0;  // among equals, replicas take turns
};

}  // namespace autodidact::net
