#include "base/wait_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/log_lines.h"

namespace autodidact::base {
namespace {

// A wait by which nothing has come until it is asked for the `comes`th time; it does not block.
struct Wait {
  int comes = 0;
  mutable int asked = 0;

  bool operator()(Deadline /*until*/) const { return ++asked >= comes; }
};

std::string What() {
  return "the bus";
}

TEST(WaitToldTest, AShortWaitIsNotTold) {
  const tests::LogLines log;
  const Wait wait{.comes = 1};
  EXPECT_TRUE(WaitTold(Deadline::In(std::chrono::hours(1)), What, wait));
  EXPECT_EQ(wait.asked, 1);
  EXPECT_EQ(log.text(), "");
}

TEST(WaitToldTest, ALongOneIsToldWhileItLastsAndWhenItEnds) {
  const tests::LogLines log;
  const Wait wait{.comes = 2};
  EXPECT_TRUE(WaitTold(Deadline::In(std::chrono::hours(1)), What, wait));
  EXPECT_THAT(log.text(), testing::ContainsRegex("waits for the bus\n.*waited 0.. s for the bus\n"));
}

TEST(WaitToldTest, OneWithoutSuccessSaysSo) {
  const tests::LogLines log;
  EXPECT_FALSE(WaitTold(Deadline::In(std::chrono::hours(1)), What, Wait{.comes = 3}));
  EXPECT_THAT(log.text(), testing::HasSubstr("waited in vain 0.0 s for the bus\n"));
}

TEST(WaitToldTest, TheDeadlineOfAShortOneIsKept) {
  std::vector<Deadline> asked;
  const auto now = Deadline::In(std::chrono::hours(0));
  EXPECT_FALSE(WaitTold(now, What, [&](Deadline until) {
    asked.push_back(until);
    return false;
  }));
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].at(), now.at());
}

}  // namespace
}  // namespace autodidact::base
