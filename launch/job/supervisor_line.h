// The learner's end of the line to its supervisor.
#pragma once

#include <string>
#include <thread>

#include "base/guarded.h"
#include "launch/job/orders.h"
#include "launch/job/plan.h"
#include "net/net.h"
#include "process/ending.h"

namespace autodidact::launch {

// Reports several times a second, and hears of signals that others of the run were sent: they are requested of `ending`
// as if they had come to this process. So is SIGTERM when the supervisor is gone. Ranks in whose place it has started
// others are ended at once. Thread-safe.
class SupervisorLine {
 public:
  // The ending must outlive it.
  SupervisorLine(net::Context& context, const Ticket& ticket, process::Ending& ending);
  ~SupervisorLine();
  SupervisorLine(const SupervisorLine&) = delete;
  SupervisorLine& operator=(const SupervisorLine&) = delete;

  // The run's folder is open: roles may join, with this config.
  void TellOpen(const std::string& config);
  // The run ends with this exit code. Blocks until the supervisor has heard it and, with `roles_leave`, all roles have
  // left; at the latest until the deadline.
  void TellEnd(int code, bool roles_leave, base::Deadline deadline);

 private:
  void Talk(const std::stop_token& stop);

  process::Ending& ending_;
  base::Guarded<Report> report_;
  struct Heard {
    bool code = false;
    bool released = false;
  };
  base::Guarded<Heard> heard_;
  net::Client client_;
  std::jthread thread_;
};

}  // namespace autodidact::launch
