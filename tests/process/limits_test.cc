#include "process/limits.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace autodidact::process {
namespace {

// Of this process: each test runs as a process of its own, or leaves the limit as it was.
class LimitsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0); }
  void TearDown() override { setrlimit(RLIMIT_NOFILE, &before_); }

  void Allow(rlim_t soft) const {
    const rlimit limit{.rlim_cur = soft, .rlim_max = before_.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

  rlimit before_{};
};

TEST_F(LimitsTest, OpenFilesAreRaisedToWhatIsAllowed) {
  Allow(64);
  EXPECT_EQ(OpenFiles().soft, 64U);
  const Limit raised = RaiseOpenFiles();
  EXPECT_EQ(raised, OpenFiles());
  EXPECT_EQ(raised.soft, std::min<std::uint64_t>(raised.hard, 1U << 20));
  const int high = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 200);
  EXPECT_GE(high, 200);
  close(high);
}

TEST_F(LimitsTest, AHigherLimitIsNeverLowered) {
  RaiseOpenFiles();
  const Limit once = OpenFiles();
  EXPECT_EQ(RaiseOpenFiles(), once);
  Allow(before_.rlim_max);
  const Limit highest = OpenFiles();
  EXPECT_EQ(RaiseOpenFiles(), highest);
}

TEST_F(LimitsTest, NoLimitIsUnlimited) {
  const Limit locked = LockedMemory();
  EXPECT_LE(locked.soft, locked.hard);
}

}  // namespace
}  // namespace autodidact::process
