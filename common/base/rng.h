// Counter-based random numbers: what is drawn depends on the key and the counter alone, never on what was drawn before.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace autodidact::base {

// The Philox4x32-10 block function (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
// 128 random bits from a 128-bit counter and a 64-bit key.
std::array<std::uint32_t, 4> Philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// What a stream of numbers is for; one purpose never shares numbers with another.
enum class RandomStream : std::uint32_t {
  kRollout = 1,    // tokens of rollouts
  kSynthesis = 2,  // tokens of syntheses
  kShuffle = 3,    // order of the data
  kInit = 4,       // initial weights
  kSft = 5,        // supervised training: which rows, which candidates
  kEval = 6,       // evaluation, bootstrap
  kJudge = 7,
  kTest = 8,
  kRubric = 9,  // tokens of rubrics
};

// Names one sequence of draws: for a rollout, `item` is the ticket and `sub` the rollout's index in its group.
struct RandomKey {
  std::uint64_t seed = 0;
  RandomStream stream = RandomStream::kTest;
  std::uint64_t item = 0;
  std::uint32_t sub = 0;
};

// The draw at `position` (a token's place, say) of the key's sequence. Pure; 24 random bits.
float UniformAt(const RandomKey& key, std::uint32_t position);  // in [0, 1)
std::uint64_t BitsAt(const RandomKey& key, std::uint32_t position);

// Walks a key's positions 0, 1, 2, …; a copy walks on independently. One thread.
class RandomWalk {
 public:
  explicit RandomWalk(RandomKey key) : key_(key) {}

  std::uint64_t Bits() { return BitsAt(key_, position_++); }
  float Uniform() { return UniformAt(key_, position_++); }
  double Normal();                           // standard normal (Box–Muller)
  std::uint64_t Below(std::uint64_t bound);  // uniform in [0, bound), bound > 0

 private:
  RandomKey key_;
  std::uint32_t position_ = 0;
};

// Every order is equally likely (Fisher and Yates); takes values.size() - 1 draws.
template <typename Value>
void Shuffle(std::vector<Value>& values, RandomWalk& walk) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[walk.Below(i)]);
}

}  // namespace autodidact::base
