#include "base/rng.h"

#include <cmath>
#include <numbers>

namespace autodidact::base {
namespace {

std::array<std::uint32_t, 4> BlockAt(const RandomKey& key, std::uint32_t position) {
  // The stream and the upper half of the item are folded into the Philox key, so the counter holds item, sub, position.
  const std::uint64_t mixed = key.seed ^ (static_cast<std::uint64_t>(key.stream) * 0x9E3779B97F4A7C15ull);
  return Philox({position, key.sub, static_cast<std::uint32_t>(key.item), static_cast<std::uint32_t>(key.item >> 32)},
                {static_cast<std::uint32_t>(mixed), static_cast<std::uint32_t>(mixed >> 32)});
}

}  // namespace

std::array<std::uint32_t, 4> Philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = 0xD2511F53ull * counter[0];
    const std::uint64_t product1 = 0xCD9E8D57ull * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

float UniformAt(const RandomKey& key, std::uint32_t position) {
  return static_cast<float>(BlockAt(key, position)[0] >> 8) * 0x1p-24f;
}

std::uint64_t BitsAt(const RandomKey& key, std::uint32_t position) {
  const auto block = BlockAt(key, position);
  return block[0] | static_cast<std::uint64_t>(block[1]) << 32;
}

double RandomWalk::Normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - static_cast<double>(Uniform())));
  return radius * std::cos(2.0 * std::numbers::pi * static_cast<double>(Uniform()));
}

std::uint64_t RandomWalk::Below(std::uint64_t bound) {
  // Multiply-shift on 64 bits: the bias is below 2^-32 for any bound that occurs here.
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(Bits()) * bound) >> 64);
}

}  // namespace autodidact::base
