#include <ATen/Context.h>
#include <unistd.h>

#include <chrono>
#include <climits>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "collective/collective.h"
#include "json/json.h"
#include "launch/learner_side.h"
#include "launch/preflight.h"
#include "launch/roles.h"
#include "launch/training.h"
#include "launch/wiring.h"
#include "net/net.h"
#include "process/child.h"

namespace autodidact::launch {
namespace {

constexpr auto kFirstRestart = std::chrono::milliseconds(500);
constexpr auto kLongestRestart = std::chrono::seconds(30);
// Ranks that are done wait for the others: the run's own deadlines end it long before this.
constexpr auto kWholeRun = std::chrono::hours(24 * 365);

std::string BindAddress(const RunConfig& config) {
  return "tcp://" + config.network.address + ":*";
}

// What rank 0 tells the host agents.
struct Meeting {
  std::string endpoint;
  std::string config_file;
};

// Starts the role again whenever it dies, until it says by its exit code that the run is over.
void KeepRoleAlive(const std::string& kind, std::int64_t index, const Meeting& meeting, const TrainOptions& options,
                   const RunConfig& config) {
  const std::string what = base::Format("{}-{}", kind, index);
  base::SetLogRole("agent of " + what);
  auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(kFirstRestart);
  while (true) {
    const auto started = base::Clock::now();
    process::Child child({.what = what,
                          .argv = {options.binary, kind, meeting.config_file, "--connect", meeting.endpoint, "--index",
                                   std::to_string(index), "--set", "device=" + config.device},
                          .environment = process::EnvironmentWithoutMpi(),
                          .working_directory = {},
                          .output = process::ChildOptions::Output::kFile,
                          .output_file = config.run_folder() / "logs" / (what + ".log")});
    base::LogInfo("{} runs as process {}", what, child.pid());
    std::optional<process::ExitStatus> status;
    while (!status) status = child.Wait(base::Deadline::In(std::chrono::seconds(60)));
    if (status->ok()) return;
    if (!status->by_signal && status->code == 2) {
      base::ThrowBadInput(base::Format("{} refused its input; see {}", what,
                                       (config.run_folder() / "logs" / (what + ".log")).string()));
    }
    if (base::SecondsSince(started) > 60) pause = kFirstRestart;
    base::LogWarning("{} ended ({}); starting it again in {:.1f} s", what, status->Describe(),
                     std::chrono::duration<double>(pause).count());
    std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::milliseconds>(2 * pause, kLongestRestart);
  }
}

base::Milliseconds CollectiveTimeout(const RunConfig& config) {
  return base::Milliseconds(static_cast<std::int64_t>(config.timeouts.collective * 1000));
}

// The GPU of this rank where the config says "cuda": the ranks of one machine take its GPUs in turn. A judge needs one
// for a model of its own alone.
std::string DeviceOfRank(const RunConfig& config, const std::vector<std::string>& roles,
                         collective::Communicator& world) {
  if (config.device != "cuda") return config.device;
  char name[HOST_NAME_MAX + 1] = "";
  gethostname(name, sizeof name - 1);
  const std::vector<std::string> hosts = world.AllGather(name);
  const auto rank = static_cast<std::size_t>(world.rank());
  const auto needs_gpu = [&](const std::string& role) { return role != "judge" || JudgeHasModel(config); };
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
bool CheckOnRankZero(const RunConfig& config, collective::Communicator& world, RunData& data) {
  std::string told = "go on";
  if (world.rank() == 0) {
    try {
      data = CheckBeforeRun(config);
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::kBadInput) throw;
      base::LogError("{}", error.message());
      told = "refused";
    }
  }
  return world.BroadcastBytes(told, 0) == "go on";
}

learner::RunEnd RunLearnerRank(const RunConfig& config, const TrainOptions& options, const std::stop_token& stop,
                               const std::vector<std::string>& roles, collective::Communicator& world,
                               collective::Communicator& learners, RunData data) {
  base::SetLogRole(base::Format("learner-{}", learners.rank()));
  UseThreads(config.threads.learner);
  // A GPU holds the weights that are trained and no others: the initial ones are read into host memory.
  const bool gpu = config.device != "cpu";
  LoadedModel model = LoadModelFolder(config.model, "cpu", DtypeNamed(config.dtype));
  net::Context context;
  const net::Security security;
  std::unique_ptr<LearnerSide> side;
  std::string told;
  if (world.rank() == 0) {
    side = std::make_unique<LearnerSide>(config, options, context, security, BindAddress(config), model, roles,
                                         std::move(data));
    std::filesystem::create_directories(config.run_folder() / "logs");
    told = json::Dump({{"endpoint", side->endpoint()},
                       {"config", std::filesystem::absolute(config.run_folder() / "config.yaml").string()},
                       {"fingerprint", side->fingerprint()},
                       {"checkpoint", side->checkpoint() ? side->checkpoint()->string() : ""}});
  }
  const json::Json meeting = json::Parse(world.BroadcastBytes(told, 0), "rank 0");
  learner::LearnerConfig learner_config = ToLearner(config, meeting.at("fingerprint"));
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
    end = learner.Run(stop);
  } catch (const std::exception& error) {
    if (side) side->WriteFailure(error.what());
    throw;
  }
  if (side) side->WriteEnd(end);
  world.Barrier();  // the coordinator answers until every role has heard that the run is over
  return end;
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
  if (config.estimator == "synthesis" && std::find(roles.begin(), roles.end(), "anchor") == roles.end()) {
    base::ThrowBadInput("placement.ranks: estimator: synthesis needs an anchor");
  }
  return roles;
}

learner::RunEnd TrainUnderMpi(const RunConfig& whole, const TrainOptions& options, const std::stop_token& stop) {
  const int rank = collective::MpiRank();
  const auto roles = PlaceRoles(whole, collective::MpiSize());
  const std::string& kind = roles[static_cast<std::size_t>(rank)];
  const auto world = collective::MakeMpiGroup(0, std::chrono::duration_cast<std::chrono::milliseconds>(kWholeRun));
  const auto learners = collective::MakeMpiGroup(kind == "learner" ? 0 : -1, CollectiveTimeout(whole));
  RunConfig config = whole;
  config.device = DeviceOfRank(whole, roles, *world);

  RunData data;
  if (!CheckOnRankZero(config, *world, data)) return learner::RunEnd::kRefused;
  learner::RunEnd end = learner::RunEnd::kFinished;
  if (kind == "learner") {
    end = RunLearnerRank(config, options, stop, roles, *world, *learners, std::move(data));
  } else {
    const json::Json told = json::Parse(world->BroadcastBytes({}, 0), "rank 0");
    const auto index = std::count(roles.begin(), roles.begin() + rank, kind);
    KeepRoleAlive(kind, index, {told.at("endpoint"), told.at("config")}, options, config);
    world->Barrier();
  }
  const std::string ended = world->BroadcastBytes(std::string(1, static_cast<char>(end)), 0);
  return static_cast<learner::RunEnd>(ended.at(0));
}

// The anchor computes with the initial weights, and an actor that selects by them: others get the model's config alone.
LoadedModel LoadForRole(const RunConfig& config, const std::string& kind) {
  if (kind == "anchor" || (kind == "actor" && SelectionInTraining(config)))
    return LoadModelFolder(config.model, config.device, DtypeNamed(config.dtype));
  LoadedModel loaded;
  const model::ModelConfig shape = model::ReadModelConfig(config.model);
  loaded.tokenizer = LoadTokenizer(config.model, shape);
  loaded.weights = std::make_shared<const model::WeightSet>(shape, model::Parameters{}, 0);
  return loaded;
}

void JoinRun(const RunConfig& config, const std::string& kind, std::int64_t index, const std::string& learner_endpoint,
             const std::stop_token& stop) {
  const LoadedModel model = LoadForRole(config, kind);
  net::Context context;
  const RoleSetting setting{.config = config,
                            .context = context,
                            .security = {},
                            .learner = learner_endpoint,
                            .bind = BindAddress(config),
                            .index = index,
                            .initial = model.weights,
                            .tokenizer = *model.tokenizer};
  RoleNamed(kind)(setting, stop);
}

}  // namespace autodidact::launch
