// Run by mpirun: every rank runs the same tests in the same order.
#include "tests/collective/communicator_suite.h"

namespace autodidact::collective {
namespace {

struct Mpi {
  template <class Fn>
  static void Run(int timeout_ms, Fn fn) {
    // Forming the group needs all ranks, and some may still be waiting in the test before.
    const auto all = MakeMpiGroup(0, std::chrono::milliseconds(kPatient));
    all->Barrier();
    const auto group = MakeMpiGroup(0, std::chrono::milliseconds(timeout_ms));
    fn(*group);
  }
  static void StayAway() {}
};

INSTANTIATE_TYPED_TEST_SUITE_P(Mpi, CommunicatorTest, Mpi);

TEST(MpiTest, LaunchIsSeenInTheEnvironment) {
  EXPECT_TRUE(LaunchedByMpi());
  EXPECT_GT(MpiSize(), 1);
}

TEST(MpiTest, RanksOfOneColorFormAGroupAndOthersStayOut) {
  const bool in = MpiRank() != 1;
  const auto group = MakeMpiGroup(in ? 7 : -1, std::chrono::milliseconds(kPatient));
  ASSERT_EQ(group != nullptr, in);
  if (!in) return;
  EXPECT_EQ(group->size(), MpiSize() - 1);
  EXPECT_EQ(group->rank(), MpiRank() == 0 ? 0 : MpiRank() - 1);
  group->Barrier();
}

TEST(MpiTest, GroupsOfDifferentColorsDoNotDisturbEachOther) {
  const auto everyone = MakeMpiGroup(0, std::chrono::milliseconds(kPatient));
  const auto own = MakeMpiGroup(MpiRank() % 2, std::chrono::milliseconds(kPatient));
  for (int i = 0; i < 10; ++i) {
    at::Tensor value = at::ones({4});
    own->AllReduceSum(value);
    EXPECT_EQ(value[0].item<int>(), own->size());
    everyone->AllReduceSum(value);
  }
}

}  // namespace
}  // namespace autodidact::collective
