// The supervisor's end of the line to agents, the learner and the starter.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "launch/job/orders.h"
#include "launch/job/plan.h"
#include "net/net.h"

namespace autodidact::launch {

// Answers at once, on the server's thread. Thread-safe.
class Desk {
 public:
  Desk(net::Context& context, const JobPlan& plan);

  // What was reported, the first of each.
  std::optional<int> signal() const;
  std::string failure() const;
  std::optional<int> code() const;  // of the learner
  // The run's config.yaml; empty: its folder is not open yet.
  std::string config() const;

  // The ranks that speak for the learner from here on; earlier ones are told to end.
  void ExpectLearner(const std::string& attempt);

  // Tells everybody with their next report.
  void TellSignal(int signal);
  void TellGone();

  // After TellGone. Blocks until every agent has heard it and has no role left, or the deadline passes: the names of
  // the others.
  std::vector<std::string> WaitForAgents(base::Deadline deadline);

  // Agents that were heard of, and then for so long not; with the time since.
  std::vector<std::string> SilentAgents(base::Milliseconds silence) const;

 private:
  struct Agent {
    std::vector<Launch> launches;
    base::Clock::time_point heard = base::Clock::now();
    bool done = false;  // no role is left there
    bool left = false;  // and it knows that the learner is gone
  };
  struct State {
    RunPhase phase = RunPhase::kStarting;
    std::string attempt;
    std::string config;
    int signal = 0;
    std::string failure;
    std::optional<int> code;
    std::map<std::string, Agent> agents;
    std::map<std::uint64_t, net::ReplyHandle> starting;
    std::uint64_t next_launch = 1;
  };

  static bool RolesLeft(const State& state);
  // The answer to a report.
  static Orders OrdersFor(State& state, const std::string& sender, const Report& report);
  void Handle(net::Incoming incoming);
  static void TakeLearners(State& state, const Report& report);
  static void TakeAgents(State& state, const std::string& sender, const Report& report);
  void Start(net::Incoming incoming);

  const JobPlan& plan_;
  base::Guarded<State> state_;
  std::unique_ptr<net::Server> server_;  // last: its thread uses the state
};

}  // namespace autodidact::launch
