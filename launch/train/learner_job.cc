#include <csignal>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "collective/collective.h"
#include "json/json.h"
#include "launch/job/supervisor_line.h"
#include "launch/train/rank_zero.h"
#include "launch/train/roles.h"
#include "launch/train/stop_line.h"
#include "launch/train/training.h"
#include "launch/wiring/preflight.h"
#include "launch/wiring/wiring.h"
#include "net/net.h"
#include "process/child.h"
#include "schema/validate.h"

namespace autodidact::launch {
namespace {

constexpr auto kMeeting = std::chrono::seconds(60);
// After the last step, for roles to hear that they may leave.
constexpr auto kRolesLeave = std::chrono::seconds(10);
// After the checkpoint of a run that was stopped, for the other ranks to leave.
constexpr auto kLeavingJob = std::chrono::seconds(20);

constexpr auto kEarlierRanksLeave = std::chrono::seconds(15);
constexpr auto kLookAtPlace = std::chrono::milliseconds(100);

constexpr const char* kPromiseOfFirst = "stopping; the steps that are done are saved as a checkpoint";
constexpr const char* kPromiseOfRank = "stopping; rank 0 saves the steps that are done as a checkpoint";

base::Milliseconds CollectiveTimeout(const RunConfig& config) {
  return base::Milliseconds(static_cast<std::int64_t>(config.timeouts.collective * 1000));
}

std::unique_ptr<collective::Communicator> MakeRanks(const RunConfig& config) {
  if (!collective::LaunchedByMpi()) return collective::MakeSingle();
  return collective::MakeMpiGroup(0, CollectiveTimeout(config));
}

std::vector<std::string> KindsOf(const std::vector<RolePlace>& places) {
  std::vector<std::string> kinds;
  for (const RolePlace& place : places) kinds.push_back(place.kind);
  return kinds;
}

bool OnOneHost(const std::vector<RolePlace>& places) {
  return std::all_of(places.begin(), places.end(), [](const RolePlace& place) { return place.host == 0; });
}

// What a rank has of the job.
struct Job {
  const TrainOptions& options;
  process::Ending& ending;
  const Ticket& ticket;
  collective::Communicator& ranks;
  net::Context& context;
  net::Security security;
  SupervisorLine* supervisor;  // of the first rank
};

// Whether the run may begin: rank 0 looks for all, and says what is wrong.
bool CheckOnRankZero(const RunConfig& config, const Job& job, RunData& data) {
  std::string told = "go on";
  if (job.ranks.rank() == 0) {
    try {
      data = CheckBeforeRun(config, {KindsOf(job.ticket.roles), OnOneHost(job.ticket.roles)});
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::kBadInput) throw;
      base::LogError("{}", error.message());
      told = "refused";
    }
  }
  return job.ranks.BroadcastBytes(told, 0) == "go on";
}

// What rank 0 has beside its learner.
struct FirstRank {
  std::optional<data::RunPlace> place;
  std::optional<RankZeroAssembly> side;
  std::optional<StopDesk> desk;

  // A run that goes on may find that ranks of it which are dying still hold the folder.
  void HoldPlace(const RunConfig& config, const TrainOptions& options) {
    const base::Deadline deadline = base::Deadline::In(kEarlierRanksLeave);
    for (bool told = false;; told = true) {
      try {
        place.emplace(PlaceOfRun(config, options));
        return;
      } catch (const base::Error& error) {
        if (error.kind() != base::ErrorKind::kRetryLater || !options.resume || deadline.Passed()) throw;
        if (!told) base::LogInfo("waits: {}", error.message());
      }
      std::this_thread::sleep_for(kLookAtPlace);
    }
  }

