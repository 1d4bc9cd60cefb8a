// The life of a role: joins, serves until the run is over, leaves.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "membership/heartbeat_sender.h"
#include "net/net.h"
#include "schema/types.h"

namespace autodidact::membership {

// What one kind of role does and another does not.
class Role {
 public:
  virtual ~Role() = default;

  // Where it can be asked; empty for a role that nobody asks.
  virtual std::string endpoint() const { return {}; }

  // On the heartbeat's thread, from before Serve begins until after it has ended.
  virtual Status TakeStatus() = 0;
  virtual void Hear(const schema::Directory& /*directory*/) {}

  // Blocks, working, until `over`. Throws base::Error when it cannot go on.
  virtual void Serve(const std::stop_token& over) = 0;
};

// Sends heartbeats to the learner and lets the role serve, until the learner says that the run is over, `stop` is
// requested, or Serve returns. `on_over` (may be empty) is called on the heartbeat's thread as soon as the learner says
// so, or is lost. Throws what Serve throws; else Error(kDisconnected) when the learner fell silent, Error(kBadInput)
// when it refuses the role. `member` but for its endpoint, which is the role's.
void RunRole(net::Client& learner, MemberConfig member, Role& role, const std::stop_token& stop,
             const std::function<void()>& on_over = {});

// "actor", "anchor", "judge"; Error(kBadInput) otherwise.
schema::RoleKind RoleKindNamed(const std::string& name);

}  // namespace autodidact::membership
