#include "data/durable.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/fault.h"
#include "base/format.h"

namespace autodidact::data {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Fail(const char* doing, const fs::path& path) {
  throw fs::filesystem_error(doing, path, std::error_code(errno, std::generic_category()));
}

void Sync(const fs::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (descriptor < 0) Fail("cannot be opened to flush it", path);
  const int result = base::FaultFails("data.fsync") ? -1 : ::fsync(descriptor);
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  // Some file systems have nothing to flush for a folder, and say so.
  if (result != 0 && !(errno == EINVAL && (flags & O_DIRECTORY) != 0)) Fail("cannot be flushed to the disk", path);
}

}  // namespace

void SyncFolder(const fs::path& folder) {
  Sync(folder, O_DIRECTORY);
}

void SyncTree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_symlink()) continue;
    if (entry.is_regular_file()) Sync(entry.path(), 0);
    if (entry.is_directory()) SyncFolder(entry.path());
  }
  SyncFolder(folder);
}

void ExchangeOrRename(const fs::path& from, const fs::path& to) {
  if (base::FaultFails("data.rename")) Fail("cannot be put in its place", from);
  if (!fs::exists(fs::symlink_status(to))) return fs::rename(from, to);
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) Fail("cannot be put in its place", from);
  fs::path aside = from;
  aside += ".old";
  fs::rename(to, aside);
  fs::rename(from, to);
  fs::rename(aside, from);
}

bool HoldsAnything(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error)) &&
         !std::filesystem::is_empty(path, error);
}

std::uint64_t FreeBytes(const fs::path& path) {
  fs::path there = fs::absolute(path);
  while (!fs::exists(there) && there.has_relative_path()) there = there.parent_path();
  return fs::space(there).available;
}

std::uint64_t SizeOf(const fs::path& path) {
  if (!fs::exists(fs::symlink_status(path))) return 0;
  if (fs::is_regular_file(fs::symlink_status(path))) return fs::file_size(path);
  if (!fs::is_directory(fs::symlink_status(path))) return 0;
  std::uint64_t size = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file() && !entry.is_symlink()) size += entry.file_size();
  }
  return size;
}

std::string SizeText(std::uint64_t bytes) {
  const auto mib = static_cast<double>(bytes) / (1 << 20);
  return mib < 1024 ? base::Format("{:.1f} MiB", mib) : base::Format("{:.1f} GiB", mib / 1024);
}

}  // namespace autodidact::data
