#include "launch/job/desk.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/wait_log.h"
#include "schema/validate.h"

namespace autodidact::launch {

Desk::Desk(net::Context& context, const JobPlan& plan) : plan_(plan) {
  state_.With([&](State& state) {
    for (std::size_t host = 0; host < plan.hosts.size(); ++host) state.agents[AgentName(host)];
  });
  net::Security security = plan.SecurityOf(kSupervisor);
  std::erase_if(security.known, [&](const auto& one) {  // roles have nothing to say here
    const std::string& name = one.first;
    return name != schema::kLearnerName && name != kStarter && !name.starts_with("agent-");
  });
  server_ = std::make_unique<net::Server>(context, plan.supervisor, security,
                                          [this](net::Incoming incoming) { Handle(std::move(incoming)); });
}

void Desk::Handle(net::Incoming incoming) {
  if (incoming.sender == kStarter) return Start(std::move(incoming));
  const Report report = ParseReport(incoming.bytes);
  const Orders orders = state_.With([&](State& state) {
    if (incoming.sender == schema::kLearnerName) {
      TakeLearners(state, report);
    } else {
      TakeAgents(state, incoming.sender, report);
    }
    return OrdersFor(state, incoming.sender, report);
  });
  incoming.reply.Send(Encode(orders));
}

// A signal that the learner was sent is its own matter: it saves, and tells its code.
void Desk::TakeLearners(State& state, const Report& report) {
  if (report.attempt != state.attempt) return;
  if (report.open && state.phase == RunPhase::kStarting) {
    state.phase = RunPhase::kOpen;
    state.config = report.config;
  }
  if (report.code) state.code = report.code;
  if (report.over && state.phase == RunPhase::kOpen) state.phase = RunPhase::kOver;
}

void Desk::TakeAgents(State& state, const std::string& sender, const Report& report) {
  if (report.signal != 0 && state.signal == 0) {
    base::LogInfo("{} was sent signal {}", sender, report.signal);
    state.signal = report.signal;
  }
  if (!report.failure.empty() && state.failure.empty()) state.failure = sender + ": " + report.failure;
  Agent& agent = state.agents.at(sender);
  agent.heard = base::Clock::now();
  agent.done = agent.done || report.done;
  for (const Launched& launched : report.launched) {
    const auto waiting = state.starting.find(launched.id);
    if (waiting == state.starting.end()) continue;
    waiting->second.Send(launched.failure);
    state.starting.erase(waiting);
  }
}

void Desk::Start(net::Incoming incoming) {
  const StartRequest request = ParseStartRequest(incoming.bytes);
  for (std::size_t host = 0; host < plan_.hosts.size(); ++host) {
    if (plan_.hosts[host].address != request.host) continue;
    state_.With([&](State& state) {
      const std::uint64_t id = state.next_launch++;
      state.starting[id] = std::move(incoming.reply);
      state.agents.at(AgentName(host)).launches.push_back({id, request.command});
    });
    return;
  }
  incoming.reply.Send(base::Format("{} is no host of this run", request.host));
}

bool Desk::RolesLeft(const State& state) {
  return std::any_of(state.agents.begin(), state.agents.end(), [](const auto& it) { return !it.second.done; });
}

Orders Desk::OrdersFor(State& state, const std::string& sender, const Report& report) {
  Orders orders{.phase = state.phase, .config = state.config, .signal = state.signal};
  const auto agent = state.agents.find(sender);
  if (agent != state.agents.end()) {
    orders.launches = std::exchange(agent->second.launches, {});
    agent->second.left = agent->second.done && state.phase == RunPhase::kGone;
  } else if (report.attempt != state.attempt) {
    orders.phase = RunPhase::kGone;
  } else if (state.phase == RunPhase::kOver && RolesLeft(state)) {
    orders.phase = RunPhase::kOpen;  // the learner still has roles to answer
  }
  return orders;
}

std::optional<int> Desk::signal() const {
  return state_.With([](const State& state) { return state.signal != 0 ? std::optional(state.signal) : std::nullopt; });
}

std::string Desk::failure() const {
  return state_.With([](const State& state) { return state.failure; });
}

std::optional<int> Desk::code() const {
  return state_.With([](const State& state) { return state.code; });
}

std::string Desk::config() const {
  return state_.With([](const State& state) { return state.config; });
}

void Desk::ExpectLearner(const std::string& attempt) {
  state_.With([&](State& state) {
    state.attempt = attempt;
    state.code.reset();
  });
}

void Desk::TellSignal(int signal) {
  state_.With([&](State& state) {
    if (state.signal == 0) state.signal = signal;
  });
}

void Desk::TellGone() {
  state_.With([](State& state) { state.phase = RunPhase::kGone; });
}

std::vector<std::string> Desk::WaitForAgents(base::Deadline deadline) {
  const auto not_left = [](const State& state) {
    std::vector<std::string> names;
    for (const auto& [name, agent] : state.agents) {
      if (!agent.left) names.push_back(name);
    }
    return names;
  };
  const auto wait = [&](base::Deadline until) {
    return state_.WaitUntil(until, [&](const State& state) { return not_left(state).empty(); });
  };
  base::WaitTold(
      deadline, [] { return "the agents to leave"; }, wait);
  return std::as_const(state_).With(not_left);
}

std::vector<std::string> Desk::SilentAgents(base::Milliseconds silence) const {
  const auto now = base::Clock::now();
  return state_.With([&](const State& state) {
    std::vector<std::string> silent;
    for (const auto& [name, agent] : state.agents) {
      if (!agent.done && now - agent.heard > silence) silent.push_back(name);
    }
    return silent;
  });
}

}  // namespace autodidact::launch
