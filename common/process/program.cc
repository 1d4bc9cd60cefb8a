#include "process/program.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"

namespace autodidact::process {

std::string ProgramFile(const std::string& called) {
  namespace fs = std::filesystem;
  if (called.find('/') != std::string::npos) return fs::absolute(called).lexically_normal().string();
  const char* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "" : path;
  while (!folders.empty()) {
    const auto colon = folders.find(':');
    const fs::path file = fs::path(folders.substr(0, colon)) / called;
    if (fs::is_regular_file(file) && access(file.c_str(), X_OK) == 0) {
      return fs::absolute(file).lexically_normal().string();
    }
    folders = colon == std::string::npos ? "" : folders.substr(colon + 1);
  }
  base::ThrowBadInput("process: the program " + called + " is not on the PATH");
}

}  // namespace autodidact::process
