// `train`: in one process, or as ranks under MPI.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

#include "launch/config/run_config.h"
#include "learner/learner.h"
#include "process/ending.h"

namespace autodidact::launch {

// How a run begins in its folder: data/run_place.h says what each of the first three does.
struct TrainOptions {
  bool resume = false;
  std::string resume_from = {};
  bool overwrite = false;
  std::string config_file = {};
  std::string binary = {};    // this program, which host agents start again for their roles
  bool verbose = false;       // and tell to log more
  std::stop_token stop = {};  // a run is to be stopped and saved
};

// Every role in this process, threads over inproc://. Blocks until the run is over, or is stopped and saved. A role
// that fails ends the run.
learner::RunEnd TrainInOneProcess(const RunConfig& config, const TrainOptions& options, process::Ending& ending);

// This rank's part of a run under mpirun or srun: a learner, or a host agent that starts its role as a child process,
// again whenever it dies. A signal to any rank stops the run. Blocks until the run is over; the same result on all
// ranks, and the same signal requested of each.
learner::RunEnd TrainUnderMpi(const RunConfig& config, const TrainOptions& options, process::Ending& ending);

// The role of each of `size` ranks: the config's, or learners first and one actor, anchor and judge last.
// Error(kBadInput) when the config names another number of ranks, or a role that the run cannot do without is missing.
std::vector<std::string> PlaceRoles(const RunConfig& config, int size);

// `--dry-run`: the resolved config as YAML, with the memory plan as comments below it. For the config's placement, else
// for the ranks of mpirun (of which rank 0 alone gets a text), else for one process. The model's folder needs to hold
// no more than its config.json; with its tokenizer, all is checked that a run checks before its first step
// (preflight.h), the judge's endpoint only with `probe`. Errors of the run's folder as in a run with these options
// (data/run_place.h): that it is another's or held, or that what may not change has changed. Nothing is written.
struct DryRunResult {
  std::string text;
  bool fits = true;
};
DryRunResult DryRun(const TrainOptions& options, const std::vector<std::string>& overrides, bool probe = false);

// A role of a running job as a process of its own: `autodidact actor CONFIG --connect ENDPOINT`. Blocks until the run
// is over.
void JoinRun(const RunConfig& config, const std::string& kind, std::int64_t index, const std::string& learner_endpoint,
             process::Ending& ending);

}  // namespace autodidact::launch
