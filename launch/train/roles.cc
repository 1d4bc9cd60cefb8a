#include "launch/train/roles.h"

#include <memory>
#include <utility>

#include "anchor_service/service.h"
#include "base/log.h"
#include "judge_service/service.h"
#include "launch/train/run_identity.h"
#include "launch/wiring/judge.h"
#include "launch/wiring/references.h"
#include "launch/wiring/wiring.h"
#include "schema/validate.h"

namespace autodidact::launch {
namespace {

std::int64_t ThreadsOf(schema::RoleKind kind, const RunConfig& config) {
  if (kind == schema::RoleKind::kActor) return config.threads.actor;
  return kind == schema::RoleKind::kAnchor ? config.threads.anchor : config.threads.judge;
}

// What a service has refused since the last time: messages, and connections that showed no key of the run.
double Refused(std::uint64_t messages, net::Context& context) {
  return static_cast<double>(messages + context.TakeStrangers());
}

class AnchorRole final : public membership::Role {
 public:
  explicit AnchorRole(const RoleSetting& setting)
      : context_(setting.context),
        service_(setting.context, setting.security,
                 {.endpoint = setting.bind,
                  .synthesis =
                      SynthesisOf(setting.config, LoadChatTemplate(setting.config.prompt.chat, setting.config.model)),
                  .engine = setting.config.engine,
                  .seed = static_cast<std::uint64_t>(setting.config.seed)},
                 setting.initial, setting.tokenizer) {}

  std::string endpoint() const override { return service_.endpoint(); }
  membership::Status TakeStatus() override {
    return {service_.Doing(), service_.progress(), {{"anchor/refused", Refused(service_.TakeRefused(), context_)}}};
  }
  void Serve(const std::stop_token& over) override { service_.Run(over); }

 private:
  net::Context& context_;
  anchor_service::Service service_;
};

class JudgeRole final : public membership::Role {
 public:
  explicit JudgeRole(const RoleSetting& setting)
      : judge_(MakeJudge(setting.config)),
        service_(setting.context, setting.security,
                 {.endpoint = setting.bind, .program = ProgramJudgeOf(setting.config)}, std::move(judge_.model_judge)) {
  }

  std::string endpoint() const override { return service_.endpoint(); }
  membership::Status TakeStatus() override { return {service_.Doing(), service_.progress(), service_.TakeMetrics()}; }
  void Serve(const std::stop_token& over) override { service_.Run(over); }

 private:
  Judge judge_;
  judge_service::Service service_;
};

std::unique_ptr<membership::Role> MakeRole(schema::RoleKind kind, const RoleSetting& setting, net::Client& learner) {
  if (kind == schema::RoleKind::kActor) return MakeActorRole(setting, learner);
  if (kind == schema::RoleKind::kAnchor) return std::make_unique<AnchorRole>(setting);
  return std::make_unique<JudgeRole>(setting);
}

}  // namespace

void WorkAs(schema::RoleKind kind, const RoleSetting& setting, const std::stop_token& stop) {
  const std::string name = membership::RoleName(kind, setting.index);
  base::SetLogRole(name);
  UseThreads(ThreadsOf(kind, setting.config));
  net::Client learner(
      setting.context, {setting.learner}, setting.security,
      {.name = name, .peer = "learner", .retry_after = std::chrono::hours(24), .server = schema::kLearnerName});
  const auto role = MakeRole(kind, setting, learner);
  membership::RunRole(learner, {.kind = kind, .index = setting.index, .config = ConfigChecksum(setting.config)}, *role,
                      stop, setting.on_over);
}

}  // namespace autodidact::launch
