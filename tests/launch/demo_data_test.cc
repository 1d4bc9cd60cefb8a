#include "launch/commands/demo_data.h"

#include <gtest/gtest.h>

namespace autodidact::launch {
namespace {

TEST(DemoDataTest, ALetterAfterAVowelIsSpelledByItsOtherName) {
  EXPECT_EQ(SpellWord("banaabe"), (std::vector<std::string>{"bob", "adam", "nina", "adam", "anna", "bea", "erik"}));
}

TEST(DemoDataTest, WordsDependOnTheWalkAlone) {
  base::RandomWalk one({.seed = 4}), two({.seed = 4});
  for (int i = 0; i < 100; ++i) {
    const std::string word = MakeWord(one);
    EXPECT_EQ(std::ssize(word), kWordLength);
    EXPECT_EQ(word, MakeWord(two));
  }
}

}  // namespace
}  // namespace autodidact::launch
