#include "base/rng.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

namespace autodidact::base {
namespace {

// Known-answer vectors of the Random123 distribution (kat_vectors, philox4x32 10 rounds).
TEST(PhiloxTest, GivesThePublishedVectors) {
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomKeyTest, EveryPartOfTheKeyChangesTheDraw) {
  const RandomKey key{.seed = 1, .stream = RandomStream::kRollout, .item = 2, .sub = 3};
  std::set<std::uint64_t> draws = {BitsAt(key, 4)};
  draws.insert(BitsAt({.seed = 9, .stream = key.stream, .item = 2, .sub = 3}, 4));
  draws.insert(BitsAt({.seed = 1, .stream = RandomStream::kEval, .item = 2, .sub = 3}, 4));
  draws.insert(BitsAt({.seed = 1, .stream = key.stream, .item = 2ull << 32, .sub = 3}, 4));
  draws.insert(BitsAt({.seed = 1, .stream = key.stream, .item = 2, .sub = 4}, 4));
  draws.insert(BitsAt(key, 5));
  EXPECT_EQ(draws.size(), 6u);
}

TEST(RandomWalkTest, UniformHasTheMomentsOfTheUniformDistribution) {
  RandomWalk walk({.seed = 5});
  double sum = 0, squares = 0;
  const int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double x = walk.Uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(squares / n, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / n));
}

TEST(RandomWalkTest, NormalHasMeanZeroAndVarianceOne) {
  RandomWalk walk({.seed = 6});
  double sum = 0, squares = 0;
  const int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double x = walk.Normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / n, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0, 5 * std::sqrt(2.0 / n));
}

TEST(RandomWalkTest, BelowReachesEveryValueAndNoOther) {
  RandomWalk walk({.seed = 7});
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(walk.Below(7));
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(*seen.rbegin(), 6u);
}

TEST(ShuffleTest, EveryOrderIsEquallyLikely) {
  RandomWalk walk({.seed = 8});
  std::map<std::vector<int>, int> seen;
  const int n = 60000;
  for (int i = 0; i < n; ++i) {
    std::vector<int> values = {1, 2, 3, 4};
    Shuffle(values, walk);
    ++seen[values];
  }
  ASSERT_EQ(seen.size(), 24u);
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, n / 24.0, 5 * std::sqrt(n / 24.0));
}

}  // namespace
}  // namespace autodidact::base
