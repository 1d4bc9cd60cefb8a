#include "launch/hosts/verdicts.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/format.h"
#include "data/durable.h"

namespace autodidact::launch {
namespace {

constexpr std::uint64_t kFewFiles = 4096;
constexpr std::int64_t kLittleSharedMemory = std::int64_t{1} << 30;
constexpr double kClocksApart = 1.0;  // seconds
constexpr int kIndent = 10;

using TextOf = std::function<std::string(const HostFacts&)>;

// What hosts say, in the order of the first host that says it, with all who say it.
std::vector<std::pair<std::string, std::vector<std::size_t>>> Sayings(const Site& site, const TextOf& text_of) {
  std::vector<std::pair<std::string, std::vector<std::size_t>>> all;
  for (std::size_t host = 0; host < site.hosts.size(); ++host) {
    const std::string text = text_of(site.hosts[host]);
    const auto said = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == text; });
    if (said == all.end()) {
      all.push_back({text, {host}});
    } else {
      said->second.push_back(host);
    }
  }
  return all;
}

// "4.1.4", or "4.1.4 on host 0 (a), host 1 (b); 4.1.6 on host 2 (c)".
std::string Told(const Site& site, const TextOf& text_of) {
  const auto sayings = Sayings(site, text_of);
  if (sayings.size() == 1) return sayings[0].first;
  std::string all;
  for (const auto& [text, hosts] : sayings) {
    all += (all.empty() ? "" : "; ") + text + " on ";
    for (std::size_t i = 0; i < hosts.size(); ++i) all += (i == 0 ? "" : ", ") + NameOf(site, hosts[i]);
  }
  return all;
}

Finding MustAgree(const Site& site, const std::string& what, const TextOf& text_of, const std::string& fix) {
  const TextOf or_none = [&](const HostFacts& host) {
    const std::string text = text_of(host);
    return text.empty() ? std::string("none") : text;
  };
  const bool agree = Sayings(site, text_of).size() == 1;
  return {agree ? Verdict::kOk : Verdict::kBad, what, Told(site, or_none), agree ? "" : fix};
}

// A warning where some host is not as it should be; `found` says what all hosts have.
Finding WarnWhere(const Site& site, const std::string& what, const TextOf& text_of,
                  const std::function<bool(const HostFacts&)>& low, const std::string& fix) {
  const bool warn = std::any_of(site.hosts.begin(), site.hosts.end(), low);
  return {warn ? Verdict::kWarning : Verdict::kOk, what, Told(site, text_of), warn ? fix : ""};
}

std::string SizeOrNone(std::uint64_t bytes) {
  return bytes == process::Limit::kUnlimited ? "unlimited" : data::SizeText(bytes);
}

Finding JudgeCount(const Site& site) {
  std::string all;
  for (std::size_t host = 0; host < site.hosts.size(); ++host) {
    const auto ranks = std::count(site.host_of_rank.begin(), site.host_of_rank.end(), host);
    all += base::Format("{}{}: {} {}", host == 0 ? "" : ", ", NameOf(site, host), ranks,
                        ranks == 1 ? "process" : "processes");
  }
  return {Verdict::kOk, "hosts", base::Format("{}: {}", site.hosts.size(), all), ""};
}

bool IsPmix(const std::string& plugin) {
  return plugin.starts_with("pmix");
}

// Whether srun names its plugins' versions ("pmix_v4"), and none of them is the library's ("4.2.2").
bool IsOfAnotherVersion(const HostFacts& host) {
  const std::string version = "pmix_v";
  const std::string own = version + host.pmix.substr(0, host.pmix.find('.'));
  const auto is_versioned = [&](const std::string& plugin) { return plugin.starts_with(version); };
  const auto is_own = [&](const std::string& plugin) { return plugin == own; };
  return !host.pmix.empty() && std::any_of(host.srun_plugins.begin(), host.srun_plugins.end(), is_versioned) &&
         std::none_of(host.srun_plugins.begin(), host.srun_plugins.end(), is_own);
}

Finding JudgePmix(const Site& site) {
  Finding finding = MustAgree(
      site, "PMIx", [](const HostFacts& host) { return host.pmix; },
      "the same PMIx on every host: a job of mixed versions may hang at its start");
  for (const HostFacts& host : site.hosts) {
    if (!host.slurm) continue;
    std::string plugins;
    for (const std::string& one : host.srun_plugins) plugins += (plugins.empty() ? "" : ", ") + one;
    finding.found += base::Format("; srun has {}", plugins.empty() ? "nothing to say (srun --mpi=list)" : plugins);
    if (finding.verdict == Verdict::kOk && IsOfAnotherVersion(host)) {
      finding.verdict = Verdict::kWarning;
      finding.fix = "versions apart may hang at the start of a job: a Slurm and an Open MPI that use the same PMIx";
    }
    if (std::any_of(host.srun_plugins.begin(), host.srun_plugins.end(), IsPmix)) break;
    finding.verdict = Verdict::kBad;
    finding.fix =
        "srun cannot start MPI programs by PMIx here: install Slurm's plugin (mpi_pmix.so), or use mpirun within the "
        "job";
    break;
  }
  return finding;
}

