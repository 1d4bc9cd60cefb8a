#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "base/guarded.h"
#include "base/log.h"
#include "collective/collective.h"
#include "launch/train/rank_zero.h"
#include "launch/train/roles.h"
#include "launch/train/training.h"
#include "launch/wiring/preflight.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {
namespace {

constexpr auto kLeaving = std::chrono::seconds(3);
// What no role takes that nothing is wrong with.
constexpr auto kLeavingAtMost = std::chrono::seconds(30);

// The roles of a run as threads of this process. The first that fails stops the run, and its error is the run's.
class RoleThreads {
 public:
  // `setting` but for the place of each role; what it refers to must outlive the threads, as must `run_stop`.
  RoleThreads(RoleSetting setting, std::stop_source& run_stop) : setting_(std::move(setting)), run_stop_(run_stop) {}
  ~RoleThreads() { Join(); }
  RoleThreads(const RoleThreads&) = delete;
  RoleThreads& operator=(const RoleThreads&) = delete;

  void Start(schema::RoleKind kind, std::int64_t count) {
    for (std::int64_t index = 0; index < count; ++index) {
      threads_.push_back(base::StartThread("train.role.thread", [this, kind, index] { Run(kind, index); }));
    }
  }
  void Join() {
    roles_stop_.request_stop();
    threads_.clear();
  }
  std::exception_ptr failure() {
    return failure_.With([](const std::exception_ptr& first) { return first; });
  }

 private:
  void Run(schema::RoleKind kind, std::int64_t index) {
    try {
      RoleSetting setting = setting_;
      setting.bind = "inproc://" + membership::RoleName(kind, index);
      setting.index = index;
      WorkAs(kind, setting, roles_stop_.get_token());
    } catch (...) {
      failure_.With([](std::exception_ptr& first) {
        if (!first) first = std::current_exception();
      });
      run_stop_.request_stop();
    }
  }

  const RoleSetting setting_;
  std::stop_source& run_stop_;
  std::stop_source roles_stop_;
  base::Guarded<std::exception_ptr> failure_;
  std::vector<std::jthread> threads_;
};

}  // namespace

learner::RunEnd TrainInOneProcess(const RunConfig& config, const TrainOptions& options, process::Ending& ending) {
  UseThreads(config.threads.learner);
  data::RunPlace place = PlaceOfRun(config, options);
  RunData data = CheckBeforeRun(config);
  const LoadedModel model = LoadModelFolder(config.model, config.device, ScalarTypeOf(config.dtype));
  net::Context context;
  const net::Security security;
  RankZeroAssembly side(
      config, place, {.context = context, .security = security, .endpoint = "inproc://learner", .stop = options.stop},
      model, {}, std::move(data));
  const auto communicator = collective::MakeSingle();
  learner::Learner learner(LearnerOf(config, side.facts()), model.weights, *communicator, &side.rank_zero());
  if (place.checkpoint()) learner.Resume(*place.checkpoint());

  std::stop_source run_stop;
  const std::stop_callback forward(options.stop, [&] { run_stop.request_stop(); });
  RoleThreads roles({.config = config,
                     .context = context,
                     .security = security,
                     .learner = side.endpoint(),
                     .initial = model.weights,
                     .tokenizer = *model.tokenizer,
                     .local_store = &side.store()},
                    run_stop);
  roles.Start(schema::RoleKind::kJudge, config.placement.judges);
  if (EstimatorInTraining(config) == estimators::EstimatorKind::kSynthesis) {
    roles.Start(schema::RoleKind::kAnchor, config.placement.anchors);
  }
  roles.Start(schema::RoleKind::kActor, config.placement.actors);

  learner::RunEnd end;
  try {
    {
      const process::Ending::Saving saving(ending, "stopping; the steps that are done are saved as a checkpoint");
      end = learner.Run(run_stop.get_token());
    }
    if (const auto error = roles.failure()) std::rethrow_exception(error);
    side.WriteEnd(end);
    if (const auto signal = ending.requested(); signal && end == learner::RunEnd::kStopped) {
      base::LogWarning("stopped after step {}; --resume goes on from its checkpoint", learner.steps_done());
      // A judge may be in the middle of a long program or call, for which nobody waits any more.
      ending.EndBy(base::Deadline::In(kLeaving), process::ExitCodeAfter(*signal));
    } else {
      ending.EndBy(base::Deadline::In(kLeavingAtMost), ExitCodeOf(end, ending), "the run is saved");
    }
    roles.Join();
    if (const auto error = roles.failure()) std::rethrow_exception(error);
  } catch (const std::exception& error) {
    side.WriteFailure(error.what());
    ending.EndBy(base::Deadline::In(kLeavingAtMost), process::kExitFailed, error.what());
    roles.Join();
    throw;
  }
  return end;
}

int ExitCodeOf(learner::RunEnd end, const process::Ending& ending) {
  switch (end) {
    case learner::RunEnd::kFinished:
    case learner::RunEnd::kNothingLeft:
      return process::kExitDone;
    case learner::RunEnd::kStopped:
      return process::ExitCodeAfter(ending.requested().value());
    case learner::RunEnd::kAlarm:
      return process::kExitAlarm;
    case learner::RunEnd::kEmpty:
      return process::kExitFailed;
    case learner::RunEnd::kRefused:
      return process::kExitBadInput;
  }
  return process::kExitFailed;
}

}  // namespace autodidact::launch
