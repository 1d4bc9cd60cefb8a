#include "launch/hosts/host_facts.h"

#include <ATen/Version.h>
#include <link.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "base/format.h"
#include "base/strings.h"
#include "collective/facts.h"
#include "json/json.h"
#include "process/child.h"

namespace autodidact::launch {
namespace {

constexpr base::Milliseconds kPatience{3'000};
constexpr const char* kFacts = "the facts of a host";
constexpr std::size_t kMarkDigits = 12;

// What a program says on standard output; nothing where it is not there, fails or is late.
std::optional<std::string> Ask(std::vector<std::string> argv) {
  try {
    process::ChildOptions options;
    options.what = argv.front();
    options.argv = std::move(argv);
    options.environment = process::EnvironmentWithoutMpi();
    options.output = process::ChildOptions::Output::kCapture;
    options.grace = base::Milliseconds(100);
    const process::Child child(std::move(options));
    const auto status = child.Wait(base::Deadline::In(kPatience));
    if (!status || !status->ok()) return std::nullopt;
    // srun lists its plugins on standard error.
    return child.output() + child.errors();
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

// The linker's note of what this program is made of.
int KeepMark(dl_phdr_info* module, std::size_t /*size*/, void* kept) {
  std::string& mark = *static_cast<std::string*>(kept);
  for (int i = 0; i < module->dlpi_phnum; ++i) {
    const auto& segment = module->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    // The loader gives addresses as numbers.
    const char* at =
        reinterpret_cast<const char*>(module->dlpi_addr + segment.p_vaddr);  // NOLINT(performance-no-int-to-ptr)
    const char* end = at + segment.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note{};
      std::memcpy(&note, at, sizeof note);
      const char* name = at + sizeof note;
      const char* bytes = name + ((note.n_namesz + 3) & ~3U);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
        for (unsigned k = 0; k < note.n_descsz; ++k) {
          mark += base::Format("{:02x}", static_cast<unsigned char>(bytes[k]));
        }
        mark.resize(std::min(mark.size(), kMarkDigits));
      }
      at = bytes + ((note.n_descsz + 3) & ~3U);
    }
  }
  return 1;  // the first module is the program itself
}

std::string TorchVersion() {
  const std::string all = at::show_config();
  const std::string key = "TORCH_VERSION=";
  const auto at = all.find(key);
  if (at == std::string::npos) return "";
  const auto begin = at + key.size();
  return all.substr(begin, all.find_first_of(", \n", begin) - begin);
}

void AskForGpus(HostFacts& facts) {
  const auto said =
      Ask({"nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"});
  std::istringstream lines(said.value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const auto second = line.rfind(',');
    const auto first = second == std::string::npos ? second : line.rfind(',', second - 1);
    if (first == std::string::npos) continue;
    facts.driver = base::Trim(line.substr(second + 1));
    const double mib = std::strtod(line.substr(first + 1, second - first - 1).c_str(), nullptr);
    facts.gpus.push_back({std::string(base::Trim(line.substr(0, first))), static_cast<std::int64_t>(mib) << 20});
  }
}

// "MPI plugin types are...", then a name a line, one line having "specific pmix plugin versions available: pmix_v4".
void AskForSrunPlugins(HostFacts& facts) {
  facts.slurm = std::getenv("SLURM_JOB_ID") != nullptr;
  if (!facts.slurm) return;
  std::istringstream lines(Ask({"srun", "--mpi=list"}).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with("...")) continue;
    std::istringstream names(line.substr(line.rfind(':') + 1));
    for (std::string name; names >> name;) {
      if (name.ends_with(',')) name.pop_back();
      facts.srun_plugins.push_back(name);
    }
  }
}

std::int64_t CoresAllowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
}

std::int64_t SharedMemory() {
  struct statvfs space {};
  if (statvfs("/dev/shm", &space) != 0) return 0;
  return static_cast<std::int64_t>(space.f_blocks) * static_cast<std::int64_t>(space.f_frsize);
}

json::Json AsJson(const process::Limit& limit) {
  return {{"soft", limit.soft}, {"hard", limit.hard}};
}

process::Limit LimitOf(const json::Json& value) {
  return {value.at("soft").get<std::uint64_t>(), value.at("hard").get<std::uint64_t>()};
}

}  // namespace

