#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

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

constexpr auto kLookAtLearner = std::chrono::milliseconds(50);
constexpr auto kLearnerGrace = std::chrono::seconds(6);
// A learner that ends this soon after its start without a new checkpoint, so often in a row, is not started again.
constexpr auto kSteadyLearner = std::chrono::seconds(60);
constexpr int kMostEarlyDeaths = 5;
// Before each further start of one that ends so: what it lacks (room on the disk) may come back.
constexpr auto kPauseAfterEarlyDeath = std::chrono::seconds(3);
constexpr auto kAgentsLeave = std::chrono::seconds(10);

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

// Killed, or crashed: it did not get to say why. mpirun gives a rank's signal as a code beyond 128.
bool Died(const process::ExitStatus& status) {
  constexpr int kSignals = 128;
  return status.by_signal || status.code > kSignals;
}

// The learner's ranks, started again from the newest checkpoint when they die, as long as that helps.
class Learners {
 public:
  Learners(const JobPlan& plan, Desk& desk, bool again) : plan_(plan), desk_(desk) { Start(again); }

  process::Child& child() { return *child_; }

  // Whether ranks that were whole came before these, so that their input was right.
  bool started_again() const { return started_again_; }

  // After their end. False: they end again and again soon after their start, or ended by themselves (not `died`) and
  // late.
  bool Restart(bool died) {
    const bool soon = base::Clock::now() - started_ < kSteadyLearner && NewestCheckpoint() == checkpoint_;
    early_deaths_ = soon ? early_deaths_ + 1 : 0;
    if (early_deaths_ >= kMostEarlyDeaths || (!died && !soon)) return false;
    if (early_deaths_ > 1) std::this_thread::sleep_for(kPauseAfterEarlyDeath);
    started_again_ = true;
    Start(/*again=*/true);
    return true;
  }

 private:
  void Start(bool again) {
    started_ = base::Clock::now();
    checkpoint_ = NewestCheckpoint();
    folder_ = std::make_unique<PrivateFolder>();
    // Of no other process, nor of this one before.
    const std::string attempt = base::Format("{}.{}", getpid(), started_.time_since_epoch().count());
    desk_.ExpectLearner(attempt);
    child_ =
        std::make_unique<process::Child>(process::ChildOptions{.what = "the learner",
                                                               .argv = LearnersCommand(plan_, folder_->path(), again),
                                                               .environment = process::EnvironmentWithoutMpi(),
                                                               .working_directory = {},
                                                               .feed = true,
                                                               .deaf = true});
    child_->Write(Encode(plan_.ForLearner(attempt)) + "\n");
  }

  // What the run's link to it says; empty: there is none.
  std::filesystem::path NewestCheckpoint() const {
    std::error_code none;
    return std::filesystem::read_symlink(std::filesystem::path(desk_.config()).parent_path() / "checkpoints/latest",
                                         none);
  }

  const JobPlan& plan_;
  Desk& desk_;
  base::Clock::time_point started_;
  std::filesystem::path checkpoint_;  // the newest when they started
  bool started_again_ = false;
  int early_deaths_ = 0;
  std::unique_ptr<PrivateFolder> folder_;
  std::unique_ptr<process::Child> child_;
};

// Blocks until the learner has ended for good: its code, or that of what ended it.
int WatchOver(Learners& learners, Desk& desk, const JobPlan& plan, process::Ending& ending) {
  JoinersTicket joiners;
  std::optional<Cause> cause;
  while (true) {
    if (const auto signal = ending.requested()) desk.TellSignal(*signal);
    if (!cause && (cause = WhyToEnd(desk))) {
      if (!cause->what.empty()) base::LogError("{}; the run is stopped", cause->what);
      desk.TellSignal(SIGTERM);
      // Before its folder is open there is nothing to save.
      if (desk.config().empty()) {
        learners.child().Signal(SIGHUP);
        learners.child().Terminate(kLearnerGrace);
      }
    }
    joiners.WriteOnce(plan, desk.config());
    const auto status = learners.child().Wait(base::Deadline::In(kLookAtLearner));
    if (!status) continue;
    if (cause && !cause->what.empty()) return cause->code;
    const auto told = desk.code();
    if (told && !(learners.started_again() && *told == process::kExitBadInput)) return *told;
    if (cause) return cause->code;
    const bool died = !told && Died(*status);
    if (!died && !learners.started_again()) return status->code;
    base::LogError("the learner ended: {}", told ? "it refused to go on" : status->Describe());
    if (desk.config().empty() || !learners.Restart(died))
      return died ? process::kExitFailed : told.value_or(status->code);
    base::LogWarning("the learner is started again from its newest checkpoint; the other roles go on");
  }
}

}  // namespace

int Supervise(const JobPlan& plan, bool again, process::Ending& ending) {
  base::SetLogRole(kSupervisor);
  const process::Ending::Saving saving(ending, "stopping; the learner saves the steps that are done as a checkpoint");
  const process::Lifeline lifeline([&] {
    ending.Request(SIGTERM);
    ending.EndBy(base::Deadline::In(kWithoutKeeper), process::kExitFailed);
  });
  net::Context context;
  Desk desk(context, plan);
  Learners learners(plan, desk, again);
  const int code = WatchOver(learners, desk, plan, ending);
  desk.TellGone();
  for (const std::string& agent : desk.WaitForAgents(base::Deadline::In(kAgentsLeave))) {
    base::LogWarning("{} did not say that its roles have ended", agent);
  }
  return code;
}

}  // namespace autodidact::launch
