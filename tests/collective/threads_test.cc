#include <thread>

#include "tests/collective/communicator_suite.h"

namespace autodidact::collective {
namespace {

template <int kSize>
struct Threads {
  template <class Fn>
  static void Run(int timeout_ms, Fn fn) {
    auto group = MakeThreadGroup(kSize, std::chrono::milliseconds(timeout_ms));
    std::vector<std::thread> threads;
    for (auto& communicator : group) threads.emplace_back([&fn, &communicator] { fn(*communicator); });
    for (auto& thread : threads) thread.join();
  }
  static void StayAway() {}
};

using Backends = testing::Types<Threads<2>, Threads<3>, Threads<5>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Threads, CommunicatorTest, Backends);

TEST(SpawnRanksTest, FirstExceptionIsThrownAgainAndNobodyWaitsForTheFailed) {
  try {
    SpawnRanks(3, [](Communicator& group) {
      if (group.rank() == 2) base::ThrowBadInput("rank 2 cannot");
      group.Barrier();
    });
    ADD_FAILURE();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(),
                testing::AnyOf(testing::HasSubstr("rank 2 cannot"), testing::HasSubstr("rank 2 has left the group")));
  }
}

TEST(SpawnRanksTest, EveryRankRunsOnce) {
  std::atomic<int> ranks{0};
  SpawnRanks(4, [&](Communicator& group) { ranks += 1 << (4 * group.rank()); });
  EXPECT_EQ(ranks, 0x1111);
}

TEST(SingleTest, OperationsLeaveValuesAsTheyAre) {
  const auto single = MakeSingle();
  EXPECT_EQ(single->size(), 1);
  at::Tensor values = ValuesOf(0, 10, at::kFloat);
  single->AllReduceSum(values);
  single->Broadcast(values, 0);
  EXPECT_TRUE(SameBits(values, ValuesOf(0, 10, at::kFloat)));
  EXPECT_EQ(single->AllGather("a"), std::vector<std::string>{"a"});
  EXPECT_EQ(single->BroadcastBytes("a", 0), "a");
  EXPECT_EQ(single->Scatter({"a"}, 0), "a");
  EXPECT_THROW(single->BroadcastBytes("a", 1), base::Error);
  single->Barrier();
}

TEST(NcclTest, AskingForItOnTheCpuIsBadInput) {
  const auto single = MakeSingle();
  try {
    MakeNcclGroup(*single, at::kCPU, std::chrono::milliseconds(kImpatient));
    ADD_FAILURE();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
  }
}

}  // namespace
}  // namespace autodidact::collective
