// What the system allows this process to hold.
#pragma once

#include <cstdint>

namespace autodidact::process {

// Of one resource; kUnlimited where there is none.
struct Limit {
  static constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};
  std::uint64_t soft = 0;  // what holds
  std::uint64_t hard = 0;  // how far the process may raise it

  bool operator==(const Limit&) const = default;
};

Limit OpenFiles();     // descriptors: files and connections
Limit LockedMemory();  // bytes

// Raises the limit of open descriptors of this process, and of what it starts, to the hard one, or to as many as a
// program may walk through one by one (2^20). Never lowers it. Returns what holds afterwards.
Limit RaiseOpenFiles();

}  // namespace autodidact::process
