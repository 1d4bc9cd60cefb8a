#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "collective/collective.h"
#include "collective/facts.h"
#include "json/json.h"
#include "launch/hosts/probe.h"
#include "launch/job/job.h"
#include "net/port.h"
#include "process/child.h"
#include "process/lifeline.h"

namespace autodidact::launch {
namespace {

using json::Json;

constexpr auto kMeeting = std::chrono::seconds(15);
constexpr base::Milliseconds kConnecting{5'000};
constexpr auto kLookAtPart = std::chrono::milliseconds(100);
constexpr auto kAgentLeaves = std::chrono::seconds(15);
constexpr auto kPartGrace = std::chrono::seconds(5);
// A supervisor or agent that is stopped (SIGSTOP) for so long is replaced: meanwhile nobody starts what dies. Time in
// which the keeper was stopped as well, as by a suspended job, counts for no more than one look.
constexpr auto kLongestStop = std::chrono::seconds(10);
constexpr auto kLongestLook = std::chrono::seconds(1);

// What this keeper has of the job once the keepers have met.
struct Kept {
  JobPlan plan;
  std::size_t host = 0;
  bool first_of_host = false;
  std::vector<std::unique_ptr<net::ReservedPort>> ports;  // of the first keeper: as long as the run lasts
};

JobHosts HostsOf(const Site& site) {
  JobHosts hosts{.host_of_place = site.host_of_rank, .gpus = {}};
  for (const HostFacts& host : site.hosts) hosts.gpus.push_back(std::ssize(host.gpus));
  return hosts;
}

// What runs where, a line for each host.
void LogPlaces(const JobPlan& plan, const Site& site) {
  for (std::size_t host = 0; host < plan.hosts.size(); ++host) {
    std::string names;
    for (const RolePlace& role : plan.roles) {
      if (role.host != host) continue;
      names += (names.empty() ? "" : ", ") + role.name() + (role.device == "cpu" ? "" : " on " + role.device);
    }
    base::LogInfo("{} at {} ({}): {}", NameOf(site, host), plan.hosts[host].address, plan.hosts[host].name, names);
  }
}

// On the first keeper.
JobPlan MakePlan(const RunConfig& config, const JobCall& call, const Site& site, Kept& kept) {
  JobPlan plan{.binary = call.binary,
               .config_file = call.config_file,
               .arguments = call.arguments,
               .verbose = call.verbose,
               .ports = config.network.ports,
               .hosts = net::ChooseAddresses(NetworksOf(site), {config.network.interface, config.network.address}),
               .roles = PlaceRoles(config, HostsOf(site)),
               .supervisor = {},
               .learner = {},
               .weights = {},
               .keys = {}};
  for (std::string* endpoint : {&plan.supervisor, &plan.learner, &plan.weights}) {
    kept.ports.push_back(
        std::make_unique<net::ReservedPort>(plan.hosts[0].address, net::ParsePortRange(config.network.ports)));
    *endpoint = kept.ports.back()->endpoint();
  }
  plan.keys = MakeKeys(plan.roles, plan.hosts.size());
  LogPlaces(plan, site);
  return plan;
}

// The plan of the first keeper on each, or Error(kBadInput) on each for what the first one finds wrong.
JobPlan Agree(collective::Communicator& world, const RunConfig& config, const JobCall& call, const Site& site,
              Kept& kept) {
  Json told;
  if (world.rank() == 0) {
    try {
      told = {{"plan", Encode(MakePlan(config, call, site, kept))}};
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::kBadInput) throw;
      told = {{"refused", error.message()}};
    }
  }
  told = json::Parse(world.BroadcastBytes(world.rank() == 0 ? json::Dump(told) : "", 0), "the first keeper");
  if (told.contains("refused")) base::ThrowBadInput(told.at("refused").get<std::string>());
  return ParsePlan(told.at("plan").get<std::string>());
}

// All keepers meet, and part with the same plan, by hosts that reach each other. Error(kBadInput) on each where that
// cannot be.
Kept Meet(const RunConfig& config, const JobCall& call) {
  Kept kept;
  const auto world = collective::MakeMpiGroup(0, kMeeting);
  const Site site = GatherSite(*world, collective::MpiFirstRankHere(*world));
  kept.host = site.here;
  kept.first_of_host = site.acts_for_it;
  kept.plan = Agree(*world, config, call, site, kept);
  if (site.hosts.size() == 1) return kept;
  const auto broken = ProbePairs(*world, site, kept.plan.hosts, net::ParsePortRange(config.network.ports), kConnecting);
  if (broken.empty()) return kept;
  std::string all = "the hosts of this job do not reach each other:";
  for (const BrokenPair& pair : broken) all += "\n  " + pair.text;
  base::ThrowBadInput(all +
                      "\n  what is meant to be open: network.interface, network.ports; autodidact doctor says more");
}

bool IsStopped(pid_t pid) {
  std::ifstream file(base::Format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  return name_end != std::string::npos && text.compare(name_end + 1, 2, " T") == 0;
}

// A process of this host that outlives its keeper, started again when it is killed.
class Part {
 public:
  Part(const JobPlan& plan, std::vector<std::string> command, std::vector<std::string> again)
      : plan_(plan), command_(std::move(command)), again_(std::move(again)) {
    Start(command_);
  }

  // How it ended by itself, if it has; starts it again when it was killed.
  std::optional<int> Look() {
    const auto status = child_->Wait(base::Deadline::In(kLookAtPart));
    if (!status) {
      LookWhetherStopped();
      return std::nullopt;
    }
    if (!status->by_signal) return status->code;
    base::LogWarning("the {} was {}; starting it again", command_.front(), status->Describe());
    Start(again_);
    return std::nullopt;
  }
  void Signal(int signal) { child_->Signal(signal); }
  void End() { child_->Terminate(kPartGrace); }

 private:
  void LookWhetherStopped() {
    const auto now = base::Clock::now();
    const auto since_last = std::min<base::Clock::duration>(now - std::exchange(last_look_, now), kLongestLook);
    stopped_ = IsStopped(child_->pid()) ? stopped_ + since_last : base::Clock::duration(0);
    if (stopped_ < kLongestStop) return;
    base::LogError("the {} (process {}) has been stopped for {} s; it is killed", command_.front(), child_->pid(),
                   std::chrono::duration_cast<std::chrono::seconds>(stopped_).count());
    child_->Signal(SIGKILL);
    stopped_ = {};
  }

  void Start(const std::vector<std::string>& command) {
    std::vector<std::string> argv = {plan_.binary};
    if (plan_.verbose) argv.emplace_back("--verbose");
    argv.insert(argv.end(), command.begin(), command.end());
    child_ = std::make_unique<process::Child>(process::ChildOptions{.what = command.front(),
                                                                    .argv = argv,
                                                                    .environment = process::EnvironmentWithoutMpi(),
                                                                    .working_directory = {},
                                                                    .feed = true,
                                                                    .outlives = true,
                                                                    .deaf = true});
    child_->Write(Encode(plan_) + "\n");
  }

  const JobPlan& plan_;
  const std::vector<std::string> command_;
  const std::vector<std::string> again_;
  std::unique_ptr<process::Child> child_;
  base::Clock::time_point last_look_ = base::Clock::now();
  base::Clock::duration stopped_{0};
};

// Blocks until `first` has ended for good; keeps `second` alive meanwhile. Hands signals on to the first.
int Keep(Part& first, Part* second, process::Ending& ending) {
  bool told = false;
  while (true) {
    if (const auto code = first.Look()) return *code;
    if (second != nullptr) second->Look();
    if (const auto signal = ending.requested(); signal && !told) {
      first.Signal(*signal);
      told = true;
    }
  }
}

// For what is left on this host after the run.
void WaitUntilLeft(Part& part) {
  const base::Deadline deadline = base::Deadline::In(kAgentLeaves);
  while (!part.Look()) {
    if (!deadline.Passed()) continue;
    part.End();
    return;
  }
}

}  // namespace

int KeepRun(const RunConfig& config, const JobCall& call, process::Ending& ending) {
  Kept kept;
  try {
    kept = Meet(config, call);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::kBadInput) throw;
    // All of them know it, so that the job can end as it should.
    if (collective::MpiRank() == 0) base::LogError("{}", error.message());
    collective::FinalizeMpi();
    return process::kExitBadInput;
  }
  collective::FinalizeMpi();
  if (!kept.first_of_host) return process::kExitDone;  // a place of the launcher that another keeper fills
  const process::Ending::Saving saving(ending, "stopping; the learner saves the steps that are done as a checkpoint");
  process::UseAllowedCores();
  const std::vector<std::string> agent_command = {"agent", "--host", std::to_string(kept.host)};
  Part agent(kept.plan, agent_command, agent_command);
  if (kept.host > 0) return Keep(agent, nullptr, ending) == 0 ? process::kExitDone : process::kExitFailed;
  Part supervisor(kept.plan, {kSupervisor}, {kSupervisor, "--again"});
  const int code = Keep(supervisor, &agent, ending);
  WaitUntilLeft(agent);
  return code;
}

}  // namespace autodidact::launch
