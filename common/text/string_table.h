// Hash maps of the hot loops: from bytes to token ids, and from a pair of ids to their merge. Lookups never allocate.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace autodidact::text {

inline constexpr TokenId kNoToken = -1;

inline std::uint64_t HashBytes(std::string_view bytes) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ull;
  std::uint64_t hash = bytes.size() * kMultiplier;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  const auto mix = [&hash](std::uint64_t chunk) {
    hash = (hash ^ chunk) * kMultiplier;
    hash ^= hash >> 29;
  };
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t chunk;
    std::memcpy(&chunk, at, 8);
    mix(chunk);
  }
  if (left > 0) {
    std::uint64_t chunk = 0;
    for (std::size_t i = 0; i < left; ++i)
      chunk |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << 8 * i;
    mix(chunk);
  }
  return hash ^ hash >> 32;
}

// Bytes to ids. Built once, then immutable and thread-safe.
class StringTable {
 public:
  explicit StringTable(std::size_t num_strings = 0);

  // False, with nothing changed, when the string is there already. At most num_strings insertions.
  bool Insert(std::string_view string, TokenId id);

  TokenId Find(std::string_view string) const {
    const std::uint64_t hash = HashBytes(string);
    for (std::size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.id == kNoToken) return kNoToken;
      if (slot.hash == static_cast<std::uint32_t>(hash) && slot.length == string.size() &&
          std::memcmp(bytes_.data() + slot.offset, string.data(), string.size()) == 0) {
        return slot.id;
      }
    }
  }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t length = 0;
    std::uint32_t offset = 0;
    TokenId id = kNoToken;
  };

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  std::string bytes_;
};

struct Merge {
  std::uint32_t rank = 0;
  TokenId id = kNoToken;  // kNoToken: the pair does not merge
};

// Pairs of ids to merges. Built once, then immutable and thread-safe.
class MergeTable {
 public:
  explicit MergeTable(std::size_t num_merges = 0);

  // A pair given twice keeps its last merge, as in `tokenizers`.
  void Insert(TokenId left, TokenId right, Merge merge);

  Merge Find(TokenId left, TokenId right) const {
    const std::uint64_t key = Key(left, right);
    for (std::size_t i = Hash(key) & mask_;; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.key == key) return slot.merge;
      if (slot.key == kEmpty) return {};
    }
  }

 private:
  static constexpr std::uint64_t kEmpty = ~0ull;
  struct Slot {
    std::uint64_t key = kEmpty;
    Merge merge;
  };

  static std::uint64_t Key(TokenId left, TokenId right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
  }
  static std::size_t Hash(std::uint64_t key) {
    key *= 0x9E3779B97F4A7C15ull;
    return static_cast<std::size_t>(key ^ key >> 32);
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

}  // namespace autodidact::text
