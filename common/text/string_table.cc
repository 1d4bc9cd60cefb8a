#include "text/string_table.h"

#include <bit>

#include "base/check.h"

namespace autodidact::text {
namespace {

// At most half full, so that a search ends soon, and always ends.
std::size_t TableSize(std::size_t num_entries) {
  return std::bit_ceil(2 * num_entries + 2);
}

}  // namespace

StringTable::StringTable(std::size_t num_strings) : slots_(TableSize(num_strings)), mask_(TableSize(num_strings) - 1) {}

bool StringTable::Insert(std::string_view string, TokenId id) {
  AD_CHECK(bytes_.size() + string.size() <= UINT32_MAX, "the vocabulary is larger than 4 GiB");
  const std::uint64_t hash = HashBytes(string);
  std::size_t i = hash & mask_;
  for (; slots_[i].id != kNoToken; i = (i + 1) & mask_) {
    const Slot& slot = slots_[i];
    if (slot.hash == static_cast<std::uint32_t>(hash) &&
        std::string_view(bytes_).substr(slot.offset, slot.length) == string) {
      return false;
    }
  }
  slots_[i] = {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(string.size()),
               static_cast<std::uint32_t>(bytes_.size()), id};
  bytes_ += string;
  return true;
}

MergeTable::MergeTable(std::size_t num_merges) : slots_(TableSize(num_merges)), mask_(TableSize(num_merges) - 1) {}

void MergeTable::Insert(TokenId left, TokenId right, Merge merge) {
  const std::uint64_t key = Key(left, right);
  std::size_t i = Hash(key) & mask_;
  while (slots_[i].key != kEmpty && slots_[i].key != key) i = (i + 1) & mask_;
  slots_[i] = {key, merge};
}

}  // namespace autodidact::text