std::string GpusOf(const HostFacts& host) {
  std::string all;
  for (std::size_t i = 0; i < host.gpus.size();) {
    const auto alike = std::find_if(host.gpus.begin() + static_cast<std::ptrdiff_t>(i), host.gpus.end(),
                                    [&](const Gpu& gpu) { return gpu != host.gpus[i]; });
    const auto count = static_cast<std::size_t>(alike - host.gpus.begin()) - i;
    all += base::Format("{}{} x {} ({})", all.empty() ? "" : ", ", count, host.gpus[i].name,
                        data::SizeText(static_cast<std::uint64_t>(host.gpus[i].memory)));
    i += count;
  }
  return all.empty() ? "none" : all + ", driver " + host.driver;
}

Finding JudgeGpus(const Site& site, const Needs& needs) {
  Finding finding{Verdict::kOk, "GPUs", Told(site, GpusOf), ""};
  const auto has_none = [](const HostFacts& host) { return host.gpus.empty(); };
  if (Sayings(site, GpusOf).size() > 1) {
    finding.verdict = Verdict::kWarning;
    finding.fix = "hosts that differ are as fast as the slowest, and need a placement by host";
  }
  if (needs.gpus && std::any_of(site.hosts.begin(), site.hosts.end(), has_none)) {
    finding.verdict = Verdict::kBad;
    finding.fix =
        "device: cuda needs GPUs: ask the scheduler for them (--gpus-per-node), and try nvidia-smi on the host";
  }
  return finding;
}

Finding JudgeCores(const Site& site) {
  return WarnWhere(
      site, "cores",
      [](const HostFacts& host) {
        return base::Format("{} of {}, {}", host.cores, host.host_cores,
                            data::SizeText(static_cast<std::uint64_t>(host.memory)));
      },
      [](const HostFacts& host) { return host.cores == 1 && host.host_cores > 2; },
      "this process is bound to one core: mpirun --bind-to none, srun --cpu-bind=none with enough --cpus-per-task");
}

void AddLimits(const Site& site, std::vector<Finding>& findings) {
  findings.push_back(WarnWhere(
      site, "open files", [](const HostFacts& host) { return base::Format("{} at most", host.open_files.hard); },
      [](const HostFacts& host) { return host.open_files.hard < kFewFiles; },
      "raise the hard limit (ulimit -Hn 65536, LimitNOFILE of slurmd's unit): every connection is one"));
  findings.push_back(WarnWhere(
      site, "locked memory", [](const HostFacts& host) { return SizeOrNone(host.locked_memory.hard); },
      [](const HostFacts& host) { return host.infiniband && host.locked_memory.hard != process::Limit::kUnlimited; },
      "InfiniBand needs ulimit -l unlimited (LimitMEMLOCK=infinity of slurmd's or sshd's unit)"));
  findings.push_back(WarnWhere(
      site, "/dev/shm",
      [](const HostFacts& host) { return data::SizeText(static_cast<std::uint64_t>(host.shared_memory)); },
      [](const HostFacts& host) { return host.shared_memory < kLittleSharedMemory; },
      "NCCL and MPI share memory there: in a container, --shm-size=8g"));
}

}  // namespace

std::vector<Finding> JudgeHosts(const Site& site, const Needs& needs) {
  std::vector<Finding> findings;
  findings.push_back(JudgeCount(site));
  findings.push_back(MustAgree(
      site, "program", [](const HostFacts& host) { return host.program; },
      "give every host the same build: a folder that all share, or the same archive"));
  findings.push_back(MustAgree(
      site, "MPI", [](const HostFacts& host) { return host.mpi; },
      "the same Open MPI on every host, first in its PATH"));
  findings.push_back(JudgePmix(site));
  findings.push_back(MustAgree(
      site, "libtorch", [](const HostFacts& host) { return host.torch; },
      "the same libtorch on every host: AUTODIDACT_LIBTORCH, or the python3 on the PATH"));
  findings.push_back(MustAgree(
      site, "NCCL", [](const HostFacts& host) { return host.nccl; },
      "the same NCCL on every host: it comes with the CUDA build of libtorch"));
  findings.push_back(JudgeGpus(site, needs));
  findings.push_back(JudgeCores(site));
  AddLimits(site, findings);
  return findings;
}

