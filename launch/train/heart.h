// The heart of a role: tells the learner that it lives and what it does, and learns who else is there.
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

namespace autodidact::launch {

struct HeartConfig {
  std::string role;
  schema::RoleKind kind = schema::RoleKind::kActor;
  std::string endpoint = {};  // where the role can be asked; empty for an actor
  std::uint64_t config = 0;   // checksum of the role's config (run_identity.h)
  bool with_keys = false;     // whether the run's network has CURVE keys
  base::Milliseconds interval{1'000};
  base::Milliseconds reply_timeout{5'000};
  base::Milliseconds silence{60'000};  // without a good reply for so long the learner is lost
};

// A thread that sends a Heartbeat at every interval. Nothing that comes back ends it: a reply that is not as it should
// be is logged and passed over, and so is an endpoint in it that cannot be one. Thread-safe.
class Heart {
 public:
  struct Pulse {
    std::string doing;
    std::uint64_t progress = 0;
    base::Metrics report = {};  // figures since the last pulse
  };
  // `pulse` runs on the heart's thread. `on_directory` too, whenever the directory has changed, and `on_over` once:
  // when the learner says that the run is finished, has not been heard of for too long, or refuses the role. The client
  // must outlive the heart.
  Heart(net::Client& learner, HeartConfig config, std::function<Pulse()> pulse,
        std::function<void(const schema::Directory&)> on_directory, std::function<void()> on_over);
  ~Heart();
  Heart(const Heart&) = delete;
  Heart& operator=(const Heart&) = delete;

  // Why the role cannot go on: the learner fell silent (kDisconnected), or refuses the role's config (kBadInput).
  std::optional<base::Failure> Lost() const;

 private:
  struct State {
    bool stopping = false;
    std::optional<base::Failure> lost;
  };
  void Run(const std::stop_token& stop);
  // One heartbeat and its reply. False: this role is over.
  bool Beat();
  bool Take(schema::Directory directory);
  void PassOver(const std::string& what);
  void Lose(base::Failure failure);

  net::Client& learner_;
  const HeartConfig config_;
  const std::function<Pulse()> pulse_;
  const std::function<void(const schema::Directory&)> on_directory_;
  const std::function<void()> on_over_;
  base::Guarded<State> state_;

  // Of the thread.
  schema::Directory known_;
  base::Clock::time_point heard_ = base::Clock::now();
  std::set<std::string> passed_over_;  // what was logged: the same comes again every second

  std::jthread thread_;
};

}  // namespace autodidact::launch
