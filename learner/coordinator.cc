#include "learner/coordinator.h"

#include <utility>

#include "base/log.h"
#include "schema/codec.h"

namespace autodidact::learner {
namespace {

constexpr const char* kRefusedMetric = "intake/refused";
constexpr std::string_view kInProcess = "inproc://";
// Each waits for `hold` at most.
constexpr std::size_t kMaxWaiting = 4096;
constexpr std::size_t kMaxRoles = 1024;

}  // namespace

Coordinator::Coordinator(net::Context& context, const net::Security& security, CoordinatorConfig config,
                         PromptQueue queue)
    : config_(std::move(config)), with_keys_(security.own.has_value()), state_(State(std::move(queue))) {
  server_ = std::make_unique<net::Server>(context, config_.endpoint, security,
                                          [this](net::Incoming incoming) { Handle(std::move(incoming)); });
}

void Coordinator::Handle(net::Incoming incoming) {
  std::optional<schema::Message> answer;
  try {
    answer = Take(schema::Decode(incoming.bytes), incoming.reply);
  } catch (const base::Error& error) {
    answer = schema::Refused{schema::Refusal::kMalformed, error.message()};
  }
  if (!answer) return;
  if (const auto* refused = std::get_if<schema::Refused>(&*answer)) {
    state_.With([](State& state) { ++state.counts[kRefusedMetric]; });
    base::LogWarning("refused a message from {} ({}): {}", incoming.peer, schema::Name(refused->why), refused->text);
  }
  incoming.reply.Send(schema::Encode(*answer));
}

std::optional<schema::Message> Coordinator::Take(schema::Message message, net::ReplyHandle& reply) {
  if (auto* request = std::get_if<schema::LeaseRequest>(&message)) return TakeRequest(std::move(*request), reply);
  if (auto* group = std::get_if<schema::ScoredGroup>(&message)) return TakeGroup(std::move(*group));
  if (auto* heartbeat = std::get_if<schema::Heartbeat>(&message)) return TakeHeartbeat(std::move(*heartbeat));
  return schema::Refused{schema::Refusal::kKind, std::string("the learner does not take a ") + schema::Name(message)};
}

schema::Checked Coordinator::CheckMember(std::uint64_t config) const {
  if (config_.config == 0 || config == config_.config) return std::nullopt;
  return schema::Refused{schema::Refusal::kConfig,
                         "its config is not that of the run; start it with the run folder's config.yaml"};
}

std::optional<schema::Message> Coordinator::TakeRequest(schema::LeaseRequest request, net::ReplyHandle& reply) {
  const auto now = base::Clock::now();
  return state_.With([&](State& state) -> std::optional<schema::Message> {
    auto refused = schema::Check(request, state.newest_version);
    if (!refused) refused = CheckMember(request.config);
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

schema::Checked Coordinator::CheckEndpoint(const schema::Heartbeat& heartbeat) const {
  if (heartbeat.endpoint.empty()) return std::nullopt;
  std::string why = net::WhyNoPeer(heartbeat.endpoint, with_keys_);
  // Services are where the learner is: in its process, or on the network.
  const bool in_process = config_.endpoint.starts_with(kInProcess);
  if (why.empty() && heartbeat.endpoint.starts_with(kInProcess) != in_process) {
    why = base::Format("the endpoint is {}, expected one {}", heartbeat.endpoint,
                       in_process ? "in this process" : "on the network");
  }
  if (why.empty()) return std::nullopt;
  return schema::Refused{schema::Refusal::kSender, heartbeat.role + ": " + why};
}

bool Coordinator::MakeRoomFor(State& state, const std::string& role, base::Clock::time_point now) const {
  if (state.roles.contains(role) || state.roles.size() < kMaxRoles) return true;
  return std::erase_if(state.roles, [&](const auto& entry) { return now - entry.second.heard > config_.silence; }) > 0;
}

schema::Message Coordinator::TakeHeartbeat(schema::Heartbeat heartbeat) {
  auto refused = schema::Check(heartbeat);
  if (!refused) refused = CheckMember(heartbeat.config);
  if (!refused) refused = CheckEndpoint(heartbeat);
  if (refused) return std::move(*refused);
  const auto now = base::Clock::now();
  return state_.With([&](State& state) -> schema::Message {
    if (!MakeRoomFor(state, heartbeat.role, now)) {
      return schema::Refused{schema::Refusal::kSender, base::Format("{} roles are there already", kMaxRoles)};
    }
    for (const auto& [name, value] : heartbeat.report) {
      if (schema::FindReported(heartbeat.kind, name)->adds_up) {
        state.counts[name] += value;
      } else {
        state.means.Add(name, value);
      }
    }
    if (!state.roles.contains(heartbeat.role)) {
      base::LogInfo("{} joined from {} (pid {})", heartbeat.role, heartbeat.host, heartbeat.pid);
    }
    Role& role = state.roles[heartbeat.role];
    role = {std::move(heartbeat), now};
    Serve(state, now);
    return MakeDirectory(state, now);
  });
}

void Coordinator::Serve(State& state, base::Clock::time_point now) {
  state.queue.Expire(now);
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
  directory.newest_version = state.newest_version;
  directory.weights = config_.weights_endpoint;
  for (const auto& [name, role] : state.roles) {
    if (role.last.endpoint.empty() || now - role.heard > config_.silence) continue;
    if (role.last.kind == schema::RoleKind::kAnchor) directory.anchors.push_back(role.last.endpoint);
    if (role.last.kind == schema::RoleKind::kJudge) directory.judges.push_back(role.last.endpoint);
  }
  return directory;
}

base::Outcome<StepBatch> Coordinator::WaitForStep(base::Deadline deadline, const std::stop_token& stop) {
  // Waits in slices, so that a stop request is noticed and leases expire even when nobody writes.
  while (!deadline.Passed() && !stop.stop_requested()) {
    state_.WaitUntil(base::Deadline::In(base::Milliseconds(100)).Min(deadline),
                     [](const State& state) { return state.queue.StepReady(); });
    auto batch = state_.With([&](State& state) -> std::optional<StepBatch> {
      Serve(state, base::Clock::now());
      if (!state.queue.StepReady()) return std::nullopt;
      return state.queue.TakeStep();
    });
    if (batch) return std::move(*batch);
  }
  if (stop.stop_requested()) return base::Failure{base::ErrorKind::kRetryLater, "stopped on request"};
  return base::Failure{base::ErrorKind::kRetryLater, Diagnosis()};
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
    base::Metrics reports = std::exchange(state.means, {}).Means();
    reports.merge(std::exchange(state.counts, {}));
    reports.try_emplace(kRefusedMetric, 0.0);
    return reports;
  });
}

schema::Prompt Coordinator::PromptOf(schema::Ticket ticket) const {
  return state_.With([&](const State& state) { return state.queue.PromptOf(ticket); });
}

std::string Coordinator::Diagnosis() const {
  const auto now = base::Clock::now();
  return state_.With([&](const State& state) {
    std::string text = "no progress: " + state.queue.Describe(now);
    if (state.roles.empty()) text += "; no role was ever heard of";
    for (const auto& [name, role] : state.roles) {
      text += base::Format("; {} on {} last heard {:.0f} s ago, {}", name, role.last.host,
                           std::chrono::duration<double>(now - role.heard).count(), role.last.doing);
    }
    return text;
  });
}

}  // namespace autodidact::learner
