// `train`: in one process, or as ranks under MPI.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

#include "launch/config.h"
#include "learner/learner.h"

namespace autodidact::launch {

struct TrainOptions {
  enum class Start { kFresh, kOverwrite, kResume, kResumeIfPossible };
  Start start = Start::kFresh;
  std::string binary;  // this program, which host agents start again for their roles
};

// Every role in this process, threads over inproc://. Blocks until the run is over. A role that fails ends the run.
learner::RunEnd TrainInOneProcess(const RunConfig& config, const TrainOptions& options, const std::stop_token& stop);

// This rank's part of a run under mpirun or srun: a learner, or a host agent that starts its role as a child process,
// again whenever it dies. Blocks until the run is over; the same result on all ranks.
learner::RunEnd TrainUnderMpi(const RunConfig& config, const TrainOptions& options, const std::stop_token& stop);

// The role of each of `size` ranks: the config's, or learners first and one actor, anchor and judge last.
// Error(kBadInput) when the config names another number of ranks, or a role that the run cannot do without is missing.
std::vector<std::string> PlaceRoles(const RunConfig& config, int size);

// `--dry-run`: the resolved config as YAML, with the memory plan as comments below it. For the config's placement, else
// for the ranks of mpirun (of which rank 0 alone gets a text), else for one process. The model's folder needs to hold
// no more than its config.json; with its tokenizer, all is checked that a run checks before its first step
// (preflight.h), the judge's endpoint only with `probe`.
std::string DryRun(const std::filesystem::path& file, const std::vector<std::string>& overrides, bool probe = false);

// A role of a running job as a process of its own: `autodidact actor CONFIG --connect ENDPOINT`. Blocks until the run
// is over or `stop` is requested.
void JoinRun(const RunConfig& config, const std::string& kind, std::int64_t index, const std::string& learner_endpoint,
             const std::stop_token& stop);

}  // namespace autodidact::launch
