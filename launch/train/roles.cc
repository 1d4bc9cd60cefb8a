#include "launch/train/roles.h"

#include <memory>
#include <utility>

#include "actors/actor.h"
#include "anchor_service/service.h"
#include "base/guarded.h"
#include "base/log.h"
#include "judge_service/service.h"
#include "launch/train/heart.h"
#include "launch/train/run_identity.h"
#include "launch/wiring/judge.h"
#include "launch/wiring/references.h"
#include "launch/wiring/selection_thread.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {
namespace {

constexpr auto kJoinTimeout = std::chrono::seconds(60);

net::Client MakeLearnerClient(const RoleSetting& setting, const std::string& name) {
  return net::Client(setting.context, {setting.learner}, setting.security,
                     {.name = name, .peer = "learner", .retry_after = std::chrono::hours(24)});
}

// A stop token that is also requested when the heart says that the run is over.
class RoleStop {
 public:
  RoleStop(const RoleSetting& setting, const std::stop_token& outer)
      : setting_(setting), forward_(outer, [this] { source_.request_stop(); }) {}

  void Request() {
    if (setting_.on_over) setting_.on_over();
    source_.request_stop();
  }
  std::stop_token token() const { return source_.get_token(); }

 private:
  const RoleSetting& setting_;
  std::stop_source source_;
  std::stop_callback<std::function<void()>> forward_;
};

void Enter(const std::string& name, std::int64_t threads) {
  base::SetLogRole(name);
  UseThreads(threads);
}

void ThrowIfLost(const Heart& heart) {
  if (const auto lost = heart.Lost()) throw base::Error(lost->kind, lost->reason);
}

HeartConfig ToHeart(const RoleSetting& setting, schema::RoleKind kind, const std::string& endpoint) {
  return {.role = base::Format("{}-{}", Name(kind), setting.index),
          .kind = kind,
          .endpoint = endpoint,
          .config = ConfigChecksum(setting.config),
          .with_keys = setting.security.own.has_value()};
}

}  // namespace

void RunActor(const RoleSetting& setting, const std::stop_token& outer_stop) {
  const RunConfig& config = setting.config;
  const std::string name = base::Format("actor-{}", setting.index);
  Enter(name, config.threads.actor);
  RoleStop stop(setting, outer_stop);

  actors::RefusedReplies refused{0};
  net::Client learner = MakeLearnerClient(setting, name);
  net::Client anchor(setting.context, {}, setting.security, {.name = name, .peer = "anchor service"});
  net::Client judge(setting.context, {}, setting.security, {.name = name, .peer = "judge service"});
  const auto format = ToChatFormat(config.prompt, config.model);
  std::unique_ptr<SelectionThread> selecting;
  if (const auto kind = SelectionInTraining(config)) {
    selecting = std::make_unique<SelectionThread>(
        SelectionThread::Config{.name = name + " selecting",
                                .kind = *kind,
                                .selection = ToSelection(config, format),
                                .threads = config.threads.anchor,
                                .capacity = static_cast<std::size_t>(config.engine.max_groups)},
        setting.initial, setting.tokenizer);
  }
  actors::Courier courier({.actor = name,
                           .anchor_timeout = base::Seconds(config.timeouts.call),
                           .judge_timeout = base::Seconds(config.timeouts.call),
                           .rewards = RewardsOf(config.judge)},
                          MakeReferenceSource(config, anchor, refused, selecting.get()), judge, learner, refused);

  const HeartConfig heart_config = ToHeart(setting, schema::RoleKind::kActor, {});
  base::Guarded<std::string> weights_endpoint;
  base::Guarded<const actors::Actor*> seen(nullptr);  // set while there is an actor to look at
  Heart heart(
      learner, heart_config,
      [&] {
        Heart::Pulse pulse = seen.With([](const actors::Actor* actor) {
          return actor ? Heart::Pulse{actor->Doing(), actor->progress(), {}}
                       : Heart::Pulse{"joining or leaving", 0, {}};
        });
        pulse.report["actor/refused"] = static_cast<double>(refused.exchange(0));
        return pulse;
      },
      [&](const schema::Directory& directory) {
        anchor.SetEndpoints(directory.anchors);
        judge.SetEndpoints(directory.judges);
        if (!directory.weights.empty()) weights_endpoint.With([&](std::string& it) { it = directory.weights; });
      },
      [&] {
        stop.Request();
        weights_endpoint.With([](const std::string&) {});  // wakes who waits for it
      });

  std::unique_ptr<weights::WeightSource> source;
  if (setting.local_store) {
    source = weights::MakeLocalSource(*setting.local_store);
  } else {
    const bool told = weights_endpoint.WaitUntil(base::Deadline::In(kJoinTimeout), [&](const std::string& endpoint) {
      return !endpoint.empty() || stop.token().stop_requested();
    });
    if (stop.token().stop_requested()) return ThrowIfLost(heart);
    if (!told) {
      throw base::Error(base::ErrorKind::kDisconnected,
                        base::Format("no learner answered at {} within {} s", setting.learner,
                                     std::chrono::seconds(kJoinTimeout).count()));
    }
    source = weights::MakeNetworkSource(setting.context, weights_endpoint.With([](auto& e) { return e; }),
                                        setting.security, setting.initial->config(), at::Device(config.device));
  }
  actors::Actor actor({.name = name,
                       .num_generations = static_cast<std::uint32_t>(config.train.num_generations),
                       .sampling = ToSampling(config.rollout),
                       .engine = ToEngine(config.engine),
                       .seed = static_cast<std::uint64_t>(config.seed),
                       .max_groups = config.engine.max_groups,
                       .config = heart_config.config,
                       .weights_timeout = base::Seconds(config.timeouts.step)},
                      {learner, *source, refused}, courier, setting.tokenizer,
                      MakeRenderer(config.prompt, format, setting.tokenizer));
  seen.With([&](const actors::Actor*& pointer) { pointer = &actor; });
  struct Leave {
    base::Guarded<const actors::Actor*>& seen;
    net::Client& anchor;
    net::Client& judge;
    SelectionThread* selecting;
    ~Leave() {
      seen.With([](const actors::Actor*& pointer) { pointer = nullptr; });
      // What is still on its way is not waited for: a run that goes on gives it out again.
      anchor.Close();
      judge.Close();
      if (selecting) selecting->Close();
    }
  } leave{seen, anchor, judge, selecting.get()};
  actor.Run(stop.token());
  ThrowIfLost(heart);
}

