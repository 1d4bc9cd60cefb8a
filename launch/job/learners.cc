#include "launch/job/learners.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/format.h"
#include "process/child.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

// Seconds from mpirun's SIGTERM to its SIGKILL. The run is stopped by a word to its first rank, not by this.
constexpr int kLaunchersGrace = 2;

// Open MPI's own program beside ours, as in an archive, else from PATH.
std::string Launcher(const std::string& binary) {
  const fs::path beside = fs::path(binary).parent_path() / "mpirun";
  return fs::exists(beside) ? beside.string() : "mpirun";
}

// For Open MPI's own listeners: the run's network, and its ports where they are given.
void AddNetwork(const JobPlan& plan, std::vector<std::string>& argv) {
  const auto set = [&](const char* parameter, const std::string& value) {
    argv.insert(argv.end(), {"--mca", parameter, value});
  };
  std::set<std::string> networks;
  for (const net::Interface& host : plan.hosts) networks.insert(net::NetworkOf(host));
  std::string all;
  for (const std::string& network : networks) all += (all.empty() ? "" : ",") + network;
  const bool one_host = plan.hosts.size() == 1;
  set("oob_tcp_if_include", one_host ? "lo" : all);
  if (!one_host) set("btl_tcp_if_include", all);
  const net::PortRange ports = net::ParsePortRange(plan.ports);
  if (ports.any()) return;
  set("btl_tcp_port_min_v4", std::to_string(ports.first));
  set("btl_tcp_port_range_v4", std::to_string(ports.last - ports.first + 1));
  set("oob_tcp_dynamic_ipv4_ports", Name(ports));
}

std::string HostList(const JobPlan& plan) {
  std::string list;
  for (std::size_t host = 0; host < plan.hosts.size(); ++host) {
    const std::int64_t ranks = plan.CountOf("learner", host);
    if (ranks > 0) list += base::Format("{}{}:{}", list.empty() ? "" : ",", plan.hosts[host].address, ranks);
  }
  return list;
}

}  // namespace

PrivateFolder::PrivateFolder() {
  std::string name = (fs::temp_directory_path() / "autodidact-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) base::ThrowBadInput(base::Format("{}: {}", name, strerror(errno)));
  path_ = name;
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::vector<std::string> LearnersCommand(const JobPlan& plan, const fs::path& folder, bool again) {
  std::vector<std::string> learner = {plan.binary};
  if (plan.verbose) learner.emplace_back("--verbose");
  learner.insert(learner.end(), {"learner", plan.config_file, "--join", "-"});
  for (const std::string& argument : plan.arguments) {
    if (!again || (argument != "--overwrite" && argument != "--resume")) learner.push_back(argument);
  }
  if (again) learner.emplace_back("--resume");
  const std::int64_t ranks =
      std::count_if(plan.roles.begin(), plan.roles.end(), [](const RolePlace& role) { return role.kind == "learner"; });
  if (ranks == 1) return learner;

  std::vector<std::string> argv = {Launcher(plan.binary),
                                   "--quiet",
                                   "--oversubscribe",
                                   "--bind-to",
                                   "none",
                                   "-n",
                                   std::to_string(ranks),
                                   "--mca",
                                   "odls_base_sigkill_timeout",
                                   std::to_string(kLaunchersGrace)};
  if (geteuid() == 0) argv.emplace_back("--allow-run-as-root");
  AddNetwork(plan, argv);
  if (plan.CountOf("learner", 0) == ranks) {
    argv.insert(argv.end(), {"--mca", "plm", "isolated", "--mca", "ras", "^slurm"});
  } else {
    const fs::path ticket = folder / "starter";
    WriteTicket(ticket, plan.ForStarter());
    argv.insert(argv.end(), {"--host", HostList(plan), "--map-by", "slot", "--mca", "plm", "rsh", "--mca", "ras",
                             "^slurm", "--mca", "plm_rsh_no_tree_spawn", "1", "--leave-session-attached", "--mca",
                             "plm_rsh_agent", base::Format("{} start-on {}", plan.binary, ticket.string())});
  }
  argv.insert(argv.end(), learner.begin(), learner.end());
  return argv;
}

}  // namespace autodidact::launch
