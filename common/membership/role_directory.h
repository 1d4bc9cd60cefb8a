// The roles that work for a learner, as their heartbeats tell.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/metrics.h"
#include "schema/types.h"
#include "schema/validate.h"

namespace autodidact::membership {

struct RoleDirectoryConfig {
  bool in_process = true;              // services are in the learner's process, else on the network
  std::uint64_t config = 0;            // checksum that the config of every role must have; 0: not compared
  base::Milliseconds silence{10'000};  // a service unheard of for so long is not named
  std::size_t max_roles = 1024;        // whoever comes beyond them is refused, unless one of them is silent
};

// Not thread-safe; nothing blocks.
class RoleDirectory {
 public:
  using Time = base::Clock::time_point;

  explicit RoleDirectory(RoleDirectoryConfig config) : config_(config) {}

  // Whether a sender with this checksum is one of the run's.
  schema::Checked CheckConfig(std::uint64_t config) const;

  // Takes note of a role, or says why it is refused: then nothing has changed.
  schema::Checked Take(schema::Heartbeat heartbeat, Time now);

  // Whether another process than before speaks for this role: the one that did is dead.
  bool IsReplaced(const schema::Heartbeat& heartbeat) const;

  // Roles of a kind that were heard of, but not lately.
  std::vector<std::string> Silent(schema::RoleKind kind, Time now) const;

  // Endpoints of the services of a kind that were heard of lately, by the roles' names.
  std::vector<std::string> EndpointsOf(schema::RoleKind kind, Time now) const;

  // What the roles reported since the last call: counts added up, others as means over reports.
  base::Metrics TakeReports();

  // When each role was last heard of, what it was doing, and since when it has done nothing; for a diagnosis.
  std::string Describe(Time now) const;

 private:
  struct Entry {
    schema::Heartbeat last;
    Time heard;
    Time progressed;
  };

  schema::Checked CheckEndpoint(const schema::Heartbeat& heartbeat) const;
  bool HasRoomFor(const std::string& role, Time now);
  void AddReport(const schema::Heartbeat& heartbeat);

  const RoleDirectoryConfig config_;
  std::map<std::string, Entry> roles_;
  base::MetricAccumulator means_;  // of what was reported
  base::Metrics counts_;           // the same, what adds up
};

}  // namespace autodidact::membership
