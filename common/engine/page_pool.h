// Which pages of the key-value cache are free. Numbers only; the decoders own the memory.
#pragma once

#include <cstdint>
#include <vector>

namespace autodidact::engine {

using PageId = std::int32_t;
// Tokens per page; the CPU kernels and the libtorch path share it.
constexpr std::int64_t kTokensPerPage = 16;

constexpr std::int64_t PagesFor(std::int64_t tokens) {
  return (tokens + kTokensPerPage - 1) / kTokensPerPage;
}

// Owned by the engine's thread.
class PagePool {
 public:
  explicit PagePool(std::int64_t num_pages);

  std::int64_t num_pages() const { return num_pages_; }
  std::int64_t num_free() const { return static_cast<std::int64_t>(free_.size()); }

  // The page freed last, so that the memory touched stays small. num_free() must not be 0.
  PageId Take();
  void Take(std::int64_t count, std::vector<PageId>& pages);  // appends
  // Takes all pages back and empties the list.
  void Return(std::vector<PageId>& pages);

 private:
  std::int64_t num_pages_;
  std::vector<PageId> free_;
};

}  // namespace autodidact::engine
