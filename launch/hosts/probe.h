// Whether the hosts of a job can work together. Every rank of a group calls the same functions in the same order; the
// first rank of each host acts for it. What is wrong with a host is a result that all ranks get, never an exception on
// some of them; Error(kRetryLater) of the group names the ranks that did not come, and where the others are.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "collective/collective.h"
#include "launch/hosts/host_facts.h"
#include "net/interfaces.h"

namespace autodidact::launch {

// The hosts of a group, in the order of their first ranks.
struct Site {
  std::vector<HostFacts> hosts;
  std::vector<std::size_t> host_of_rank;
  std::size_t here = 0;     // this rank's host
  bool acts_for_it = true;  // this rank is the first of its host
};

// `first_here`: the lowest rank on this rank's host, as the launcher knows it (collective/facts.h): hosts may share a
// name. The host's first rank looks at it, which may take seconds.
Site GatherSite(collective::Communicator& ranks, int first_here);

// "host 1 (node7)".
std::string NameOf(const Site& site, std::size_t host);
std::vector<net::HostNetwork> NetworksOf(const Site& site);

// A host that could not connect to another.
struct BrokenPair {
  std::size_t from = 0;
  std::size_t to = 0;
  std::string text;  // "host 0 (a, e0 10.0.0.1) to host 1 (b, e0 10.0.0.2, port 40017): silence for 5.0 s: …"
};

// Every host listens at its address (net::ChooseAddresses) on a port of the range, and all try all. Empty: every host
// reaches every other. A host that cannot listen is broken for all others, and says why.
std::vector<BrokenPair> ProbePairs(collective::Communicator& ranks, const Site& site,
                                   const std::vector<net::Interface>& addresses, const net::PortRange& ports,
                                   base::Milliseconds timeout);

// What each host finds wrong with the folder that all are meant to share; empty texts: nothing. The first host writes a
// file that all must see, and each writes, synchronises and renames one of its own that the first must see. A folder
// that is not there yet is looked for further up. Nothing stays there.
std::vector<std::string> ProbeFolder(collective::Communicator& ranks, const Site& site,
                                     const std::filesystem::path& folder);

// How far each host's clock is ahead of the first one's, in seconds, to within the time of a barrier.
std::vector<double> ProbeClocks(collective::Communicator& ranks, const Site& site);

}  // namespace autodidact::launch
