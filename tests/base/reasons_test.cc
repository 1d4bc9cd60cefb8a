#include "base/reasons.h"

#include <gtest/gtest.h>

namespace autodidact::base {
namespace {

TEST(ReasonsTest, ReasonsThatDifferInNumbersAreOneInTheWordsOfTheFirst) {
  Reasons reasons;
  EXPECT_EQ(reasons.Commonest(), "");
  for (const char* reason : {"late", "it has 12 tokens", "it has 7 tokens"}) reasons.Add(reason);
  EXPECT_EQ(reasons.total(), 3);
  EXPECT_EQ(reasons.Commonest(), "it has 12 tokens");
}

TEST(ReasonsTest, AddUp) {
  Reasons one, other;
  one.Add("late");
  for (int i = 0; i < 2; ++i) other.Add("gone");
  one.Add(other);
  EXPECT_EQ(one.total(), 3);
  EXPECT_EQ(one.Commonest(), "gone");
}

}  // namespace
}  // namespace autodidact::base
