#include "estimators/vote.h"

#include <gtest/gtest.h>

namespace autodidact::estimators {
namespace {

base::Outcome<bool> SameFirstLetter(const std::string& left, const std::string& right) {
  if (left == "?" || right == "?") return base::Failure{base::ErrorKind::kRetryLater, "not known"};
  return left.front() == right.front();
}

TEST(MajorityUnderTest, CountsClassesOfTheGivenEquality) {
  const auto reference = MajorityUnder(SameFirstLetter, answers::Extractor::kWholeText, {"x", "ab", "ac", "y", "ad"});
  ASSERT_TRUE(reference.ok());
  EXPECT_EQ(reference->text, "ab");
}

TEST(MajorityUnderTest, TiesGoToTheFirst) {
  EXPECT_EQ(MajorityUnder(SameFirstLetter, answers::Extractor::kWholeText, {"b", "a", "", "a1", "b1"})->text, "b");
}

TEST(MajorityUnderTest, AComparisonThatFailsIsNoVoteForAnother) {
  const auto reference = MajorityUnder(SameFirstLetter, answers::Extractor::kWholeText, {"a", "?", "b", "b"});
  ASSERT_FALSE(reference.ok());
  EXPECT_EQ(reference.failure().kind, base::ErrorKind::kRetryLater);
  EXPECT_FALSE(MajorityUnder(SameFirstLetter, answers::Extractor::kBoxed, {"a"}).ok());
}

}  // namespace
}  // namespace autodidact::estimators
