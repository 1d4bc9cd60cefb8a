#include "process/limits.h"

#include <sys/resource.h>

#include <algorithm>

namespace autodidact::process {
namespace {

constexpr std::uint64_t kMostFiles = std::uint64_t{1} << 20;

std::uint64_t CountOf(rlim_t value) {
  return value == RLIM_INFINITY ? Limit::kUnlimited : std::uint64_t{value};
}

Limit LimitOf(__rlimit_resource resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return {};
  return {CountOf(limit.rlim_cur), CountOf(limit.rlim_max)};
}

}  // namespace

Limit OpenFiles() {
  return LimitOf(RLIMIT_NOFILE);
}

Limit LockedMemory() {
  return LimitOf(RLIMIT_MEMLOCK);
}

Limit RaiseOpenFiles() {
  const Limit limit = OpenFiles();
  const std::uint64_t wanted = std::min(limit.hard, kMostFiles);
  if (wanted <= limit.soft) return limit;
  const rlimit raised{.rlim_cur = wanted,
                      .rlim_max = limit.hard == Limit::kUnlimited ? RLIM_INFINITY : rlim_t{limit.hard}};
  // Refused where a container's rules are narrower than its limits: what held goes on to hold.
  setrlimit(RLIMIT_NOFILE, &raised);
  return OpenFiles();
}

}  // namespace autodidact::process
