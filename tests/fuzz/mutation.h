// Inputs for fuzz targets: seeds, and seeds that were changed at random, the same in every run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"

namespace autodidact::fuzz {

// Lengths and places stay small enough that an input has something of its seed left.
inline void Change(std::string& bytes, const std::vector<std::string>& seeds, const std::vector<std::string>& words,
                   base::RandomWalk& walk) {
  const std::size_t at = walk.Below(bytes.size() + 1);
  const std::size_t length = std::min<std::size_t>(walk.Below(16), bytes.size() - at);
  switch (walk.Below(7)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << walk.Below(8)));
      break;
    case 1:
      if (at < bytes.size()) bytes[at] = static_cast<char>(walk.Below(256));
      break;
    case 2:
      bytes.erase(at, length);
      break;
    case 3:
      bytes.insert(at, bytes.substr(at, length));
      break;
    case 4: {
      const std::string& other = seeds[walk.Below(seeds.size())];
      bytes = bytes.substr(0, at) + other.substr(std::min(other.size(), at));
      break;
    }
    case 5:
      bytes.resize(at);
      break;
    default:
      if (!words.empty()) bytes.insert(at, words[walk.Below(words.size())]);
  }
}

// Input number `i`: first the seeds, then changed ones, made of seeds and `words`.
inline std::string Input(const std::vector<std::string>& seeds, const std::vector<std::string>& words,
                         std::uint64_t i) {
  if (i < seeds.size()) return seeds[i];
  base::RandomWalk walk({i, base::RandomStream::kTest, 0, 0});
  std::string bytes = seeds[walk.Below(seeds.size())];
  for (std::uint64_t n = 1 + walk.Below(6); n > 0; --n) Change(bytes, seeds, words, walk);
  return bytes;
}

}  // namespace autodidact::fuzz
