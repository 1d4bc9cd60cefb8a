// The processes of a run on its hosts. What mpirun or srun starts is a keeper: it meets the others once through MPI,
// agrees with them on the plan, and then starts an agent on each host and the supervisor on the first. The supervisor
// starts the learner's ranks, agents start the other roles (docs/decisions/0016-processes-of-a-run.md).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "launch/config/run_config.h"
#include "launch/job/plan.h"
#include "process/ending.h"

namespace autodidact::launch {

// How this program was called.
struct JobCall {
  std::string binary;
  std::string config_file;
  std::vector<std::string> arguments;  // of the learner's ranks besides the config
  bool verbose = false;
};

// In each process of mpirun or srun, after InitMpi. Finalizes MPI. Blocks until the run is over; the exit code. A
// signal to any keeper stops the run, whose steps are saved. Error(kBadInput) on all of them for a placement or
// addresses that cannot be.
int KeepRun(const RunConfig& config, const JobCall& call, process::Ending& ending);

// `autodidact supervisor`: the plan comes by standard input, whose end says that the keeper is gone. Starts the
// learner's ranks, again from the newest checkpoint when they die, and blocks until they and every agent are done.
// `again`: an earlier supervisor of this run has died. The exit code of the run.
int Supervise(const JobPlan& plan, bool again, process::Ending& ending);

// `autodidact agent`: the same, of the roles of a host.
int RunAgent(const JobPlan& plan, std::size_t host, process::Ending& ending);

// `autodidact start-on`: has the agent of a host run a command, in the place of ssh for Open MPI. Blocks until it runs.
// `ticket`: a file. The exit code.
int StartOn(const std::string& ticket, const std::vector<std::string>& host_and_command);

}  // namespace autodidact::launch