HostFacts LookAtThisHost() {
  HostFacts facts;
  facts.network = net::ThisHost();
  dl_iterate_phdr(KeepMark, &facts.program);
  facts.mpi = collective::MpiVersion();
  facts.pmix = collective::PmixVersion();
  facts.torch = TorchVersion();
  facts.nccl = collective::NcclVersion();
  AskForGpus(facts);
  AskForSrunPlugins(facts);
  facts.open_files = process::OpenFiles();
  facts.locked_memory = process::LockedMemory();
  facts.cores = CoresAllowed();
  facts.host_cores = sysconf(_SC_NPROCESSORS_ONLN);
  facts.memory = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  facts.shared_memory = SharedMemory();
  std::error_code ignored;
  facts.infiniband = std::filesystem::exists("/dev/infiniband", ignored);
  return facts;
}

std::string Encode(const HostFacts& facts) {
  json::Json interfaces = json::Json::array();
  for (const net::Interface& one : facts.network.interfaces) {
    interfaces.push_back({{"name", one.name}, {"address", one.address}, {"prefix", one.prefix}});
  }
  json::Json gpus = json::Json::array();
  for (const Gpu& gpu : facts.gpus) gpus.push_back({{"name", gpu.name}, {"memory", gpu.memory}});
  return json::Dump({{"host", facts.network.name},
                     {"interfaces", interfaces},
                     {"outward", facts.network.outward},
                     {"program", facts.program},
                     {"mpi", facts.mpi},
                     {"pmix", facts.pmix},
                     {"torch", facts.torch},
                     {"nccl", facts.nccl},
                     {"driver", facts.driver},
                     {"gpus", gpus},
                     {"slurm", facts.slurm},
                     {"srun_plugins", facts.srun_plugins},
                     {"open_files", AsJson(facts.open_files)},
                     {"locked_memory", AsJson(facts.locked_memory)},
                     {"cores", facts.cores},
                     {"host_cores", facts.host_cores},
                     {"memory", facts.memory},
                     {"shared_memory", facts.shared_memory},
                     {"infiniband", facts.infiniband}});
}

HostFacts DecodeHostFacts(const std::string& text) {
  const json::Json all = json::Parse(text, kFacts);
  HostFacts facts;
  try {
    facts.network.name = all.at("host").get<std::string>();
    for (const auto& one : all.at("interfaces")) {
      facts.network.interfaces.push_back(
          {one.at("name").get<std::string>(), one.at("address").get<std::string>(), one.at("prefix").get<int>()});
    }
    facts.network.outward = all.at("outward").get<std::string>();
    facts.program = all.at("program").get<std::string>();
    facts.mpi = all.at("mpi").get<std::string>();
    facts.pmix = all.at("pmix").get<std::string>();
    facts.torch = all.at("torch").get<std::string>();
    facts.nccl = all.at("nccl").get<std::string>();
    facts.driver = all.at("driver").get<std::string>();
    for (const auto& gpu : all.at("gpus")) {
      facts.gpus.push_back({gpu.at("name").get<std::string>(), gpu.at("memory").get<std::int64_t>()});
    }
    facts.slurm = all.at("slurm").get<bool>();
    facts.srun_plugins = all.at("srun_plugins").get<std::vector<std::string>>();
    facts.open_files = LimitOf(all.at("open_files"));
    facts.locked_memory = LimitOf(all.at("locked_memory"));
    facts.cores = all.at("cores").get<std::int64_t>();
    facts.host_cores = all.at("host_cores").get<std::int64_t>();
    facts.memory = all.at("memory").get<std::int64_t>();
    facts.shared_memory = all.at("shared_memory").get<std::int64_t>();
    facts.infiniband = all.at("infiniband").get<bool>();
  } catch (const json::Json::exception& error) {
    base::ThrowBadInput(base::Format("{}: {}", kFacts, error.what()));
  }
  for (const net::Interface& own : facts.network.interfaces) {
    if (own.prefix < 0 || own.prefix > 32) {
      base::ThrowBadInput(base::Format("{}: a prefix of {} bits, expected 0 to 32", kFacts, own.prefix));
    }
  }
  return facts;
}

}  // namespace autodidact::launch
