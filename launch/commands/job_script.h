// The job script that starts a run under Slurm.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace autodidact::launch {

struct JobScript {
  std::string config;                  // file, as the job finds it from the folder in which it is submitted
  std::vector<std::string> overrides;  // KEY=VALUE
  std::string program;                 // this program, as the nodes find it
  std::string name = "autodidact";     // of the job
  std::int64_t nodes = 1;
  std::int64_t gpus_per_node = 0;
  std::int64_t cpus_per_node = 0;  // 0: the whole node
  std::string memory;              // of each node, as Slurm has it: "12G"
  std::string time = "24:00:00";   // limit, as Slurm has it
  std::int64_t notice = 300;       // seconds before the limit at which the run is asked to stop
  std::string partition;           // empty: the site's default
  std::string account;
  bool requeue = false;              // goes on in the queue when it was asked to stop
  std::vector<std::string> further;  // options of sbatch, as "--qos=high" or "-C", "gpu"
};

// The text of the script, for bash and sbatch. The job has one task a node with all that the job has of it. At the
// notice every process of the run is sent SIGTERM, upon which it stops with a checkpoint; the script ends with the
// run's exit code. Error(kBadInput) for what Slurm would not take, or what the script itself must say.
std::string ToText(const JobScript& script);

// Seconds of a limit as Slurm writes it: MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS, DAYS-HOURS,
// DAYS-HOURS:MINUTES, DAYS-HOURS:MINUTES:SECONDS; 0 for "UNLIMITED" and "INFINITE". Error(kBadInput).
std::int64_t SlurmSeconds(const std::string& limit);

}  // namespace autodidact::launch
