#include "engine/page_pool.h"

#include "base/check.h"

namespace autodidact::engine {

PagePool::PagePool(std::int64_t num_pages) : num_pages_(num_pages) {
  free_.reserve(static_cast<std::size_t>(num_pages));
  for (std::int64_t page = num_pages - 1; page >= 0; --page) free_.push_back(static_cast<PageId>(page));
}

PageId PagePool::Take() {
  AD_CHECK(!free_.empty(), "the cache of {} pages is full", num_pages_);
  const PageId page = free_.back();
  free_.pop_back();
  return page;
}

void PagePool::Take(std::int64_t count, std::vector<PageId>& pages) {
  for (std::int64_t i = 0; i < count; ++i) pages.push_back(Take());
}

void PagePool::Return(std::vector<PageId>& pages) {
  free_.insert(free_.end(), pages.rbegin(), pages.rend());
  pages.clear();
}

}  // namespace autodidact::engine
