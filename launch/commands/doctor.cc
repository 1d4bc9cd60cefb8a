// `doctor`: looks at every host of an allocation, and says what of it a run would stumble over.
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/fault.h"
#include "base/log.h"
#include "collective/collective.h"
#include "collective/facts.h"
#include "data/durable.h"
#include "launch/commands/commands.h"
#include "launch/hosts/verdicts.h"
#include "launch/wiring/memory_plan.h"
#include "launch/wiring/wiring.h"
#include "learner/checkpoint.h"
#include "net/interfaces.h"
#include "process/child.h"
#include "process/output.h"

namespace autodidact::launch {
namespace {

// Of the whole command, of one meeting of the ranks, and of the connections between hosts.
constexpr base::Milliseconds kAll{12'000};
constexpr base::Milliseconds kMeeting{5'000};
constexpr base::Milliseconds kConnecting{4'000};
constexpr const char* kAuto = "auto";
constexpr const char* kAnyPort = "*";

// Ends the program when the command is not done in time: libraries for MPI wait for ever where hosts do not reach each
// other, or versions do not agree.
class Bound {
 public:
  Bound() : thread_(base::StartThread("doctor.thread", [this](const std::stop_token& stop) { Wait(stop); })) {}

  void Doing(std::string what) {
    const std::lock_guard lock(mutex_);
    doing_ = std::move(what);
  }

 private:
  void Wait(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (over_.wait_for(lock, stop, kAll, [&] { return stop.stop_requested(); })) return;
    if (stop.stop_requested()) return;
    base::LogError("doctor: not done within {} s: this process ({}) is still {}", kAll.count() / 1000,
                   net::ThisHost().name, doing_);
    process::EndNow(process::kExitFailed);
  }

  std::mutex mutex_;
  std::condition_variable_any over_;
  std::string doing_ = "at its start";
  std::jthread thread_;  // ends before what it uses
};

long NumberIn(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

// Processes that srun has started beside each other and that know nothing of each other.
bool IsLonelyTask() {
  const auto has = [](const char* variable) { return std::getenv(variable) != nullptr; };
  const bool known = has("PMIX_RANK") || has("OMPI_COMM_WORLD_SIZE");
  return has("SLURM_STEP_ID") && NumberIn("SLURM_STEP_NUM_TASKS") > 1 && !known;
}

Finding LonelyTask() {
  return {Verdict::kBad, "start",
          base::Format("srun has started {} processes, and none of them knows of the others: no PMIx",
                       NumberIn("SLURM_STEP_NUM_TASKS")),
          "srun --mpi=pmix; srun --mpi=list says what there is"};
}

struct Subject {
  Needs needs;
  std::string folder;
  net::AddressChoice choice;
  net::PortRange ports;
};

Subject SubjectOf(const DoctorCommand& command) {
  Subject subject;
  subject.folder = command.folder.empty() ? "." : command.folder;
  subject.choice.interface = command.interface;
  subject.ports = net::ParsePortRange(command.ports);
  if (command.config.empty()) return subject;
  const RunConfig config = ReadRunConfig(command.config, command.overrides, Files::kAnywhere);
  if (command.folder.empty()) subject.folder = config.run_folder();
  subject.choice.address = config.network.address;
  if (command.interface == kAuto) subject.choice.interface = config.network.interface;
  if (command.ports == kAnyPort) subject.ports = net::ParsePortRange(config.network.ports);
  subject.needs.gpus = config.device.starts_with("cuda");
  const model::ModelConfig model = model::ReadModelConfig(config.model);
  const std::int64_t num_weights = PlanMemory(config, model, {}, kAssumedPromptTokens).num_weights;
  subject.needs.checkpoint =
      static_cast<std::int64_t>(learner::CheckpointBytes(num_weights, ScalarTypeOf(config.dtype)));
  subject.needs.checkpoints_kept = config.train.keep_checkpoints + 1;
  return subject;
}

// The addresses that a run would take, and whether they lead from each host to each.
std::vector<Finding> JudgeNetwork(collective::Communicator& ranks, const Site& site, const Subject& subject) {
  std::vector<net::Interface> addresses;
  try {
    addresses = net::ChooseAddresses(NetworksOf(site), subject.choice);
  } catch (const base::Error& error) {
    return {{Verdict::kBad, "addresses", error.message(), "network.interface names one that every host has"}};
  }
  const auto broken = ProbePairs(ranks, site, addresses, subject.ports, kConnecting);
  return {JudgeAddresses(site, addresses), JudgePairs(site, broken, subject.ports)};
}

std::vector<Finding> Examine(collective::Communicator& ranks, int first_here, const Subject& subject, Bound& bound) {
  bound.Doing("waiting for what the others say of their hosts");
  const Site site = GatherSite(ranks, first_here);
  std::vector<Finding> findings = JudgeHosts(site, subject.needs);
  bound.Doing("trying the connections between the hosts");
  for (Finding& finding : JudgeNetwork(ranks, site, subject)) findings.push_back(std::move(finding));
  bound.Doing("trying the folder " + subject.folder);
  findings.push_back(JudgeFolder(site, subject.folder, ProbeFolder(ranks, site, subject.folder)));
  findings.push_back(
      JudgeRoom(subject.folder, static_cast<std::int64_t>(data::FreeBytes(subject.folder)), subject.needs));
  bound.Doing("comparing the clocks");
  findings.push_back(JudgeClocks(site, ProbeClocks(ranks, site)));
  return findings;
}

int Conclude(const std::vector<Finding>& findings) {
  process::Output().Write(ToText(findings));
  return Worst(findings) == Verdict::kBad ? process::kExitFailed : process::kExitDone;
}

// Of a rank that others may not know yet.
std::string ThisRank() {
  const net::HostNetwork here = net::ThisHost();
  std::string addresses;
  for (const net::Interface& one : here.interfaces) addresses += base::Format(", {} {}", one.name, one.address);
  return base::Format("rank {} is on {}{}", collective::MpiRank(), here.name, addresses);
}

std::unique_ptr<collective::Communicator> Meet() {
  try {
    return collective::MakeMpiGroup(0, kMeeting);
  } catch (const base::Error& error) {
    throw base::Error(error.kind(), base::Format("{} ({})", error.message(), ThisRank()));
  }
}

// Every rank ends with the first one's code, lest the launcher take the others for failed.
int ExamineTogether(collective::Communicator& ranks, const Subject& subject, Bound& bound) {
  const auto findings = Examine(ranks, collective::MpiFirstRankHere(ranks), subject, bound);
  const int code = ranks.rank() == 0 ? Conclude(findings) : 0;
  return std::stoi(ranks.BroadcastBytes(std::to_string(code), 0));
}

}  // namespace

int RunDoctor(const DoctorCommand& command) {
  const Subject subject = SubjectOf(command);
  Bound bound;
  if (IsLonelyTask()) {
    if (NumberIn("SLURM_PROCID") != 0) return process::kExitFailed;
    auto single = collective::MakeSingle();
    auto findings = Examine(*single, 0, subject, bound);
    findings.insert(findings.begin(), LonelyTask());
    return Conclude(findings);
  }
  if (collective::LaunchedByMpi()) {
    bound.Doing(
        "in MPI_Init: the hosts' MPI or PMIx versions do not agree, or their daemons do not reach each other (srun "
        "--mpi=list; a firewall)");
    collective::InitMpi();
  }
  if (collective::MpiSize() == 1) {
    auto single = collective::MakeSingle();
    return Conclude(Examine(*single, 0, subject, bound));
  }
  bound.Doing("waiting for the other processes of the job: a host is missing, or a firewall is between the hosts");
  const auto ranks = Meet();
  const int code = ExamineTogether(*ranks, subject, bound);
  collective::FinalizeMpi();
  return code;
}

}  // namespace autodidact::launch
