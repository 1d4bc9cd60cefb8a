#include <csignal>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "launch/job/desk.h"
#include "launch/job/job.h"
#include "launch/job/learners.h"
#include "net/net.h"
#include "process/child.h"
#include "process/lifeline.h"

namespace autodidact::launch {
namespace {

constexpr auto kLook = std::chrono::milliseconds(50);
constexpr auto kGrace = std::chrono::seconds(6);
constexpr auto kAgentsLeave = std::chrono::seconds(10);
// After the keeper's death, for the learner to save.
constexpr auto kWithoutKeeper = std::chrono::minutes(10);

// The ticket for who joins from elsewhere, beside the run's config as long as the run lasts.
class JoinersTicket {
 public:
  JoinersTicket() = default;
  ~JoinersTicket() {
    std::error_code ignored;
    if (!file_.empty()) std::filesystem::remove(file_, ignored);
  }
  JoinersTicket(const JoinersTicket&) = delete;
  JoinersTicket& operator=(const JoinersTicket&) = delete;

  void WriteOnce(const JobPlan& plan, const std::string& config) {
    if (!file_.empty() || config.empty()) return;
    file_ = std::filesystem::path(config).parent_path() / kJoinersTicket;
    try {
      WriteTicket(file_, plan.ForJoiners());
    } catch (const base::Error& error) {
      base::LogWarning("nobody can join this run: {}", error.message());
    }
  }

 private:
  std::filesystem::path file_;
};

std::unique_ptr<process::Child> StartLearners(const JobPlan& plan, const std::filesystem::path& folder) {
  auto learners =
      std::make_unique<process::Child>(process::ChildOptions{.what = "the learner",
                                                             .argv = LearnersCommand(plan, folder),
                                                             .environment = process::EnvironmentWithoutMpi(),
                                                             .working_directory = {},
                                                             .feed = true,
                                                             .deaf = true});
  learners->Write(Encode(plan.ForLearner()) + "\n");
  return learners;
}

// What ends a run from outside of its learner.
struct Cause {
  int code = process::kExitFailed;
  std::string what;  // empty: a signal, which was told already
};

std::optional<Cause> WhyToEnd(const Desk& desk) {
  if (std::string failure = desk.failure(); !failure.empty()) return Cause{process::kExitBadInput, std::move(failure)};
  const auto silent = desk.SilentAgents(kReportSilence);
  if (!silent.empty()) {
    return Cause{process::kExitFailed,
                 base::Format("{} has not been heard of for {} s", silent.front(),
                              std::chrono::duration_cast<std::chrono::seconds>(kReportSilence).count())};
  }
  if (const auto signal = desk.signal()) return Cause{process::ExitCodeAfter(*signal), ""};
  return std::nullopt;
}

int CodeOf(const process::ExitStatus& status) {
  if (!status.by_signal) return status.code;
  base::LogError("the learner was {}", status.Describe());
  return process::kExitFailed;
}

}  // namespace

int Supervise(const JobPlan& plan, process::Ending& ending) {
  base::SetLogRole(kSupervisor);
  const process::Ending::Saving saving(ending, "stopping; the learner saves the steps that are done as a checkpoint");
  const process::Lifeline lifeline([&] {
    ending.Request(SIGTERM);
    ending.EndBy(base::Deadline::In(kWithoutKeeper), process::kExitFailed);
  });
  net::Context context;
  Desk desk(context, plan);
  const PrivateFolder folder;
  const auto learners = StartLearners(plan, folder.path());
  JoinersTicket joiners;
  std::optional<Cause> cause;
  std::optional<process::ExitStatus> status;
  while (!status) {
    if (const auto signal = ending.requested()) desk.TellSignal(*signal);
    if (!cause && (cause = WhyToEnd(desk))) {
      if (!cause->what.empty()) base::LogError("{}; the run is stopped", cause->what);
      desk.TellSignal(SIGTERM);
      // Before its folder is open there is nothing to save.
      if (desk.config().empty()) {
        learners->Signal(SIGHUP);
        learners->Terminate(kGrace);
      }
    }
    joiners.WriteOnce(plan, desk.config());
    status = learners->Wait(base::Deadline::In(kLook));
  }
  desk.TellGone();
  for (const std::string& agent : desk.WaitForAgents(base::Deadline::In(kAgentsLeave))) {
    base::LogWarning("{} did not say that its roles have ended", agent);
  }
  if (cause && !cause->what.empty()) return cause->code;
  if (const auto code = desk.code()) return *code;
  return cause ? cause->code : CodeOf(*status);
}

}  // namespace autodidact::launch
