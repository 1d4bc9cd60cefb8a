// What of a job's hosts is good, what is bad, and what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/hosts/probe.h"

namespace autodidact::launch {

enum class Verdict { kOk, kWarning, kBad };

// A line of the table for people.
struct Finding {
  Verdict verdict = Verdict::kOk;
  std::string what;   // "Open MPI"
  std::string found;  // "4.1.4 on both hosts"
  std::string fix;    // empty when it is good

  bool operator==(const Finding&) const = default;
};

// What a run needs of its hosts; zero and false: nothing is known of it.
struct Needs {
  bool gpus = false;                  // device: cuda
  std::int64_t checkpoint = 0;        // bytes of one
  std::int64_t checkpoints_kept = 0;  // at a time
};

// Of what each host says by itself: libraries that differ between hosts are bad, low limits a warning.
std::vector<Finding> JudgeHosts(const Site& site, const Needs& needs);

// Of the probes, as probe.h returns them.
Finding JudgeAddresses(const Site& site, const std::vector<net::Interface>& addresses);
Finding JudgePairs(const Site& site, const std::vector<BrokenPair>& broken, const net::PortRange& ports);
Finding JudgeFolder(const Site& site, const std::string& folder, const std::vector<std::string>& wrong);
Finding JudgeClocks(const Site& site, const std::vector<double>& ahead);
// Of the folder's disk, as the first host sees it.
Finding JudgeRoom(const std::string& folder, std::int64_t free, const Needs& needs);

// The worst of them.
Verdict Worst(const std::vector<Finding>& findings);
// A line each, with what to do about it below.
std::string ToText(const std::vector<Finding>& findings);

}  // namespace autodidact::launch
