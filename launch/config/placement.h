// Which role of a run is on which host, and on which GPU.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/config/checker.h"
#include "launch/config/run_config.h"

namespace autodidact::launch {

struct RolePlace {
  std::string kind;        // "learner", "actor", "anchor", "judge"
  std::int64_t index = 0;  // of its kind
  std::size_t host = 0;
  std::string device = "cpu";

  std::string name() const;  // "actor-0"
};

// The hosts of a job, the first of which has the first learner.
struct JobHosts {
  std::vector<std::size_t> host_of_place;  // of each place of the launcher (-n)
  std::vector<std::int64_t> gpus;          // of each host, as many as its places may use
};

// Every role of the run, learners first and in the order of their hosts. With "device: cuda" each role that computes
// takes the next GPU of its host, unless `placement.hosts` names one; a judge needs one for a model of its own alone.
// Error(kBadInput) for another number of places or hosts than the config names, a role that the run cannot do without,
// or too few GPUs.
std::vector<RolePlace> PlaceRoles(const RunConfig& config, const JobHosts& hosts);

// The kinds of all roles that the config itself places: by ranks, by hosts, by counts; empty: by the number of places.
std::vector<std::string> RolesOf(const RunConfig& config);

// Checks `placement` as far as no host is known.
void CheckPlacement(const ConfigChecker& check, const RunConfig& config);

// "learner*3" as three learners.
std::vector<std::string> WithoutFactors(const std::vector<std::string>& roles);

}  // namespace autodidact::launch
