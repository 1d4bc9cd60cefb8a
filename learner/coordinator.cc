#include "learner/coordinator.h"

#include <utility>

#include "base/log.h"
#include "base/wait_log.h"
#include "schema/codec.h"

namespace autodidact::learner {
namespace {

constexpr const char* kRefusedMetric = "intake/refused";
// Each waits for `hold` at most.
constexpr std::size_t kMaxWaiting = 4096;

membership::RoleDirectoryConfig ToRoleDirectory(const CoordinatorConfig& config) {
  return {.in_process = config.endpoint.starts_with("inproc://"), .config = config.config, .silence = config.silence};
}

}  // namespace

Coordinator::Coordinator(net::Context& context, const net::Security& security, CoordinatorConfig config,
                         PromptQueue queue)
    : config_(std::move(config)), state_(State(std::move(queue), ToRoleDirectory(config_))) {
  server_ = std::make_unique<net::Server>(context, config_.endpoint, security,
                                          [this](net::Incoming incoming) { Handle(std::move(incoming)); });
}

void Coordinator::Handle(net::Incoming incoming) {
  std::optional<schema::Message> answer;
  try {
    answer = Take(schema::Decode(incoming.bytes), incoming);
  } catch (const base::Error& error) {
    answer = schema::Refused{schema::Refusal::kMalformed, error.message()};
  }
  if (!answer) return;
  if (const auto* refused = std::get_if<schema::Refused>(&*answer)) {
    state_.With([](State& state) { ++state.refused; });
    base::LogWarning("refused a message from {} ({}): {}", incoming.peer, schema::Name(refused->why), refused->text);
  }
  incoming.reply.Send(schema::Encode(*answer));
}

std::optional<schema::Message> Coordinator::Take(schema::Message message, net::Incoming& incoming) {
  if (auto refused = schema::CheckSender(message, incoming.sender)) return std::move(*refused);
  if (auto* request = std::get_if<schema::LeaseRequest>(&message)) {
    return TakeRequest(std::move(*request), incoming.reply);
  }
  if (auto* group = std::get_if<schema::ScoredGroup>(&message)) return TakeGroup(std::move(*group));
  if (auto* heartbeat = std::get_if<schema::Heartbeat>(&message)) return TakeHeartbeat(std::move(*heartbeat));
  return schema::Refused{schema::Refusal::kKind, std::string("the learner does not take a ") + schema::Name(message)};
}

std::optional<schema::Message> Coordinator::TakeRequest(schema::LeaseRequest request, net::ReplyHandle& reply) {
  const auto now = base::Clock::now();
  return state_.With([&](State& state) -> std::optional<schema::Message> {
    auto refused = schema::Check(request, state.newest_version);
    if (!refused) refused = state.roles.CheckConfig(request.config);
    if (refused) return std::move(*refused);
    if (state.waiting.size() >= kMaxWaiting) return schema::LeaseReply{schema::RunState::kWaiting, {}};
    state.waiting.push_back({std::move(request), std::move(reply), now});
    Serve(state, now);
    return std::nullopt;
  });
}

schema::Message Coordinator::TakeGroup(schema::ScoredGroup group) {
  const schema::Ticket ticket = group.group.ticket;
  const std::string actor = group.actor;
  base::LogDebug("group {} from {}: {} rollouts in {:.2f} s, reference in {:.2f} s, judged in {:.2f} s", ticket, actor,
                 group.group.rollouts.size(), group.rollout_seconds, group.anchor_seconds, group.judge_seconds);
  const schema::WeightVersion newest = state_.With([](const State& state) { return state.newest_version; });
  if (auto refused = schema::Check(group, config_.groups, newest)) return std::move(*refused);
  const auto answer = state_.With([&](State& state) -> schema::Message {
    const schema::Receipt receipt = state.queue.Submit(std::move(group));
    if (receipt == schema::Receipt::kUnknown) {
      return schema::Refused{schema::Refusal::kLease,
                             base::Format("ticket {} was not lent to {}, or its step is over", ticket, actor)};
    }
    Serve(state, base::Clock::now());
    return schema::SubmitReply{receipt, state.finished ? schema::RunState::kFinished : schema::RunState::kRunning};
  });
  const auto* reply = std::get_if<schema::SubmitReply>(&answer);
  if (reply && reply->receipt != schema::Receipt::kAccepted) {
    base::LogInfo("group {} from {} was not taken: {}", ticket, actor, schema::Name(reply->receipt));
  }
  return answer;
}

schema::Message Coordinator::TakeHeartbeat(schema::Heartbeat heartbeat) {
  const auto now = base::Clock::now();
  return state_.With([&](State& state) -> schema::Message {
    const std::string role = heartbeat.role;
    const bool replaced = state.roles.IsReplaced(heartbeat);
    if (auto refused = state.roles.Take(std::move(heartbeat), now)) return std::move(*refused);
    if (replaced) state.queue.ReturnAll(role, "died with it");
    Serve(state, now);
    return MakeDirectory(state, now);
  });
}

void Coordinator::Serve(State& state, base::Clock::time_point now) {
  state.queue.Expire(now);
  for (const std::string& actor : state.roles.Silent(schema::RoleKind::kActor, now)) {
    state.queue.ReturnAll(actor, "has fallen silent with it");
  }
  std::vector<WaitingRequest> still_waiting;
  for (WaitingRequest& waiting : state.waiting) {
    schema::LeaseReply reply;
    if (state.finished) {
      reply.state = schema::RunState::kFinished;
    } else {
      reply.leases = state.queue.Take(waiting.request.actor, waiting.request.max_groups, now);
      if (reply.leases.empty()) {
        if (now - waiting.since < config_.hold) {
          still_waiting.push_back(std::move(waiting));
          continue;
        }
        reply.state = schema::RunState::kWaiting;
      }
    }
    waiting.reply.Send(schema::Encode(reply));
  }
  state.waiting = std::move(still_waiting);
}

schema::Directory Coordinator::MakeDirectory(const State& state, base::Clock::time_point now) const {
  schema::Directory directory;
  directory.state = state.finished ? schema::RunState::kFinished : schema::RunState::kRunning;
  directory.weights = config_.weights_endpoint;
  directory.anchors = state.roles.EndpointsOf(schema::RoleKind::kAnchor, now);
  directory.judges = state.roles.EndpointsOf(schema::RoleKind::kJudge, now);
  return directory;
}

base::Outcome<StepBatch> Coordinator::WaitForStep(base::Deadline deadline, const std::stop_token& stop) {
  std::optional<StepBatch> batch;
  // Waits in slices, so that a stop request is noticed and leases expire even when nobody writes.
  const auto wait = [&](base::Deadline until) {
    while (!batch && !until.Passed() && !stop.stop_requested()) {
      state_.WaitUntil(base::Deadline::In(base::Milliseconds(100)).Min(until),
                       [](const State& state) { return state.queue.StepReady(); });
      state_.With([&](State& state) {
        Serve(state, base::Clock::now());
        if (state.queue.StepReady()) batch = state.queue.TakeStep();
      });
    }
    return batch || stop.stop_requested();
  };
  base::WaitTold(
      deadline, [this] { return "the groups of the step: " + Situation(); }, wait);
  if (batch) return std::move(*batch);
  if (stop.stop_requested()) return base::Failure{base::ErrorKind::kRetryLater, "stopped on request"};
  return base::Failure{base::ErrorKind::kRetryLater, "no progress: " + Situation()};
}

void Coordinator::Announce(schema::WeightVersion version) {
  state_.With([&](State& state) {
    state.newest_version = version;
    state.queue.Announce(version);
    Serve(state, base::Clock::now());
  });
}

void Coordinator::Finish() {
  state_.With([&](State& state) {
    state.finished = true;
    Serve(state, base::Clock::now());
  });
}

base::Metrics Coordinator::TakeReports() {
  return state_.With([](State& state) {
    base::Metrics reports = state.roles.TakeReports();
    reports[kRefusedMetric] = static_cast<double>(std::exchange(state.refused, 0));
    return reports;
  });
}

schema::Prompt Coordinator::PromptOf(schema::Ticket ticket) const {
  return state_.With([&](const State& state) { return state.queue.PromptOf(ticket); });
}

std::string Coordinator::Situation() const {
  const auto now = base::Clock::now();
  return state_.With([&](const State& state) { return state.queue.Describe(now) + "; " + state.roles.Describe(now); });
}

}  // namespace autodidact::learner
