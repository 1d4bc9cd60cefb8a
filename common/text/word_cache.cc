#include "text/word_cache.h"

#include <algorithm>

namespace autodidact::text {
namespace {

constexpr std::size_t kNumSlots = std::size_t{1} << 14;
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

}  // namespace

WordCache::WordCache() : slots_(kNumSlots) {}

std::span<const TokenId> WordCache::Find(std::string_view word, std::uint64_t hash) const {
  const Slot& slot = slots_[hash & (kNumSlots - 1)];
  if (slot.num_ids == 0 || slot.hash != hash || slot.word_length != word.size() ||
      std::string_view(words_).substr(slot.word_begin, slot.word_length) != word) {
    return {};
  }
  return {ids_.data() + slot.ids_begin, slot.num_ids};
}

void WordCache::Insert(std::string_view word, std::uint64_t hash, std::span<const TokenId> ids) {
  if (word.size() > kLongestWord || ids.empty() || ids.size() > UINT8_MAX) return;
  if (words_.size() + word.size() > kMostBytes || ids_.size() + ids.size() > kMostBytes) {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    words_.clear();
    ids_.clear();
  }
  slots_[hash & (kNumSlots - 1)] = {hash, static_cast<std::uint32_t>(words_.size()),
                                    static_cast<std::uint32_t>(ids_.size()), static_cast<std::uint8_t>(word.size()),
                                    static_cast<std::uint8_t>(ids.size())};
  words_ += word;
  ids_.insert(ids_.end(), ids.begin(), ids.end());
}

}  // namespace autodidact::text
