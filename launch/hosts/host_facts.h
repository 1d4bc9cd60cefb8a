// What a process says of the host that it runs on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/interfaces.h"
#include "process/limits.h"

namespace autodidact::launch {

struct Gpu {
  std::string name;
  std::int64_t memory = 0;  // bytes

  bool operator==(const Gpu&) const = default;
};

// Empty texts: it is not there.
struct HostFacts {
  net::HostNetwork network;  // with the host's name
  std::string program;       // of this binary, by the linker's mark of its contents
  std::string mpi;           // "Open MPI 4.1.4"
  std::string pmix;          // "4.2.2"
  std::string torch;         // "2.11.0"
  std::string nccl;
  std::string driver;                     // NVIDIA's
  std::vector<Gpu> gpus;                  // that nvidia-smi shows
  bool slurm = false;                     // inside of a Slurm job
  std::vector<std::string> srun_plugins;  // what srun --mpi=list names: "pmix", "pmix_v4", …
  process::Limit open_files;
  process::Limit locked_memory;
  std::int64_t cores = 0;  // that this process may use
  std::int64_t host_cores = 0;
  std::int64_t memory = 0;         // bytes
  std::int64_t shared_memory = 0;  // bytes of /dev/shm
  bool infiniband = false;

  bool operator==(const HostFacts&) const = default;
};

// Asks the system, the libraries, nvidia-smi and srun; these two have three seconds. Whatever cannot be found out stays
// empty.
HostFacts LookAtThisHost();

// As one line of JSON, and back. Error(kBadInput) naming the key that is missing or of another kind.
std::string Encode(const HostFacts& facts);
HostFacts DecodeHostFacts(const std::string& text);

}  // namespace autodidact::launch
