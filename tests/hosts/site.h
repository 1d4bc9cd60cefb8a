// Invented hosts.
#pragma once

#include <string>

#include "launch/hosts/probe.h"

namespace autodidact::launch {

inline HostFacts InventedHost(const std::string& name, const std::string& address) {
  HostFacts host;
  host.network = {name, {{"e0", address, 24}}, address};
  host.program = "0123456789ab";
  host.mpi = "Open MPI 4.1.4";
  host.pmix = "4.2.2";
  host.torch = "2.11.0";
  host.open_files = {1024, 1 << 20};
  host.locked_memory = {process::Limit::kUnlimited, process::Limit::kUnlimited};
  host.cores = 8;
  host.host_cores = 8;
  host.memory = std::int64_t{64} << 30;
  host.shared_memory = std::int64_t{32} << 30;
  return host;
}

// Two hosts, the first with two ranks.
inline Site InventedSite() {
  return {{InventedHost("a", "10.0.0.1"), InventedHost("b", "10.0.0.2")}, {0, 0, 1}, 0, true};
}

}  // namespace autodidact::launch
