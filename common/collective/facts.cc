#include "collective/facts.h"

// MPI's removed C++ interface would drag in its own library.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace autodidact::collective {
namespace {

// Keeps the path of the first library whose name says that it is PMIx's.
int KeepPmix(dl_phdr_info* library, std::size_t /*size*/, void* path) {
  const std::string_view name = library->dlpi_name;
  const std::string_view file = name.substr(name.rfind('/') + 1);
  if (!file.starts_with("libpmix.so")) return 0;
  *static_cast<std::string*>(path) = name;
  return 1;
}

// The same for the ranks of one host: the address of the launcher's daemon there. Hosts may share a name, and Open
// MPI's MPI_Comm_split_type fails where they do.
std::string HostKey() {
  for (const char* name : {"PMIX_SERVER_URI4", "PMIX_SERVER_URI3", "PMIX_SERVER_URI21", "PMIX_SERVER_URI2",
                           "PMIX_SERVER_URI", "SLURM_NODEID"}) {
    if (const char* value = std::getenv(name)) return value;
  }
  std::array<char, HOST_NAME_MAX + 1> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

std::string MpiVersion() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);  // allowed before MPI_Init
  const std::string all(text.data(), static_cast<std::size_t>(length));
  // "Open MPI v4.1.4, package: Debian OpenMPI, ident: …"
  const std::string first = all.substr(0, all.find_first_of(",\n"));
  const auto v = first.find(" v");
  return v == std::string::npos ? first : first.substr(0, v + 1) + first.substr(v + 2);
}

std::string PmixVersion() {
  std::string path;
  dl_iterate_phdr(KeepPmix, &path);
  void* library = dlopen(path.empty() ? "libpmix.so.2" : path.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return "";
  using Version = const char* (*)();
  const auto version = reinterpret_cast<Version>(dlsym(library, "PMIx_Get_version"));
  // "OpenPMIx 4.2.2 (PMIx Standard: …)"
  std::string text = version == nullptr ? "" : version();
  dlclose(library);
  const auto begin = text.find_first_of("0123456789");
  if (begin == std::string::npos) return text;
  return text.substr(begin, text.find_first_of(" ,", begin) - begin);
}

int MpiFirstRankHere(Communicator& ranks) {
  const std::string here = HostKey();
  const std::vector<std::string> keys = ranks.AllGather(here);
  return static_cast<int>(std::find(keys.begin(), keys.end(), here) - keys.begin());
}

}  // namespace autodidact::collective
