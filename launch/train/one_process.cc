#include <exception>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "base/log.h"
#include "collective/collective.h"
#include "launch/train/learner_side.h"
#include "launch/train/roles.h"
#include "launch/train/training.h"
#include "launch/wiring/preflight.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {
namespace {

constexpr auto kLeaving = std::chrono::seconds(3);

}  // namespace

learner::RunEnd TrainInOneProcess(const RunConfig& config, const TrainOptions& options, process::Ending& ending) {
  UseThreads(config.threads.learner);
  data::RunPlace place = PlaceOfRun(config, options);
  RunData data = CheckBeforeRun(config);
  const LoadedModel model = LoadModelFolder(config.model, config.device, DtypeNamed(config.dtype));
  net::Context context;
  const net::Security security;
  LearnerSide side(config, place, {context, security, "inproc://learner", options.stop}, model, {}, std::move(data));
  const auto communicator = collective::MakeSingle();
  learner::Learner learner(ToLearner(config, side.facts()), model.weights, *communicator, &side.rank_zero());
  if (place.checkpoint()) learner.Resume(*place.checkpoint());

  // A role that fails stops the run; its error is the run's.
  std::stop_source roles_stop;
  std::stop_source run_stop;
  const std::stop_callback forward(options.stop, [&] { run_stop.request_stop(); });
  base::Guarded<std::exception_ptr> failure;
  std::vector<std::jthread> roles;
  const auto start = [&](const char* kind, std::int64_t count) {
    for (std::int64_t index = 0; index < count; ++index) {
      roles.emplace_back([&, kind, index] {
        try {
          const RoleSetting setting{.config = config,
                                    .context = context,
                                    .security = security,
                                    .learner = side.endpoint(),
                                    .bind = base::Format("inproc://{}-{}", kind, index),
                                    .index = index,
                                    .initial = model.weights,
                                    .tokenizer = *model.tokenizer,
                                    .local_store = &side.store()};
          RoleNamed(kind)(setting, roles_stop.get_token());
        } catch (...) {
          failure.With([](std::exception_ptr& first) {
            if (!first) first = std::current_exception();
          });
          run_stop.request_stop();
        }
      });
    }
  };
  start("judge", config.placement.judges);
  if (EstimatorInTraining(config) == estimators::EstimatorKind::kSynthesis) {
    start("anchor", config.placement.anchors);
  }
  start("actor", config.placement.actors);

  const auto join = [&] {
    roles_stop.request_stop();
    roles.clear();
  };
  const auto failed = [&] { return failure.With([](const std::exception_ptr& e) { return e; }); };
  learner::RunEnd end;
  try {
    {
      const process::Ending::Saving saving(ending, "stopping; the steps that are done are saved as a checkpoint");
      end = learner.Run(run_stop.get_token());
    }
    if (!failed()) side.WriteEnd(end);
    if (const auto signal = ending.requested(); signal && end == learner::RunEnd::kStopped && !failed()) {
      base::LogWarning("stopped after step {}; --resume goes on from its checkpoint", learner.steps_done());
      // A judge may be in the middle of a long program or call, for which nobody waits any more.
      ending.EndBy(base::Deadline::In(kLeaving), process::ExitCodeAfter(*signal));
    }
    join();
    if (const auto error = failed()) std::rethrow_exception(error);
  } catch (const std::exception& error) {
    join();
    side.WriteFailure(error.what());
    throw;
  }
  return end;
}

}  // namespace autodidact::launch
