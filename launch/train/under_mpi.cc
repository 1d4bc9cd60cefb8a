#include <ATen/Context.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <climits>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "collective/collective.h"
#include "json/json.h"
#include "launch/train/rank_zero.h"
#include "launch/train/roles.h"
#include "launch/train/stop_line.h"
#include "launch/train/training.h"
#include "launch/wiring/preflight.h"
#include "launch/wiring/wiring.h"
#include "net/net.h"
#include "process/child.h"

namespace autodidact::launch {
namespace {

constexpr auto kFirstRestart = std::chrono::milliseconds(500);
constexpr auto kLongestRestart = std::chrono::seconds(30);
constexpr auto kLookForStop = std::chrono::milliseconds(200);
constexpr auto kLastGrace = std::chrono::seconds(2);
// After the checkpoint, for the other ranks to leave.
constexpr auto kLeavingJob = std::chrono::seconds(20);
// Of a role's process when the run is over: what it is in the middle of is of no use to anybody.
constexpr auto kRoleLeaving = std::chrono::seconds(5);
// Ranks that are done wait for the others: the run's own deadlines end it long before this.
constexpr auto kWholeRun = std::chrono::hours(24 * 365);

std::string BindAddress(const RunConfig& config) {
  return "tcp://" + config.network.address + ":*";
}

constexpr const char* kPromiseOfRank = "stopping; rank 0 saves the steps that are done as a checkpoint";

// What rank 0 tells the host agents.
struct Meeting {
  std::string endpoint;
  std::string config_file;
};

void SleepUnless(const std::stop_token& stop, base::Milliseconds duration) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, duration, [] { return false; });
}

// How long a signal to mpirun itself leaves its ranks, for people. It says so in the ranks' environment.
std::string PromiseOfRankZero() {
  const char* seconds = std::getenv("OMPI_MCA_odls_base_sigkill_timeout");
  return base::Format(
      "stopping; the steps that are done are saved as a checkpoint (where mpirun itself was sent the signal, it kills "
      "what is left after {} s: mpirun --mca odls_base_sigkill_timeout N)",
      seconds != nullptr ? seconds : "1");
}

// Starts the role again whenever it dies, until it says by its exit code that the run is over, or the run is stopped.
void KeepRoleAlive(const std::string& kind, std::int64_t index, const Meeting& meeting, const TrainOptions& options,
                   const RunConfig& config) {
  const std::string what = base::Format("{}-{}", kind, index);
  base::SetLogRole("agent of " + what);
  auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(kFirstRestart);
  std::vector<std::string> argv = {options.binary};
  if (options.verbose) argv.emplace_back("--verbose");
  argv.insert(argv.end(), {kind, meeting.config_file, "--connect", meeting.endpoint, "--index", std::to_string(index),
                           "--set", "device=" + config.device});
  while (true) {
    const auto started = base::Clock::now();
    process::Child child({.what = what,
                          .argv = argv,
                          .environment = process::EnvironmentWithoutMpi(),
                          .working_directory = {},
                          .output = process::ChildOptions::Output::kFile,
                          .output_file = config.run_folder() / "logs" / (what + ".log")});
    base::LogInfo("{} runs as process {}", what, child.pid());
    std::optional<process::ExitStatus> status;
    while (!status && !options.stop.stop_requested()) status = child.Wait(base::Deadline::In(kLookForStop));
    if (!status) {
      child.Terminate(kLastGrace);  // a run that is stopped needs no more of its work
      return;
    }
    if (status->ok()) return;
    if (!status->by_signal && status->code == 2) {
      base::ThrowBadInput(base::Format("{} refused its input; see {}", what,
                                       (config.run_folder() / "logs" / (what + ".log")).string()));
    }
    if (base::SecondsSince(started) > 60) pause = kFirstRestart;
    base::LogWarning("{} ended ({}); starting it again in {:.1f} s", what, status->Describe(),
                     std::chrono::duration<double>(pause).count());
    SleepUnless(options.stop, pause);
    if (options.stop.stop_requested()) return;
    pause = std::min<std::chrono::milliseconds>(2 * pause, kLongestRestart);
  }
}

base::Milliseconds CollectiveTimeout(const RunConfig& config) {
  return base::Milliseconds(static_cast<std::int64_t>(config.timeouts.collective * 1000));
}

// Of each rank.
std::vector<std::string> HostsOf(collective::Communicator& world) {
  char name[HOST_NAME_MAX + 1] = "";
  gethostname(name, sizeof name - 1);
  return world.AllGather(name);
}

