#include "collective/facts.h"

// MPI's removed C++ interface would drag in its own library.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <dlfcn.h>
#include <link.h>
#include <mpi.h>

#include <array>
#include <string_view>

#include "base/check.h"
#include "collective/collective.h"

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

int MpiFirstRankHere() {
  MPI_Comm here = MPI_COMM_NULL;
  int first = MpiRank();
  AD_CHECK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, first, MPI_INFO_NULL, &here) == MPI_SUCCESS,
           "the ranks of this machine");
  MPI_Bcast(&first, 1, MPI_INT, 0, here);
  MPI_Comm_free(&here);
  return first;
}

}  // namespace autodidact::collective
