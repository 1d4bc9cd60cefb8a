// The heart of a role: tells the learner that it lives and what it does, and learns who else is there.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/guarded.h"
#include "net/net.h"
#include "schema/types.h"

namespace autodidact::launch {

// A thread that sends a Heartbeat every second. Thread-safe.
class Heart {
 public:
  struct Pulse {
    std::string doing;
    std::uint64_t progress = 0;
    base::Metrics report = {};  // figures since the last pulse
  };
  // `endpoint`: where the role can be asked; empty for an actor. `pulse` runs on the heart's thread. `on_directory`
  // too, whenever the directory has changed, and `on_over` once: when the learner says that the run is finished, or has
  // not been heard of for a minute. The client must outlive the heart.
  Heart(net::Client& learner, std::string role, std::string endpoint, std::function<Pulse()> pulse,
        std::function<void(const schema::Directory&)> on_directory, std::function<void()> on_over);
  ~Heart();
  Heart(const Heart&) = delete;
  Heart& operator=(const Heart&) = delete;

  // Not empty when the learner fell silent: what happened, for people.
  std::string Lost() const;

 private:
  struct State {
    bool stopping = false;
    std::string lost;
  };
  void Beat(const std::stop_token& stop);

  net::Client& learner_;
  const std::string role_;
  const std::string endpoint_;
  const std::function<Pulse()> pulse_;
  const std::function<void(const schema::Directory&)> on_directory_;
  const std::function<void()> on_over_;
  base::Guarded<State> state_;
  std::jthread thread_;
};

}  // namespace autodidact::launch