// The GPU of this rank where the config says "cuda": the ranks of one machine take its GPUs in turn. A judge needs one
// for a model of its own alone.
std::string DeviceOfRank(const RunConfig& config, const std::vector<std::string>& roles,
                         const std::vector<std::string>& hosts, std::size_t rank) {
  if (config.device != "cuda") return config.device;
  const auto needs_gpu = [&](const std::string& role) { return role != "judge" || config.judge.has_model(); };
  if (!needs_gpu(roles[rank])) return "cpu";
  std::size_t index = 0;
  for (std::size_t r = 0; r < rank; ++r) index += hosts[r] == hosts[rank] && needs_gpu(roles[r]) ? 1 : 0;
  const std::size_t visible = at::getNumGPUs();
  if (visible == 1) index = 0;  // a launcher that shows each rank its own
  if (index >= visible) {
    base::ThrowBadInput(base::Format("device: cuda: rank {} ({}) is the {}th that needs a GPU on {}, which has {}",
                                     rank, roles[rank], index + 1, hosts[rank], visible));
  }
  return base::Format("cuda:{}", index);
}

// Whether the run may begin: rank 0 looks for all, and says what is wrong.
bool CheckOnRankZero(const RunConfig& config, const Placement& placement, collective::Communicator& world,
                     RunData& data) {
  std::string told = "go on";
  if (world.rank() == 0) {
    try {
      data = CheckBeforeRun(config, placement);
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::kBadInput) throw;
      base::LogError("{}", error.message());
      told = "refused";
    }
  }
  return world.BroadcastBytes(told, 0) == "go on";
}

// What a rank has of the job.
struct Job {
  const TrainOptions& options;
  process::Ending& ending;
  const std::vector<std::string>& roles;  // of each rank
  collective::Communicator& world;
  net::Context& context;
};

learner::RunEnd RunLearnerRank(const RunConfig& config, const Job& job, collective::Communicator& learners,
                               RunData data) {
  base::SetLogRole(base::Format("learner-{}", learners.rank()));
  UseThreads(config.threads.learner);
  const bool first = job.world.rank() == 0;
  std::optional<data::RunPlace> place;
  if (first) place.emplace(PlaceOfRun(config, job.options));
  // A GPU holds the weights that are trained and no others: the initial ones are read into host memory.
  const bool gpu = config.device != "cpu";
  LoadedModel model = LoadModelFolder(config.model, "cpu", ScalarTypeOf(config.dtype));
  const net::Security security;
  std::unique_ptr<RankZeroAssembly> side;
  std::unique_ptr<StopDesk> desk;
  std::string told;
  if (first) {
    const std::string bind = BindAddress(config);
    side = std::make_unique<RankZeroAssembly>(config, *place,
                                              RankZeroAssembly::Wire{job.context, security, bind, job.options.stop},
                                              model, job.roles, std::move(data));
    desk = std::make_unique<StopDesk>(job.context, bind, security, job.ending);
    std::filesystem::create_directories(config.run_folder() / "logs");
    told = json::Dump({{"endpoint", side->endpoint()},
                       {"signals", desk->endpoint()},
                       {"config", std::filesystem::absolute(config.run_folder() / "config.yaml").string()},
                       {"checkpoint", place->checkpoint() ? place->checkpoint()->string() : ""}});
  }
  std::optional<process::Ending::Saving> saving(std::in_place, job.ending,
                                                first ? PromiseOfRankZero() : kPromiseOfRank);
  const json::Json meeting = json::Parse(job.world.BroadcastBytes(told, 0), "rank 0");
  std::optional<StopLine> line;
  if (!first) line.emplace(job.context, meeting.at("signals").get<std::string>(), security, job.ending);
  learner::LearnerConfig learner_config = LearnerOf(config, side ? side->facts() : data::RunFacts{});
  std::unique_ptr<collective::Communicator> nccl;
  if (gpu) {
    learner_config.trainer.device = at::Device(config.device);
    learner_config.publish_to = at::kCPU;
    nccl = collective::MakeNcclGroup(learners, at::Device(config.device), CollectiveTimeout(config));
  }
  learner::Learner learner(std::move(learner_config), model.weights, nccl ? *nccl : learners,
                           side ? &side->rank_zero() : nullptr);
  model.weights = nullptr;  // who still needs them has them
  if (const std::string checkpoint = meeting.at("checkpoint"); !checkpoint.empty()) learner.Resume(checkpoint);
  learner::RunEnd end = learner::RunEnd::kFinished;
  try {
    end = learner.Run(job.options.stop);
  } catch (const std::exception& error) {
    if (side) side->WriteFailure(error.what());
    throw;
  }
  saving.reset();
  if (side) side->WriteEnd(end);
  if (end == learner::RunEnd::kStopped) {
    if (first) base::LogWarning("stopped after step {}; --resume goes on from its checkpoint", learner.steps_done());
    job.ending.EndBy(base::Deadline::In(kLeavingJob), process::ExitCodeAfter(job.ending.requested().value_or(SIGTERM)));
  }
  job.world.Barrier();  // the coordinator answers until every role has heard that the run is over
  return end;
}