  // What the other ranks are told.
  std::string Open(const RunConfig& config, const Job& job, const LoadedModel& model, RunData data) {
    HoldPlace(config, job.options);
    side.emplace(
        config, *place,
        RankZeroAssembly::Wire{job.context, job.security, job.ticket.learner, job.ticket.weights, job.options.stop},
        model, KindsOf(job.ticket.roles), std::move(data));
    desk.emplace(job.context, job.ticket.bind, job.security, job.ending);
    return json::Dump(
        {{"signals", desk->endpoint()}, {"checkpoint", place->checkpoint() ? place->checkpoint()->string() : ""}});
  }
};

// Not every rank may have heard of the signal that another one was sent.
void ShareSignals(const Job& job) {
  for (const std::string& signal : job.ranks.AllGather(std::to_string(job.ending.requested().value_or(0)))) {
    if (signal != "0") job.ending.Request(std::stoi(signal));
  }
}

void RunRank(const RunConfig& config, const Job& job, RunData data) {
  // A GPU holds the weights that are trained and no others: the initial ones are read into host memory.
  LoadedModel model = LoadModelFolder(config.model, "cpu", ScalarTypeOf(config.dtype));
  const bool first = job.ranks.rank() == 0;
  FirstRank own;
  const std::string told = first ? own.Open(config, job, model, std::move(data)) : "";
  std::optional<process::Ending::Saving> saving(std::in_place, job.ending, first ? kPromiseOfFirst : kPromiseOfRank);
  const json::Json meeting = json::Parse(job.ranks.BroadcastBytes(told, 0), "rank 0");
  std::optional<StopLine> line;
  if (!first) line.emplace(job.context, meeting.at("signals").get<std::string>(), job.security, job.ending);
  learner::LearnerConfig learner_config = LearnerOf(config, first ? own.side->facts() : data::RunFacts{});
  std::unique_ptr<collective::Communicator> nccl;
  if (config.device != "cpu") {
    learner_config.trainer.device = at::Device(config.device);
    learner_config.publish_to = at::kCPU;
    if (job.ranks.size() > 1) {
      nccl = collective::MakeNcclGroup(job.ranks, at::Device(config.device), CollectiveTimeout(config));
    }
  }
  learner::Learner learner(std::move(learner_config), model.weights, nccl ? *nccl : job.ranks,
                           first ? &own.side->rank_zero() : nullptr);
  model.weights = nullptr;  // who still needs them has them
  if (const std::string checkpoint = meeting.at("checkpoint"); !checkpoint.empty()) learner.Resume(checkpoint);
  if (first) job.supervisor->TellOpen(std::filesystem::absolute(config.run_folder() / "config.yaml").string());
  learner::RunEnd end = learner::RunEnd::kFinished;
  try {
    end = learner.Run(job.options.stop);
  } catch (const std::exception& error) {
    if (first) own.side->WriteFailure(error.what());
    throw;
  }
  saving.reset();
  if (first) own.side->WriteEnd(end);
  ShareSignals(job);
  if (end == learner::RunEnd::kStopped) {
    if (first) base::LogWarning("stopped after step {}; --resume goes on from its checkpoint", learner.steps_done());
    job.ending.EndBy(base::Deadline::In(kLeavingJob), process::ExitCodeAfter(job.ending.requested().value_or(SIGTERM)));
  }
  // Roles of a run that is stopped are not waited for: their agents end them.
  if (first) {
    job.supervisor->TellEnd(ExitCodeOf(end, job.ending), end != learner::RunEnd::kStopped,
                            base::Deadline::In(kRolesLeave));
  }
  job.ranks.Barrier();
  job.ending.EndBy(base::Deadline::In(kLeavingJob), process::kExitDone, "the run is saved");
}

}  // namespace

int TrainAsRank(const RunConfig& whole, const TrainOptions& options, const std::string& ticket_from,
                process::Ending& ending) {
  const auto ranks = MakeRanks(whole);
  base::SetLogRole(base::Format("learner-{}", ranks->rank()));
  UseThreads(whole.threads.learner);
  const std::string text = ranks->rank() == 0 ? Encode(ReadTicket(ticket_from)) : "";
  const Ticket ticket = ParseTicket(ranks->BroadcastBytes(text, 0), "rank 0");
  RunConfig config = whole;
  config.device = ticket.roles.at(static_cast<std::size_t>(ranks->rank())).device;
  net::Context context;
  std::optional<SupervisorLine> supervisor;
  if (ranks->rank() == 0) supervisor.emplace(context, ticket, ending);
  const Job job{options,
                ending,
                ticket,
                *ranks,
                context,
                ticket.SecurityOf(schema::kLearnerName),
                supervisor ? &*supervisor : nullptr};
  RunData data;
  if (CheckOnRankZero(config, job, data)) {
    RunRank(config, job, std::move(data));
  } else if (supervisor) {
    supervisor->TellEnd(process::kExitBadInput, /*roles_leave=*/false, base::Deadline::In(kRolesLeave));
  }
  // The supervisor knows the code of the run. One other than 0 would make Open MPI kill the ranks that are still
  // leaving.
  return process::kExitDone;
}

}  // namespace autodidact::launch
