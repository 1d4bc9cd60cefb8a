#include "launch/roles.h"

#include <memory>
#include <utility>

#include "actors/actor.h"
#include "anchor_service/service.h"
#include "base/guarded.h"
#include "base/log.h"
#include "data/row_rubric.h"
#include "estimators/estimator.h"
#include "json/json.h"
#include "judge_service/service.h"
#include "launch/heart.h"
#include "launch/judge_wiring.h"
#include "launch/wiring.h"

namespace autodidact::launch {
namespace {

constexpr auto kJoinTimeout = std::chrono::seconds(60);

base::Milliseconds Seconds(double seconds) {
  return std::chrono::duration_cast<base::Milliseconds>(std::chrono::duration<double>(seconds));
}

net::Client MakeLearnerClient(const RoleSetting& setting, const std::string& name) {
  return net::Client(setting.context, {setting.learner}, setting.security,
                     {.name = name, .peer = "learner", .retry_after = std::chrono::hours(24)});
}

// A stop token that is also requested when the heart says that the run is over.
class RoleStop {
 public:
  RoleStop(const std::stop_token& outer) : forward_(outer, [this] { source_.request_stop(); }) {}

  void Request() { source_.request_stop(); }
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::stop_callback<std::function<void()>> forward_;
};

// Labels travel in the prompt's columns only when the estimator is allowed to read them (see local and cluster wiring).
std::vector<std::string> AnswersOf(const schema::Prompt& prompt) {
  std::vector<std::string> answers;
  const json::Json columns = json::Parse(prompt.columns, "prompt " + prompt.id);
  if (columns.contains("answers")) {
    for (const auto& answer : columns["answers"]) answers.push_back(answer.get<std::string>());
  }
  return answers;
}

// Estimators that need no model run beside the actor; the synthesis is asked of the anchor service.
actors::ReferenceSource MakeReferenceSource(const RunConfig& config, net::Client& anchor) {
  const auto rule = ToRule(config.answer);
  switch (estimators::EstimatorNamed(config.estimator)) {
    case estimators::EstimatorKind::kSynthesis:
      return actors::RemoteAnchor(anchor);
    case estimators::EstimatorKind::kMajority:
      return [rule](const schema::Prompt&, const schema::RolloutGroup& group, base::Deadline, auto done) {
        std::vector<std::string> texts;
        for (const schema::Rollout& rollout : group.rollouts) texts.push_back(rollout.text);
        done(estimators::MajorityReference(rule, texts));
      };
    case estimators::EstimatorKind::kGroundTruth:
      if (config.judge.kind == "rubric") {
        return [](const schema::Prompt& prompt, const schema::RolloutGroup&, base::Deadline, auto done) {
          done(estimators::OwnRubricReference(data::RowRubric(prompt)));
        };
      }
      return [rule](const schema::Prompt& prompt, const schema::RolloutGroup&, base::Deadline, auto done) {
        done(estimators::LabelReference(rule, AnswersOf(prompt)));
      };
  }
  base::ThrowBug("unknown estimator");
}

void Enter(const std::string& name, std::int64_t threads) {
  base::SetLogRole(name);
  UseThreads(threads);
}

void ThrowIfLost(const Heart& heart) {
  const std::string lost = heart.Lost();
  if (!lost.empty()) throw base::Error(base::ErrorKind::kDisconnected, "the learner fell silent: " + lost);
}

}  // namespace

void RunActor(const RoleSetting& setting, const std::stop_token& outer_stop) {
  const RunConfig& config = setting.config;
  const std::string name = base::Format("actor-{}", setting.index);
  Enter(name, config.threads.actor);
  RoleStop stop(outer_stop);

  net::Client learner = MakeLearnerClient(setting, name);
  net::Client anchor(setting.context, {}, setting.security, {.name = name, .peer = "anchor service"});
  net::Client judge(setting.context, {}, setting.security, {.name = name, .peer = "judge service"});
  actors::Courier courier(
      {.actor = name, .anchor_timeout = Seconds(config.timeouts.call), .judge_timeout = Seconds(config.timeouts.call)},
      MakeReferenceSource(config, anchor), judge, learner);

  base::Guarded<std::string> weights_endpoint;
  base::Guarded<const actors::Actor*> seen(nullptr);  // set while there is an actor to look at
  Heart heart(
      learner, name, {},
      [&] {
        return seen.With([](const actors::Actor* actor) {
          return actor ? Heart::Pulse{actor->Doing(), actor->progress()} : Heart::Pulse{"joining or leaving", 0};
        });
      },
      [&](const schema::Directory& directory) {
        anchor.SetEndpoints(directory.anchors);
        judge.SetEndpoints(directory.judges);
        weights_endpoint.With([&](std::string& endpoint) { endpoint = directory.weights; });
      },
      [&] { stop.Request(); });

  std::unique_ptr<weights::WeightSource> source;
  if (setting.local_store) {
    source = weights::MakeLocalSource(*setting.local_store);
  } else {
    if (!weights_endpoint.WaitUntil(base::Deadline::In(kJoinTimeout), [](const auto& e) { return !e.empty(); })) {
      throw base::Error(base::ErrorKind::kDisconnected,
                        base::Format("no learner answered at {} within {} s", setting.learner,
                                     std::chrono::seconds(kJoinTimeout).count()));
    }
    source = weights::MakeNetworkSource(setting.context, weights_endpoint.With([](auto& e) { return e; }),
                                        setting.security, setting.initial->config(), at::Device(config.device));
  }
  const auto format = ToChatFormat(config.prompt, config.model);
  actors::Actor actor({.name = name,
                       .num_generations = static_cast<std::uint32_t>(config.train.num_generations),
                       .sampling = ToSampling(config.rollout),
                       .engine = ToEngine(config.engine),
                       .seed = static_cast<std::uint64_t>(config.seed),
                       .max_groups = config.engine.max_groups,
                       .weights_timeout = Seconds(config.timeouts.step)},
                      {learner, *source}, courier, setting.tokenizer,
                      MakeRenderer(config.prompt, format, setting.tokenizer));
  seen.With([&](const actors::Actor*& pointer) { pointer = &actor; });
  struct Leave {
    base::Guarded<const actors::Actor*>& seen;
    net::Client& anchor;
    net::Client& judge;
    ~Leave() {
      seen.With([](const actors::Actor*& pointer) { pointer = nullptr; });
      // What is still on its way is not waited for: a run that goes on gives it out again.
      anchor.Close();
      judge.Close();
    }
  } leave{seen, anchor, judge};
  actor.Run(stop.token());
  ThrowIfLost(heart);
}

void RunAnchor(const RoleSetting& setting, const std::stop_token& outer_stop) {
  const RunConfig& config = setting.config;
  const std::string name = base::Format("anchor-{}", setting.index);
  Enter(name, config.threads.anchor);
  RoleStop stop(outer_stop);

  const auto format = ToChatFormat(config.prompt, config.model);
  anchor_service::Service service(setting.context, setting.security,
                                  {.endpoint = setting.bind,
                                   .synthesis = ToSynthesis(config, format),
                                   .engine = ToEngine(config.engine),
                                   .seed = static_cast<std::uint64_t>(config.seed)},
                                  setting.initial, setting.tokenizer);
  net::Client learner = MakeLearnerClient(setting, name);
  Heart heart(
      learner, name, service.endpoint(),
      [&] {
        return Heart::Pulse{service.Doing(), service.progress()};
      },
      [](const schema::Directory&) {}, [&] { stop.Request(); });
  service.Run(stop.token());
  ThrowIfLost(heart);
}

void RunJudge(const RoleSetting& setting, const std::stop_token& outer_stop) {
  const RunConfig& config = setting.config;
  const std::string name = base::Format("judge-{}", setting.index);
  Enter(name, config.threads.judge);
  RoleStop stop(outer_stop);

  const auto rule = ToRule(config.answer);
  Judge judge = MakeJudge(config);
  judge_service::Service service(
      setting.context, setting.security,
      {.endpoint = setting.bind,
       .program = {.extractor = rule.extractor,
                   .comparator = rule.comparator,
                   .length_penalty_above = static_cast<std::uint32_t>(config.judge.length_penalty_above),
                   .length_penalty = config.judge.length_penalty}},
      std::move(judge.panel));
  net::Client learner = MakeLearnerClient(setting, name);
  Heart heart(
      learner, name, service.endpoint(),
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
