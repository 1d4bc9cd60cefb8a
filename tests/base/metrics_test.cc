#include "base/metrics.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace autodidact::base {
namespace {

TEST(MetricsTest, PrefixClashFindsANameThatIsAlsoAFolder) {
  EXPECT_EQ(PrefixClash({{"reward", 1}, {"reward/mean", 2}}), "reward");
  EXPECT_EQ(PrefixClash({{"reward", 1}, {"reward-x", 1}, {"reward_std", 2}, {"rewards/mean", 3}}), "");
  EXPECT_EQ(PrefixClash({{"a", 1}, {"a-b", 1}, {"a/b", 2}}), "a");
}

TEST(MetricAccumulatorTest, MeansAreWeighted) {
  MetricAccumulator accumulator;
  accumulator.Add("x", 1.0, 3.0);
  accumulator.Add("x", 5.0, 1.0);
  EXPECT_DOUBLE_EQ(accumulator.Means().at("x"), 2.0);
}

TEST(OutcomeTest, ValueOfAFailureIsABug) {
  const Outcome<int> failed = Failure{ErrorKind::kRetryLater, "busy"};
  try {
    failed.value();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBug);
    EXPECT_NE(error.message().find("busy"), std::string::npos);
  }
}

}  // namespace
}  // namespace autodidact::base
