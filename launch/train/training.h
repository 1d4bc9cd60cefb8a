// `train`: in one process, or as ranks under MPI.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
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
  std::stop_token stop = {};  // a run is to be stopped and saved
};

// Every role in this process, threads over inproc://. Blocks until the run is over, or is stopped and saved. A role
// that fails ends the run.
learner::RunEnd TrainInOneProcess(const RunConfig& config, const TrainOptions& options, process::Ending& ending);

// `autodidact learner`: one rank of the learner of a run whose roles are processes; the only one, or one of an MPI job.
// `ticket` as ReadTicket takes it, on rank 0. A signal to any rank stops the run. Blocks until the run is over, and
// tells its exit code to the supervisor. The exit code of this process.
int TrainAsRank(const RunConfig& config, const TrainOptions& options, const std::string& ticket,
                process::Ending& ending);

// Of a run that ended so.
int ExitCodeOf(learner::RunEnd end, const process::Ending& ending);

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

// A role of a running job as a process of its own: `autodidact actor CONFIG --join TICKET`. Blocks until the run is
// over.
struct JoinOptions {
  std::string ticket;                      // as ReadTicket takes it
  std::optional<std::int64_t> index = {};  // among its kind; else any that the ticket has a key of
};
void JoinRun(const RunConfig& config, const std::string& kind, const JoinOptions& options, process::Ending& ending);

// `autodidact ticket RUN`: a copy of the ticket that the run in this folder holds for those who join it, at `out`,
// which its owner alone can read. Error(kBadInput) where no run of several processes is under way there.
void CopyTicket(const std::string& run, const std::string& out);

}  // namespace autodidact::launch