void RunAnchor(const RoleSetting& setting, const std::stop_token& outer_stop) {
  const RunConfig& config = setting.config;
  const std::string name = base::Format("anchor-{}", setting.index);
  Enter(name, config.threads.anchor);
  RoleStop stop(setting, outer_stop);

  const auto format = ToChatFormat(config.prompt, config.model);
  anchor_service::Service service(setting.context, setting.security,
                                  {.endpoint = setting.bind,
                                   .synthesis = ToSynthesis(config, format),
                                   .engine = ToEngine(config.engine),
                                   .seed = static_cast<std::uint64_t>(config.seed)},
                                  setting.initial, setting.tokenizer);
  net::Client learner = MakeLearnerClient(setting, name);
  Heart heart(
      learner, ToHeart(setting, schema::RoleKind::kAnchor, service.endpoint()),
      [&] {
        return Heart::Pulse{
            service.Doing(), service.progress(), {{"anchor/refused", static_cast<double>(service.TakeRefused())}}};
      },
      [](const schema::Directory&) {}, [&] { stop.Request(); });
  service.Run(stop.token());
  ThrowIfLost(heart);
}

void RunJudge(const RoleSetting& setting, const std::stop_token& outer_stop) {
  const RunConfig& config = setting.config;
  const std::string name = base::Format("judge-{}", setting.index);
  Enter(name, config.threads.judge);
  RoleStop stop(setting, outer_stop);

  Judge judge = MakeJudge(config);
  judge_service::Service service(setting.context, setting.security,
                                 {.endpoint = setting.bind, .program = ToProgramJudge(config)}, std::move(judge.panel));
  net::Client learner = MakeLearnerClient(setting, name);
  Heart heart(
      learner, ToHeart(setting, schema::RoleKind::kJudge, service.endpoint()),
      [&] {
        return Heart::Pulse{service.Doing(), service.progress(), service.TakeFigures()};
      },
      [](const schema::Directory&) {}, [&] { stop.Request(); });
  service.Run(stop.token());
  ThrowIfLost(heart);
}

RoleFunction RoleNamed(const std::string& kind) {
  if (kind == "actor") return RunActor;
  if (kind == "anchor") return RunAnchor;
  if (kind == "judge") return RunJudge;
  base::ThrowBadInput("role: got \"" + kind + "\", expected actor, anchor or judge");
}

}  // namespace autodidact::launch