Finding JudgeAddresses(const Site& site, const std::vector<net::Interface>& addresses) {
  std::string all;
  for (std::size_t host = 0; host < addresses.size(); ++host) {
    all += base::Format("{}{}: {} {}", host == 0 ? "" : ", ", NameOf(site, host), addresses[host].name,
                        addresses[host].address);
  }
  return {Verdict::kOk, "addresses", all, ""};
}

Finding JudgePairs(const Site& site, const std::vector<BrokenPair>& broken, const net::PortRange& ports) {
  const std::size_t pairs = site.hosts.size() * (site.hosts.size() - 1);
  if (pairs == 0) return {Verdict::kOk, "connections", "one host: none are needed", ""};
  if (broken.empty())
    return {Verdict::kOk, "connections", base::Format("all {} ways between hosts are open", pairs), ""};
  std::string all;
  for (const BrokenPair& pair : broken) all += (all.empty() ? "" : "; ") + pair.text;
  return {Verdict::kBad, "connections", all,
          ports.any() ? "open the firewall between these hosts, or name the ports it leaves open (network.ports)"
                      : base::Format("open TCP ports {} between these hosts, both ways", Name(ports))};
}

Finding JudgeFolder(const Site& site, const std::string& folder, const std::vector<std::string>& wrong) {
  std::string all;
  for (std::size_t host = 0; host < wrong.size(); ++host) {
    if (!wrong[host].empty()) all += (all.empty() ? "" : "; ") + NameOf(site, host) + ": " + wrong[host];
  }
  if (!all.empty()) {
    return {Verdict::kBad, "folder", all, "the run's folder must lie on a disk that every host mounts and may write"};
  }
  const char* shared = site.hosts.size() > 1 ? "every host sees the others' files; " : "";
  return {Verdict::kOk, "folder", base::Format("{}: {}fsync and rename work", folder, shared), ""};
}

Finding JudgeClocks(const Site& site, const std::vector<double>& ahead) {
  const auto worst =
      std::max_element(ahead.begin(), ahead.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (ahead.size() < 2) return {Verdict::kOk, "clocks", "one", ""};
  const auto host = static_cast<std::size_t>(worst - ahead.begin());
  const std::string text = base::Format("{} is {:.1f} s {} {}", NameOf(site, host), std::abs(*worst),
                                        *worst < 0 ? "behind" : "ahead of", NameOf(site, 0));
  if (std::abs(*worst) <= kClocksApart)
    return {Verdict::kOk, "clocks", base::Format("within {:.1f} s", std::abs(*worst)), ""};
  return {Verdict::kWarning, "clocks", text, "set it by NTP: logs and records of the hosts do not agree"};
}

Finding JudgeRoom(const std::string& folder, std::int64_t free, const Needs& needs) {
  const std::string has = base::Format("{}: {} free", folder, data::SizeText(static_cast<std::uint64_t>(free)));
  if (needs.checkpoint == 0) return {Verdict::kOk, "room", has, ""};
  const std::string takes =
      base::Format("{}; a checkpoint takes {}", has, data::SizeText(static_cast<std::uint64_t>(needs.checkpoint)));
  if (free < needs.checkpoint) {
    return {Verdict::kBad, "room", takes, "make room, or let folder be on another disk"};
  }
  if (free / needs.checkpoint < needs.checkpoints_kept) {
    return {Verdict::kWarning, "room", base::Format("{}, and {} are kept at a time", takes, needs.checkpoints_kept),
            "make room, or lower train.keep_checkpoints"};
  }
  return {Verdict::kOk, "room", takes, ""};
}

Verdict Worst(const std::vector<Finding>& findings) {
  Verdict worst = Verdict::kOk;
  for (const Finding& finding : findings) worst = std::max(worst, finding.verdict);
  return worst;
}

std::string ToText(const std::vector<Finding>& findings) {
  constexpr const char* kNames[] = {"ok", "warning", "BAD"};
  std::string text;
  for (const Finding& finding : findings) {
    text += base::Format("{:<{}}{:<15}{}\n", kNames[static_cast<int>(finding.verdict)], kIndent, finding.what,
                         finding.found);
    if (!finding.fix.empty()) text += base::Format("{:<{}}{:<15}{}\n", "", kIndent, "  to do:", finding.fix);
  }
  return text;
}

}  // namespace autodidact::launch
