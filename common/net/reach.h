// Whether a host can be reached at an address, by a connection as short as it can be: for finding out, before a run,
// which pair of hosts a firewall stands between.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "net/interfaces.h"

namespace autodidact::net {

// Answers trials at one address, on a thread of its own. Whoever does not bring the token gets nothing.
class ReachDesk {
 public:
  // `token`: of kTokenBytes, secret, of this desk alone. Error(kBadInput) when no port of the range can be bound.
  static constexpr std::size_t kTokenBytes = 32;
  ReachDesk(const std::string& address, const PortRange& ports, const std::string& token);
  ~ReachDesk();
  ReachDesk(const ReachDesk&) = delete;
  ReachDesk& operator=(const ReachDesk&) = delete;

  int port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct ReachTarget {
  std::string address;
  int port = 0;
  std::string token;  // of the desk there
};

// Tries all of them at once: connects, sends as much as takes several packets of any size, and reads as much back.
// Blocks until each has answered or failed, at the latest until the deadline. For each: empty, or why it was not
// reached and what is likely the cause.
std::vector<std::string> TryToReach(const std::vector<ReachTarget>& targets, base::Deadline deadline);

// A token that nobody can guess.
std::string MakeReachToken();

}  // namespace autodidact::net
