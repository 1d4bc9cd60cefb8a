// Remembers the ids of words that were split before. Fixed memory: a new word takes the place of an older one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace autodidact::text {

// One thread.
class WordCache {
 public:
  WordCache();

  // The word's ids, valid until the next Insert; empty when it is not here.
  std::span<const TokenId> Find(std::string_view word, std::uint64_t hash) const;
  // Words longer than kLongestWord bytes are not kept.
  void Insert(std::string_view word, std::uint64_t hash, std::span<const TokenId> ids);

  static constexpr std::size_t kLongestWord = 48;

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t word_begin = 0;
    std::uint32_t ids_begin = 0;
    std::uint8_t word_length = 0;
    std::uint8_t num_ids = 0;  // 0: empty
  };

  std::vector<Slot> slots_;
  std::string words_;
  std::vector<TokenId> ids_;
};

}  // namespace autodidact::text