// Keeps the role of this rank alive until the run is over.
void RunAgent(const RunConfig& config, const Job& job) {
  const json::Json told = json::Parse(job.world.BroadcastBytes({}, 0), "rank 0");
  const process::Ending::Saving saving(job.ending, kPromiseOfRank);
  const StopLine line(job.context, told.at("signals"), {}, job.ending);
  const std::string& kind = job.roles[static_cast<std::size_t>(job.world.rank())];
  const auto index = std::count(job.roles.begin(), job.roles.begin() + job.world.rank(), kind);
  KeepRoleAlive(kind, index, {told.at("endpoint"), told.at("config")}, job.options, config);
  job.world.Barrier();
}

}  // namespace

std::vector<std::string> PlaceRoles(const RunConfig& config, int size) {
  std::vector<std::string> roles = config.placement.ranks;
  if (roles.empty()) {
    if (size < 4) {
      base::ThrowBadInput(
          base::Format("{} ranks under mpirun: at least 4 are needed (learner, actor, anchor, judge)", size));
    }
    roles.assign(static_cast<std::size_t>(size - 3), "learner");
    roles.insert(roles.end(), {"actor", "anchor", "judge"});
  }
  if (std::ssize(roles) != size) {
    base::ThrowBadInput(base::Format("placement.ranks: got {} roles for {} ranks", roles.size(), size));
  }
  bool seen_other = false;
  for (const std::string& role : roles) {
    if (role == "learner" && seen_other) base::ThrowBadInput("placement.ranks: learners come before all other roles");
    seen_other = seen_other || role != "learner";
  }
  for (const char* needed : {"actor", "judge"}) {
    if (std::find(roles.begin(), roles.end(), needed) == roles.end()) {
      base::ThrowBadInput(base::Format("placement.ranks: there is no {}", needed));
    }
  }
  if (config.estimator == estimators::EstimatorKind::kSynthesis &&
      std::find(roles.begin(), roles.end(), "anchor") == roles.end()) {
    base::ThrowBadInput("placement.ranks: estimator: synthesis needs an anchor");
  }
  return roles;
}

learner::RunEnd TrainUnderMpi(const RunConfig& whole, const TrainOptions& options, process::Ending& ending) {
  const int rank = collective::MpiRank();
  const auto roles = PlaceRoles(whole, collective::MpiSize());
  const std::string& kind = roles[static_cast<std::size_t>(rank)];
  const auto world = collective::MakeMpiGroup(0, std::chrono::duration_cast<std::chrono::milliseconds>(kWholeRun));
  const auto learners = collective::MakeMpiGroup(kind == "learner" ? 0 : -1, CollectiveTimeout(whole));
  RunConfig config = whole;
  const std::vector<std::string> hosts = HostsOf(*world);
  config.device = DeviceOfRank(whole, roles, hosts, static_cast<std::size_t>(rank));
  const bool one_machine = std::all_of(hosts.begin(), hosts.end(), [&](const auto& host) { return host == hosts[0]; });

  RunData data;
  if (!CheckOnRankZero(config, {roles, one_machine}, *world, data)) return learner::RunEnd::kRefused;
  net::Context context;
  const Job job{options, ending, roles, *world, context};
  learner::RunEnd end = learner::RunEnd::kFinished;
  if (kind == "learner") {
    end = RunLearnerRank(config, job, *learners, std::move(data));
  } else {
    RunAgent(config, job);
  }
  // Not every rank may have heard of the signal that another one was sent.
  const std::string ended = world->BroadcastBytes(std::string(1, static_cast<char>(end)), 0);
  for (const std::string& signal : world->AllGather(std::to_string(ending.requested().value_or(0)))) {
    if (signal != "0") ending.Request(std::stoi(signal));
  }
  return static_cast<learner::RunEnd>(ended.at(0));
}

// The anchor computes with the initial weights, and an actor that selects by them: others get the model's config alone.
LoadedModel LoadForRole(const RunConfig& config, schema::RoleKind kind) {
  if (kind == schema::RoleKind::kAnchor || (kind == schema::RoleKind::kActor && SelectionInTraining(config)))
    return LoadModelFolder(config.model, config.device, ScalarTypeOf(config.dtype));
  LoadedModel loaded;
  const model::ModelConfig shape = model::ReadModelConfig(config.model);
  loaded.tokenizer = LoadTokenizer(config.model, shape);
  loaded.weights = std::make_shared<const model::WeightSet>(shape, model::Parameters{}, 0);
  return loaded;
}

void JoinRun(const RunConfig& config, const std::string& kind, std::int64_t index, const std::string& learner_endpoint,
             process::Ending& ending) {
  const schema::RoleKind role = membership::RoleKindNamed(kind);
  const LoadedModel model = LoadForRole(config, role);
  net::Context context;
  const RoleSetting setting{
      .config = config,
      .context = context,
      .security = {},
      .learner = learner_endpoint,
      .bind = BindAddress(config),
      .index = index,
      .initial = model.weights,
      .tokenizer = *model.tokenizer,
      .local_store = nullptr,
      .on_over = [&ending] { ending.EndBy(base::Deadline::In(kRoleLeaving), process::kExitDone); }};
  WorkAs(role, setting, ending.stop());
}

}  // namespace autodidact::launch
