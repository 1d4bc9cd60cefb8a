#include "learner/coordinator.h"

#include <utility>

#include "base/log.h"
#include "schema/codec.h"

namespace autodidact::learner {

Coordinator::Coordinator(net::Context& context, const net::Security& security, CoordinatorConfig config,
                         PromptQueue queue)
    : config_(std::move(config)), state_(State(std::move(queue))) {
  server_ = std::make_unique<net::Server>(context, config_.endpoint, security,
                                          [this](net::Incoming incoming) { Handle(std::move(incoming)); });
}

void Coordinator::Handle(net::Incoming incoming) {
  const auto now = base::Clock::now();
  schema::Message message;
  try {
    message = schema::Decode(incoming.bytes);
  } catch (const base::Error& error) {
    base::LogWarning("refused a message from {}: {}", incoming.peer, error.message());
    incoming.reply.Send(schema::Encode(schema::FailureReply{{error.kind(), error.message()}}));
    return;
  }
  if (auto* request = std::get_if<schema::LeaseRequest>(&message)) {
    state_.With([&](State& state) {
      state.waiting.push_back({std::move(*request), std::move(incoming.reply), now});
      Serve(state, now);
    });
  } else if (auto* group = std::get_if<schema::ScoredGroup>(&message)) {
    const schema::Ticket ticket = group->group.ticket;
    const std::string actor = group->actor;
    const auto reply = state_.With([&](State& state) {
      const schema::Receipt receipt = state.queue.Submit(std::move(*group));
      Serve(state, now);
      return schema::SubmitReply{receipt, state.finished ? schema::RunState::kFinished : schema::RunState::kRunning};
    });
    if (reply.receipt != schema::Receipt::kAccepted) {
      base::LogInfo("group {} from {} was not taken: {}", ticket, actor, schema::Name(reply.receipt));
    }
    incoming.reply.Send(schema::Encode(reply));
  } else if (auto* heartbeat = std::get_if<schema::Heartbeat>(&message)) {
    const auto directory = state_.With([&](State& state) {
      for (const auto& [name, value] : heartbeat->report) state.reports.Add(name, value);
      if (!state.roles.contains(heartbeat->role)) {
        base::LogInfo("{} joined from {} (pid {})", heartbeat->role, heartbeat->host, heartbeat->pid);
      }
      Role& role = state.roles[heartbeat->role];
      role = {std::move(*heartbeat), now};
      Serve(state, now);
      return MakeDirectory(state, now);
    });
    incoming.reply.Send(schema::Encode(directory));
  } else {
    incoming.reply.Send(schema::Encode(schema::FailureReply{
        {base::ErrorKind::kBadInput, std::string("the learner does not take a ") + schema::Name(message)}}));
  }
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
    if (name.starts_with("anchor")) directory.anchors.push_back(role.last.endpoint);
    if (name.starts_with("judge")) directory.judges.push_back(role.last.endpoint);
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
  return state_.With([](State& state) { return std::exchange(state.reports, {}).Means(); });
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
