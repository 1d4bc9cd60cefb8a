#include "tests/paths.h"

#include <cstdlib>

namespace autodidact::tests {

std::filesystem::path SourceFolder() {
  return AUTODIDACT_SOURCE_DIR;
}

std::filesystem::path DataFolder() {
  const char* given = std::getenv("AUTODIDACT_DATA");
  return given != nullptr ? std::filesystem::path(given) : SourceFolder() / "../shared/data";
}

std::filesystem::path CasesFolder() {
  const char* given = std::getenv("AUTODIDACT_CASES");
  return given != nullptr ? std::filesystem::path(given) : SourceFolder() / "../shared/cases";
}

std::filesystem::path ProgramFile() {
  return AUTODIDACT_BINARY;
}

}  // namespace autodidact::tests
