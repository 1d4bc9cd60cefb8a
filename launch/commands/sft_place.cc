#include "launch/commands/sft_place.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "json/json.h"
#include "learner/checkpoint.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

bool HoldsAnything(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error)) && !(fs::is_directory(path, error) && fs::is_empty(path, error));
}

constexpr const char* kMarker = "sft.yaml";
constexpr const char* kLock = "lock";

bool IsOfSft(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(fs::symlink_status(folder / kMarker, error));
}

bool IsBelow(const fs::path& path, const fs::path& folder) {
  const fs::path whole = fs::weakly_canonical(path);
  const fs::path root = fs::weakly_canonical(folder);
  return std::mismatch(root.begin(), root.end(), whole.begin(), whole.end()).first == root.end();
}

void RequireUnread(const SftConfig& config, const fs::path& output) {
  std::vector<std::pair<std::string, std::string>> reads = {
      {"model", config.model}, {"eval_data", config.eval_data}, {"reconcile.prompts", config.reconcile.prompts}};
  for (const SftSource& source : config.data) reads.emplace_back("data.file", source.file);
  for (const auto& [key, path] : reads) {
    if (path.empty() || !IsBelow(path, output)) continue;
    base::ThrowBadInput(base::Format("output: {} would be replaced, and {} ({}) is read from it: name another folder",
                                     output.string(), key, path));
  }
}

}  // namespace

SftPlace::SftPlace(const SftConfig& config, SftStart start) : output_(fs::absolute(config.output).lexically_normal()) {
  if (!output_.has_filename()) output_ = output_.parent_path();
  partial_ = output_.string() + ".partial";
  RequireUnread(config, output_);
  RequireUnread(config, partial_);
  const bool begun = HoldsAnything(partial_);
  if (begun && !IsOfSft(partial_)) {
    base::ThrowBadInput(
        base::Format("output: {} is where a training is kept until it is done, and holds something "
                     "else: move it away, or name another output",
                     partial_.string()));
  }
  if (begun) Lock();
  if (begun && start != SftStart::kOverwrite) checkpoint_ = learner::FindCheckpoint(partial_ / "checkpoints");
  if (checkpoint_ && start == SftStart::kFresh) {
    base::ThrowBadInput(
        base::Format("output: {} holds a training that has begun: go on with it by --resume, or begin "
                     "anew by --overwrite",
                     partial_.string()));
  }
  if (!HoldsAnything(output_)) return;
  if (!IsOfSft(output_)) {
    base::ThrowBadInput(
        base::Format("output: {} holds something that sft did not write: name another folder", output_.string()));
  }
  if (start == SftStart::kFresh || (start == SftStart::kResume && !checkpoint_)) {
    base::ThrowBadInput(
        base::Format("output: {} holds a model already: name another folder, or replace it by "
                     "--overwrite",
                     output_.string()));
  }
}

SftPlace::~SftPlace() {
  std::error_code ignored;
  if (opened_ && !fs::exists(partial_ / "checkpoints", ignored)) fs::remove_all(partial_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

void SftPlace::Lock() {
  if (lock_ >= 0) return;
  lock_ = ::open((partial_ / kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  // A file system without locks is no reason not to train.
  if (lock_ < 0 || ::flock(lock_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  throw base::Error(base::ErrorKind::kRetryLater,
                    base::Format("output: another process writes to {}: wait for it, end it, or name another output",
                                 partial_.string()));
}

void SftPlace::Open(const std::string& config) {
  try {
    fs::create_directories(partial_);
    Lock();
    if (checkpoint_) return;
    for (const auto& entry : fs::directory_iterator(partial_)) {
      if (entry.path().filename() != kLock) fs::remove_all(entry.path());
    }
    json::WriteFile(partial_ / kMarker, config);
    opened_ = true;
  } catch (const fs::filesystem_error& error) {
    base::ThrowBadInput(base::Format("output: {}: cannot be prepared: {}", partial_.string(), error.code().message()));
  }
}

void SftPlace::Publish(const fs::path& made) {
  try {
    base::FaultPoint("sft.output");
    if (HoldsAnything(output_)) fs::rename(output_, partial_ / "replaced");
    fs::rename(made, output_);
    fs::remove_all(partial_);
  } catch (const fs::filesystem_error& error) {
    throw base::Error(base::ErrorKind::kRetryLater,
                      base::Format("{}: cannot be written: {}; --resume goes on from the last checkpoint",
                                   output_.string(), error.code().message()));
  }
}

}  // namespace autodidact::launch
