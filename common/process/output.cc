#include "process/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "base/write.h"

namespace autodidact::process {

namespace fs = std::filesystem;

namespace {

constexpr const char* kPartial = ".partial";

// Whether both are one file, by whatever names.
bool IsSame(const fs::path& left, const fs::path& right) {
  std::error_code error;
  if (fs::equivalent(left, right, error)) return true;
  const fs::path a = fs::weakly_canonical(fs::absolute(left), error);
  const fs::path b = fs::weakly_canonical(fs::absolute(right), error);
  return !error && a == b;
}

bool IsRegular(const struct stat& status) {
  return S_ISREG(status.st_mode);
}

bool IsSame(const struct stat& left, const struct stat& right) {
  return left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

// The files that a path stands for: itself, or what is in the folder.
std::vector<fs::path> FilesOf(const fs::path& path) {
  std::vector<fs::path> files = {path};
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(path, none)) files.push_back(entry.path());
  return files;
}

void RequireWritable(const std::string& name, const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::string why;
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    why = "there is no folder " + folder.string();
  } else if (fs::is_directory(file, ignored) || !file.has_filename()) {
    why = "it is a folder";
  } else if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    why = base::Format("its folder {}: {}", folder.string(), std::strerror(errno));
  }
  if (!why.empty()) {
    base::ThrowBadInput(
        base::Format("{} {}: cannot be written: {}; name a file in a folder that is there", name, file.string(), why));
  }
}

void RequireUnread(const std::string& name, const fs::path& output, const NamedPaths& inputs) {
  for (const auto& [key, path] : inputs) {
    if (path.empty()) continue;
    for (const fs::path& file : FilesOf(path)) {
      for (const fs::path& written : {output, fs::path(output.string() + kPartial)}) {
        if (!IsSame(written, file)) continue;
        base::ThrowBadInput(base::Format("{} {}: would write over {}, which is read ({}: {}); name another file", name,
                                         output.string(), file.string(), key, path.string()));
      }
    }
  }
}

}  // namespace

void RequireOutputs(const NamedPaths& outputs, const NamedPaths& inputs) {
  for (auto output = outputs.begin(); output != outputs.end(); ++output) {
    const auto& [name, file] = *output;
    if (file.empty()) continue;
    std::error_code ignored;
    const fs::file_status status = fs::status(file, ignored);
    if (fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status)) continue;  // a device, a pipe
    RequireWritable(name, file);
    RequireUnread(name, file, inputs);
    for (auto other = outputs.begin(); other != output; ++other) {
      if (other->second.empty() || !IsSame(other->second, file)) continue;
      base::ThrowBadInput(base::Format("{} {}: is the same file as {} {}; name two", name, file.string(), other->first,
                                       other->second.string()));
    }
  }
  struct stat standard_output {};
  if (::fstat(STDOUT_FILENO, &standard_output) != 0 || !IsRegular(standard_output)) return;
  for (const auto& [key, path] : inputs) {
    for (const fs::path& file : FilesOf(path)) {
      struct stat read {};
      if (path.empty() || ::stat(file.c_str(), &read) != 0 || !IsSame(read, standard_output)) continue;
      base::ThrowBadInput(base::Format("standard output is {}, which is read ({}: {}); write into another file",
                                       file.string(), key, path.string()));
    }
  }
}

void RequireInputApart() {
  struct stat input {};
  struct stat output {};
  if (::fstat(STDIN_FILENO, &input) != 0 || ::fstat(STDOUT_FILENO, &output) != 0) return;
  if (!IsRegular(input) || !IsSame(input, output)) return;
  base::ThrowBadInput("standard output is the file that standard input is read from; write into another file");
}

Output::Output(const fs::path& file) : file_(file) {
  if (file_.empty()) {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  std::error_code ignored;
  if (fs::is_symlink(file_, ignored) && fs::exists(file_, ignored)) file_ = fs::canonical(file_);
  const fs::file_status status = fs::status(file_, ignored);
  if (!fs::exists(status) || fs::is_regular_file(status)) partial_ = file_.string() + kPartial;
  const fs::path& opened = partial_.empty() ? file_ : partial_;
  descriptor_ = ::open(opened.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    base::ThrowBadInput(base::Format("{}: cannot be written: {}", opened.string(), std::strerror(errno)));
  }
}

Output::~Output() {
  if (!file_.empty() && descriptor_ >= 0) ::close(descriptor_);
}

void Output::Write(std::string_view text) {
  base::WriteAll(descriptor_, text, file_.empty() ? "standard output" : file_.string());
}

void Output::Finish() {
  if (file_.empty()) return;
  const auto fail = [&](const std::string& why) {
    throw base::Error(base::ErrorKind::kRetryLater, base::Format("{}: cannot be written: {}", file_.string(), why));
  };
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(std::strerror(errno));
  std::error_code error;
  if (base::FaultFails("process.output.rename")) {
    error = std::error_code(errno, std::generic_category());
  } else if (!partial_.empty()) {
    fs::rename(partial_, file_, error);
  }
  if (error) fail(error.message());
}

}  // namespace autodidact::process
