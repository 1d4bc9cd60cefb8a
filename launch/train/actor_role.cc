#include <memory>
#include <utility>

#include "actors/actor.h"
#include "base/format.h"
#include "base/guarded.h"
#include "base/wait_log.h"
#include "launch/train/roles.h"
#include "launch/train/run_identity.h"
#include "launch/wiring/judge.h"
#include "launch/wiring/references.h"
#include "launch/wiring/selection_thread.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {
namespace {

constexpr auto kJoinTimeout = std::chrono::seconds(60);

std::unique_ptr<SelectionThread> MakeSelecting(const RoleSetting& setting, const std::string& name,
                                               const text::ChatTemplate& format) {
  const RunConfig& config = setting.config;
  const auto kind = SelectionInTraining(config);
  if (!kind) return nullptr;
  return std::make_unique<SelectionThread>(
      SelectionThread::Config{.name = name + " selecting",
                              .kind = *kind,
                              .selection = SelectionOf(config, format),
                              .threads = config.threads.anchor,
                              .capacity = static_cast<std::size_t>(config.max_groups)},
      setting.initial, setting.tokenizer);
}

class ActorRole final : public membership::Role {
 public:
  ActorRole(const RoleSetting& setting, net::Client& learner)
      : setting_(setting),
        config_(setting.config),
        name_(membership::RoleName(schema::RoleKind::kActor, setting.index)),
        format_(LoadChatTemplate(config_.prompt.chat, config_.model)),
        learner_(learner),
        anchor_(setting.context, {}, setting.security, {.name = name_, .peer = "anchor service", .server = "anchor"}),
        judge_(setting.context, {}, setting.security, {.name = name_, .peer = "judge service", .server = "judge"}),
        selecting_(MakeSelecting(setting, name_, format_)),
        courier_({.actor = name_,
                  .anchor_timeout = base::Seconds(config_.timeouts.call),
                  .judge_timeout = base::Seconds(config_.timeouts.call),
                  .rewards = RewardsOf(config_.judge.judging)},
                 MakeReferenceSource(config_, anchor_, refused_, selecting_.get()), judge_, learner_, refused_) {}

  membership::Status TakeStatus() override {
    auto status = seen_.With([this](const Seen& seen) {
      if (!seen.actor) return membership::Status{.doing = "joining or leaving"};
      membership::Status status{seen.actor->Doing(), seen.actor->progress()};
      if (!setting_.local_store) {
        const double seconds = seen.source->transfer_seconds();
        status.report["actor/transfer_seconds"] = seconds - std::exchange(reported_transfer_, seconds);
      }
      return status;
    });
    status.report["actor/refused"] = static_cast<double>(refused_.exchange(0));
    return status;
  }

  void Hear(const schema::Directory& directory) override {
    anchor_.SetEndpoints(directory.anchors);
    judge_.SetEndpoints(directory.judges);
    if (!directory.weights.empty()) weights_endpoint_.With([&](std::string& it) { it = directory.weights; });
  }

  void Serve(const std::stop_token& over) override {
    const auto source = FindWeights(over);
    if (!source) return;
    actors::Actor actor({.name = name_,
                         .num_generations = static_cast<std::uint32_t>(config_.train.num_generations),
                         .sampling = config_.rollout,
                         .engine = config_.engine,
                         .seed = static_cast<std::uint64_t>(config_.seed),
                         .max_groups = config_.max_groups,
                         .config = ConfigChecksum(config_),
                         .weights_timeout = base::Seconds(config_.timeouts.step)},
                        {learner_, *source, refused_}, courier_, setting_.tokenizer,
                        MakeRenderer(config_.prompt, format_, setting_.tokenizer));
    const Presence presence(*this, {&actor, source.get()});
    actor.Run(over);
  }

 private:
  struct Seen {
    const actors::Actor* actor = nullptr;
    const weights::WeightSource* source = nullptr;
  };

  // While there is an actor to look at. What is still on its way then is not waited for: a run that goes on gives it
  // out again.
  class Presence {
   public:
    Presence(ActorRole& role, const Seen& seen) : role_(role) {
      role_.seen_.With([&](Seen& it) { it = seen; });
    }
    ~Presence() {
      role_.seen_.With([](Seen& it) { it = {}; });
      role_.anchor_.Close();
      role_.judge_.Close();
      if (role_.selecting_) role_.selecting_->Close();
    }
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;

   private:
    ActorRole& role_;
  };

  // Null when the run is over before the learner has said where its weights are.
  std::unique_ptr<weights::WeightSource> FindWeights(const std::stop_token& over) {
    if (setting_.local_store) return weights::MakeLocalSource(*setting_.local_store);
    const std::stop_callback wake(over, [this] { weights_endpoint_.With([](const std::string&) {}); });
    const auto known = [&](const std::string& endpoint) { return !endpoint.empty() || over.stop_requested(); };
    const bool told = base::WaitTold(
        base::Deadline::In(kJoinTimeout), [&] { return "an answer of the learner at " + setting_.learner; },
        [&](base::Deadline until) { return weights_endpoint_.WaitUntil(until, known); });
    if (over.stop_requested()) return nullptr;
    if (!told) {
      throw base::Error(base::ErrorKind::kDisconnected,
                        base::Format("no learner answered at {} within {} s", setting_.learner,
                                     std::chrono::seconds(kJoinTimeout).count()));
    }
    return weights::MakeNetworkSource(setting_.context, weights_endpoint_.With([](auto& endpoint) { return endpoint; }),
                                      setting_.security, setting_.initial->config(), at::Device(config_.device));
  }

  const RoleSetting& setting_;
  const RunConfig& config_;
  const std::string name_;
  const text::ChatTemplate format_;
  actors::RefusedReplies refused_{0};
  net::Client& learner_;
  net::Client anchor_;
  net::Client judge_;
  const std::unique_ptr<SelectionThread> selecting_;
  actors::Courier courier_;
  base::Guarded<std::string> weights_endpoint_;
  base::Guarded<Seen> seen_;
  double reported_transfer_ = 0;  // of the heartbeat's thread
};

}  // namespace

std::unique_ptr<membership::Role> MakeActorRole(const RoleSetting& setting, net::Client& learner) {
  return std::make_unique<ActorRole>(setting, learner);
}

}  // namespace autodidact::launch
