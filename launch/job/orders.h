// What supervisor, agents and the learner say to each other: a report and its answer several times a second. JSON: few,
// small, and between the run's own infrastructure, whose keys nobody else has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"

namespace autodidact::launch {

// How often a report is sent, how long its answer may take, and after which silence the other side is taken for gone.
inline constexpr base::Milliseconds kReportInterval{100};
inline constexpr base::Milliseconds kReportTimeout{2'000};
inline constexpr base::Milliseconds kReportSilence{90'000};
// What supervisor and agents have after the keeper's death, for the learner to save.
inline constexpr base::Milliseconds kWithoutKeeper{600'000};

// Open MPI's daemon, to be started on a host.
struct Launch {
  std::uint64_t id = 0;
  std::string command;  // of a shell
};
struct Launched {
  std::uint64_t id = 0;
  std::string failure;  // empty: it runs
};

// Of an agent, or of the learner's rank 0.
struct Report {
  std::string attempt;           // of the learner: its ticket's
  bool open = false;             // of the learner: the run's folder is open, roles may join
  bool over = false;             // of the learner: the run is finished, and it answers roles until all have left
  std::optional<int> code = {};  // of the learner: the exit code of the run
  std::string config;            // of the learner: the run's own config.yaml
  bool done = false;             // of an agent: none of its roles is left
  int signal = 0;                // that it was sent; 0: none
  std::string failure = {};      // why the run cannot go on
  std::vector<Launched> launched = {};
};

// kOver: roles hear from the learner that they may leave; for the learner itself: all have. kGone: there is no learner;
// for a learner: it is not the one that the supervisor has started.
enum class RunPhase { kStarting, kOpen, kOver, kGone };

struct Orders {
  RunPhase phase = RunPhase::kStarting;
  std::string config = {};
  int signal = 0;  // that somebody of the run was sent; 0: none
  std::vector<Launch> launches = {};
};

// Of the starter: a command for the agent of the host with this address.
struct StartRequest {
  std::string host;
  std::string command;
};

// Each as a line of JSON. Error(kBadInput) for another text.
std::string Encode(const Report& report);
std::string Encode(const Orders& orders);
std::string Encode(const StartRequest& request);
Report ParseReport(const std::string& text);
Orders ParseOrders(const std::string& text);
StartRequest ParseStartRequest(const std::string& text);

}  // namespace autodidact::launch
