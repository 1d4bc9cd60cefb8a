#include "launch/train/roles.h"

#include <memory>
#include <utility>

#include "actors/actor.h"
#include "anchor_service/service.h"
#include "base/guarded.h"
#include "base/log.h"
#include "data/row_rubric.h"
#include "estimators/estimator.h"
#include "estimators/vote.h"
#include "json/json.h"
#include "judge_service/service.h"
#include "launch/train/heart.h"
#include "launch/wiring/code.h"
#include "launch/wiring/judge.h"
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

// The outside program that compares answers; null without one.
std::shared_ptr<answers::Verifier> MakeVerifier(const AnswerKeys& keys) {
  if (keys.verifier.empty()) return nullptr;
  return std::make_shared<answers::Verifier>(
      answers::VerifierConfig{.command = keys.verifier, .timeout = base::Seconds(keys.verifier_timeout)});
}

judge_service::ProgramJudgeConfig ToProgramJudge(const RunConfig& config) {
  const auto rule = ToRule(config.answer);
  judge_service::ProgramJudgeConfig judge{
      .extractor = rule.extractor,
      .comparator = rule.comparator,
      .verifier = MakeVerifier(config.answer),
      .code = std::nullopt,
      .length_penalty_above = static_cast<std::uint32_t>(config.judge.length_penalty_above),
      .length_penalty = config.judge.length_penalty};
  if (config.answer.comparator != "code") return judge;
  judge.code = ToCodeJudge(config.answer.code);
  return judge;
}

// Labels travel in the prompt's columns only when the estimator is allowed to read them (see local and cluster wiring).
std::vector<std::string> AnswersOf(const schema::Prompt& prompt) {
  std::vector<std::string> answers;
  const json::Json columns = json::Parse(prompt.columns, "prompt " + prompt.id);
  if (columns.contains("answers")) {
    for (const auto& answer : columns["answers"]) answers.push_back(answer.get<std::string>());
  }
  return answers;
}

// The programs' references are made complete beside the actor: the row's inputs, or its tests.
actors::ReferenceSource MakeCodeSource(const RunConfig& config, net::Client& anchor) {
  const auto columns = [](const schema::Prompt& prompt) {
    return json::Parse(prompt.columns, "prompt " + prompt.id).at("code");
  };
  if (estimators::EstimatorNamed(config.estimator) == estimators::EstimatorKind::kGroundTruth) {
    return [columns](const schema::Prompt& prompt, const schema::RolloutGroup&, base::Deadline, auto done) {
      schema::Reference reference;
      reference.text = TestsOf(AnswersOf(prompt), columns(prompt));
      if (reference.text.empty()) return done(base::Failure{base::ErrorKind::kBadInput, "the row has no label"});
      done(std::move(reference));
    };
  }
  return [columns, source = actors::RemoteAnchor(anchor)](
             const schema::Prompt& prompt, const schema::RolloutGroup& group, base::Deadline deadline, auto done) {
    const auto inputs = columns(prompt).at("inputs").get<std::vector<std::string>>();
    source(prompt, group, deadline, [inputs, done = std::move(done)](base::Outcome<schema::Reference> reference) {
      if (reference.ok() && !inputs.empty()) reference->text = judge_service::WithInputs(reference->text, inputs);
      done(std::move(reference));
    });
  };
}

// The synthesis is asked of the anchor service; all others run beside the actor, the selections on `selecting`.
actors::ReferenceSource MakeReferenceSource(const RunConfig& config, net::Client& anchor, SelectionThread* selecting) {
  if (config.answer.comparator == "code") return MakeCodeSource(config, anchor);
  const auto kind = EstimatorInTraining(config);
  if (!kind) {
    return [](const schema::Prompt& prompt, const schema::RolloutGroup&, base::Deadline, auto done) {
      const std::string where = "prompt " + prompt.id;
      schema::Reference reference;
      reference.text = json::GetString(json::Parse(prompt.columns, where), "reference", where);
      done(std::move(reference));
    };
  }
  const auto rule = ToRule(config.answer);
  switch (*kind) {
    case estimators::EstimatorKind::kSynthesis:
      return actors::RemoteAnchor(anchor);
    case estimators::EstimatorKind::kMajority:
      if (auto verifier = MakeVerifier(config.answer)) {
        return [rule, verifier](const schema::Prompt&, const schema::RolloutGroup& group, base::Deadline, auto done) {
          std::vector<std::string> texts;
          for (const schema::Rollout& rollout : group.rollouts) texts.push_back(rollout.text);
          const auto same = [&](const std::string& left, const std::string& right) {
            return verifier->Equal(left, right);
          };
          done(estimators::MajorityUnder(same, rule.extractor, texts));
        };
      }
      return [rule](const schema::Prompt&, const schema::RolloutGroup& group, base::Deadline, auto done) {
        std::vector<std::string> texts;
        for (const schema::Rollout& rollout : group.rollouts) texts.push_back(rollout.text);
        done(estimators::MajorityReference(rule, texts));
      };
    case estimators::EstimatorKind::kMinPerplexity:
    case estimators::EstimatorKind::kSelfSelect:
    case estimators::EstimatorKind::kMutualPredictability:
      return selecting->source();
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
  RoleStop stop(setting, outer_stop);

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
                           .judge_timeout = base::Seconds(config.timeouts.call)},
                          MakeReferenceSource(config, anchor, selecting.get()), judge, learner);

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
  actors::Actor actor({.name = name,
                       .num_generations = static_cast<std::uint32_t>(config.train.num_generations),
                       .sampling = ToSampling(config.rollout),
                       .engine = ToEngine(config.engine),
                       .seed = static_cast<std::uint64_t>(config.seed),
                       .max_groups = config.engine.max_groups,
                       .weights_timeout = base::Seconds(config.timeouts.step)},
                      {learner, *source}, courier, setting.tokenizer,
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
  RoleStop stop(setting, outer_stop);

  Judge judge = MakeJudge(config);
  judge_service::Service service(setting.context, setting.security,
                                 {.endpoint = setting.bind, .program = ToProgramJudge(config)}, std::move(judge.panel));
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
