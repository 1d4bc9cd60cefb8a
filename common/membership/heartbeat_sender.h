// A role's line to its learner: says that the role lives and what it does, and hears who else is there.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/deadline.h"
#include "base/error.h"
#include "base/guarded.h"
#include "net/net.h"
#include "schema/types.h"

namespace autodidact::membership {

// "actor-0"
std::string RoleName(schema::RoleKind kind, std::int64_t index);

// As whom a role takes part.
struct MemberConfig {
  schema::RoleKind kind = schema::RoleKind::kActor;
  std::int64_t index = 0;     // of its kind
  std::string endpoint = {};  // where the role can be asked; empty for an actor
  std::uint64_t config = 0;   // checksum of what the role's config must have in common with the run's
  base::Milliseconds interval{1'000};
  base::Milliseconds reply_timeout{5'000};
  base::Milliseconds silence{60'000};  // without a good reply for so long the learner is lost

  std::string name() const { return RoleName(kind, index); }
};

// What a role says of itself with each heartbeat.
struct Status {
  std::string doing;           // one line
  std::uint64_t progress = 0;  // grows whenever a unit of work is done
  base::Metrics report = {};   // figures since the last heartbeat
};

// A thread that sends a Heartbeat at every interval. Nothing that comes back ends it: a reply that is not as it should
// be is logged and passed over, and so is an endpoint in it that cannot be one. Thread-safe.
class HeartbeatSender {
 public:
  // `status` runs on the sender's thread. `on_directory` too, whenever the directory has changed, and `on_over` once:
  // when the learner says that the run is finished, has not been heard of for too long, or refuses the role. The client
  // must outlive the sender.
  HeartbeatSender(net::Client& learner, MemberConfig config, std::function<Status()> status,
                  std::function<void(const schema::Directory&)> on_directory, std::function<void()> on_over);
  ~HeartbeatSender();
  HeartbeatSender(const HeartbeatSender&) = delete;
  HeartbeatSender& operator=(const HeartbeatSender&) = delete;

  // Why the role cannot go on: the learner fell silent (kDisconnected), or refuses the role's config (kBadInput).
  std::optional<base::Failure> Lost() const;

 private:
  struct State {
    bool stopping = false;
    std::optional<base::Failure> lost;
  };
  void Run(const std::stop_token& stop);
  // One heartbeat and its reply. False: this role is over.
  bool SendOne();
  void Take(schema::Directory directory);
  void PassOver(const std::string& what);
  void Lose(base::Failure failure);

  net::Client& learner_;
  const MemberConfig config_;
  const std::function<Status()> status_;
  const std::function<void(const schema::Directory&)> on_directory_;
  const std::function<void()> on_over_;
  base::Guarded<State> state_;

  // Of the thread.
  schema::Directory known_;
  base::Clock::time_point heard_ = base::Clock::now();
  std::set<std::string> passed_over_;  // what was logged: the same comes again every second

  std::jthread thread_;
};

}  // namespace autodidact::membership
