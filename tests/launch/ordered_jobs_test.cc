#include "launch/commands/ordered_jobs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <vector>

namespace autodidact::launch {
namespace {

// The most jobs that ran at once, of many that give way to each other.
int MostAtOnce(std::size_t limit) {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::vector<int> taken;
  OrderedJobs<int> jobs(limit, [&](int result) { taken.push_back(result); });
  for (int i = 0; i < 100; ++i) {
    jobs.Add([&, i] {
      const int now = ++running;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
      for (int turn = 0; turn < 20; ++turn) std::this_thread::yield();
      --running;
      return i;
    });
  }
  jobs.Finish();
  EXPECT_EQ(taken.size(), 100u);
  EXPECT_TRUE(std::is_sorted(taken.begin(), taken.end()));
  return most;
}

TEST(OrderedJobsTest, OneAtATimeIsOneAtATime) {
  EXPECT_EQ(MostAtOnce(1), 1);
}

TEST(OrderedJobsTest, NoMoreRunAtOnceThanAreAllowed) {
  EXPECT_LE(MostAtOnce(3), 3);
}

TEST(OrderedJobsTest, AResultIsTakenBeforeTheNextJobIsThere) {
  std::atomic<int> taken{0};
  OrderedJobs<int> jobs(1, [&](int) {
    ++taken;
    taken.notify_all();
  });
  jobs.Add([] { return 1; });
  taken.wait(0);
  jobs.Add([] { return 2; });
  taken.wait(1);
  EXPECT_EQ(taken, 2);
}

}  // namespace
}  // namespace autodidact::launch
