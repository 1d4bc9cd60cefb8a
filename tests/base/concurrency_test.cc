#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/guarded.h"

namespace autodidact::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(BoundedQueueTest, GivesEveryItemOnceAcrossThreads) {
  BoundedQueue<int> queue(4);
  constexpr int kItems = 2000;
  std::vector<std::thread> producers;
  for (int p = 0; p < 2; ++p) {
    producers.emplace_back([&queue, p] {
      for (int i = p; i < kItems; i += 2) ASSERT_TRUE(queue.Push(i, Deadline::In(seconds(60))));
    });
  }
  std::vector<int> counts(kItems);
  for (int i = 0; i < kItems; ++i) ++counts[*queue.Pop(Deadline::In(seconds(60)))];
  for (auto& producer : producers) producer.join();
  for (int count : counts) EXPECT_EQ(count, 1);
}

TEST(BoundedQueueTest, RefusesWhenFullAndWhenClosed) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.TryPush(1));
  EXPECT_FALSE(queue.TryPush(2));
  EXPECT_FALSE(queue.Push(2, Deadline::In(milliseconds(1))));
  queue.Close();
  EXPECT_FALSE(queue.TryPush(3));
  EXPECT_EQ(queue.Pop(Deadline::In(seconds(60))), 1);
  EXPECT_EQ(queue.Pop(Deadline::In(seconds(60))), std::nullopt);
}

TEST(BoundedQueueTest, CloseWakesAWaitingConsumer) {
  BoundedQueue<int> queue(1);
  std::thread consumer([&] { EXPECT_EQ(queue.Pop(Deadline::In(seconds(60))), std::nullopt); });
  queue.Close();
  consumer.join();
}

TEST(GuardedTest, WaitUntilSeesAChangeByAnotherThread) {
  Guarded<int> value(0);
  std::thread changer([&] { value.With([](int& v) { v = 5; }); });
  EXPECT_TRUE(value.WaitUntil(Deadline::In(seconds(60)), [](int v) { return v == 5; }));
  changer.join();
  EXPECT_FALSE(value.WaitUntil(Deadline::In(milliseconds(1)), [](int v) { return v == 6; }));
}

}  // namespace
}  // namespace autodidact::base
