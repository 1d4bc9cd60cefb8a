// What every backend of collective/collective.h must do, written once. A backend is a type with
//   static void Run(int timeout_ms, fn)   runs fn(Communicator&) on every rank of a new group
// and each rank's part may run in this process (threads) or in one of several (MPI).
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/rng.h"
#include "collective/collective.h"
#include "collective/rank_order.h"

namespace autodidact::collective {

inline constexpr int kPatient = 60'000;  // ms
inline constexpr int kImpatient = 300;

// Values whose sum depends on the order of adding.
inline at::Tensor ValuesOf(int rank, std::int64_t count, at::ScalarType type) {
  base::RandomWalk random({.seed = 5, .stream = base::RandomStream::kTest, .item = static_cast<std::uint64_t>(rank)});
  at::Tensor values = at::empty({count}, at::kDouble);
  for (std::int64_t i = 0; i < count; ++i) {
    values.data_ptr<double>()[i] = random.Normal() * std::pow(10.0, static_cast<double>(random.Below(8)));
  }
  return values.to(type);
}

inline at::Tensor SumInRankOrder(int size, std::int64_t count, at::ScalarType type) {
  at::Tensor sum = ValuesOf(0, count, type);
  for (int r = 1; r < size; ++r) sum.add_(ValuesOf(r, count, type));
  return sum;
}

inline bool SameBits(const at::Tensor& a, const at::Tensor& b) {
  if (a.nbytes() == 0 || b.nbytes() == 0) return a.nbytes() == b.nbytes();  // memcmp takes no null pointer
  return a.nbytes() == b.nbytes() && std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0;
}

template <class Backend>
class CommunicatorTest : public testing::Test {};
TYPED_TEST_SUITE_P(CommunicatorTest);

TYPED_TEST_P(CommunicatorTest, RanksCountFromZeroToSize) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    EXPECT_GE(group.rank(), 0);
    EXPECT_LT(group.rank(), group.size());
    const auto ranks = group.AllGather(std::to_string(group.rank()));
    for (int r = 0; r < group.size(); ++r) EXPECT_EQ(ranks[r], std::to_string(r));
  });
}

TYPED_TEST_P(CommunicatorTest, AllReduceSumsInRankOrderToTheBit) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    for (const auto type : {at::kFloat, at::kDouble}) {
      for (const std::int64_t count : {0, 1, 2, 7, 1000}) {
        at::Tensor values = ValuesOf(group.rank(), count, type);
        group.AllReduceSum(values);
        EXPECT_TRUE(SameBits(values, SumInRankOrder(group.size(), count, type))) << count;
      }
    }
  });
}

TYPED_TEST_P(CommunicatorTest, AllReduceWorksOnTensorsOfAnyShapeAndBeyondOneChunk) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    at::Tensor values = at::full({3, (5 << 20), 2}, group.rank() + 1.0, at::kFloat);  // 126 MB
    group.AllReduceSum(values);
    const double expected = group.size() * (group.size() + 1) / 2.0;
    EXPECT_EQ(values.min().template item<double>(), expected);
    EXPECT_EQ(values.max().template item<double>(), expected);
  });
}

TYPED_TEST_P(CommunicatorTest, ReduceScatterGivesEachRankItsRowsOfTheSumToTheBit) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    for (const auto type : {at::kFloat, at::kDouble}) {
      for (const std::int64_t rows : {0, 1, 2, 7, 9000}) {
        at::Tensor values = ValuesOf(group.rank(), rows * 3, type).view({rows, 3});
        group.ReduceScatterSum(values);
        const Slice mine = SliceOf(rows, group.rank(), group.size());
        const at::Tensor sum = SumInRankOrder(group.size(), rows * 3, type).view({rows, 3});
        EXPECT_TRUE(SameBits(values.narrow(0, mine.begin, mine.count()), sum.narrow(0, mine.begin, mine.count())))
            << rows;
      }
    }
  });
}

TYPED_TEST_P(CommunicatorTest, AllGatherOfRowsGivesEveryRanksOwnToAll) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      for (const std::int64_t rows : {0, 1, 2, 7, 1000}) {
        at::Tensor values = at::full({rows, 2}, -1, type);
        at::Tensor expected = at::empty({rows, 2}, type);
        for (int r = 0; r < group.size(); ++r) {
          const Slice share = SliceOf(rows, r, group.size());
          expected.narrow(0, share.begin, share.count()).fill_(r + 0.5);
          if (r == group.rank()) values.narrow(0, share.begin, share.count()).fill_(r + 0.5);
        }
        group.AllGatherRows(values);
        EXPECT_TRUE(at::equal(values, expected)) << rows;
      }
    }
  });
}

TYPED_TEST_P(CommunicatorTest, BroadcastGivesTheRootsValuesOfAnyType) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    for (const auto type : {at::kFloat, at::kBFloat16, at::kLong}) {
      for (int root = 0; root < group.size(); ++root) {
        at::Tensor values = at::full({2, 3}, group.rank() + 10, type);
        group.Broadcast(values, root);
        EXPECT_TRUE(at::equal(values, at::full({2, 3}, root + 10, type)));
      }
    }
  });
}

TYPED_TEST_P(CommunicatorTest, AllGatherKeepsBytesOfDifferentSizes) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    const auto bytes_of = [](int rank) { return std::string(static_cast<std::size_t>(rank) * 1000, '\0') + "end"; };
    const auto all = group.AllGather(bytes_of(group.rank()));
    ASSERT_EQ(static_cast<int>(all.size()), group.size());
    for (int r = 0; r < group.size(); ++r) EXPECT_EQ(all[r], bytes_of(r));
    for (const auto& empty : group.AllGather("")) EXPECT_EQ(empty, "");
  });
}

TYPED_TEST_P(CommunicatorTest, BroadcastBytesNeedsNoSizeInAdvance) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    for (int root = 0; root < group.size(); ++root) {
      const std::string mine = "from " + std::to_string(group.rank()) + std::string(group.rank() * 77, 'x');
      EXPECT_EQ(group.BroadcastBytes(mine, root), "from " + std::to_string(root) + std::string(root * 77, 'x'));
    }
  });
}

TYPED_TEST_P(CommunicatorTest, ScatterGivesEachRankItsPart) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    for (int root = 0; root < group.size(); ++root) {
      std::vector<std::string> parts;
      for (int r = 0; group.rank() == root && r < group.size(); ++r) parts.push_back(std::string(r, 'p'));
      EXPECT_EQ(group.Scatter(parts, root), std::string(group.rank(), 'p'));
    }
  });
}

TYPED_TEST_P(CommunicatorTest, ManyOperationsInARowDoNotMix) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    for (int i = 0; i < 50; ++i) {
      at::Tensor value = at::full({1}, i + group.rank(), at::kDouble);
      group.AllReduceSum(value);
      EXPECT_EQ(value.template item<double>(), i * group.size() + group.size() * (group.size() - 1) / 2.0);
      EXPECT_EQ(group.BroadcastBytes(std::to_string(i), i % group.size()), std::to_string(i));
      group.Barrier();
    }
  });
}

TYPED_TEST_P(CommunicatorTest, AbsentRankIsNamedAtTheTimeout) {
  TypeParam::Run(kImpatient, [](Communicator& group) {
    if (group.rank() == 1) {
      TypeParam::StayAway();
      return;
    }
    try {
      group.Barrier();
      ADD_FAILURE() << "the barrier did not wait for rank 1";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kRetryLater);
      EXPECT_THAT(error.message(), testing::HasSubstr("barrier"));
      EXPECT_THAT(error.message(), testing::HasSubstr("rank 1"));
    }
    at::Tensor values = at::zeros({3});
    EXPECT_THROW(group.AllReduceSum(values), base::Error);
  });
}

TYPED_TEST_P(CommunicatorTest, RanksInDifferentOperationsFindOut) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    at::Tensor values = at::zeros({group.rank() == 0 ? 3 : 4});
    EXPECT_THROW(group.AllReduceSum(values), base::Error);
  });
}

TYPED_TEST_P(CommunicatorTest, UnfitTensorsAreRefusedBeforeAnyoneWaits) {
  TypeParam::Run(kPatient, [](Communicator& group) {
    at::Tensor integers = at::zeros({3}, at::kLong);
    EXPECT_THROW(group.AllReduceSum(integers), base::Error);
    at::Tensor gaps = at::zeros({4, 4}).slice(1, 0, 2);
    EXPECT_THROW(group.AllReduceSum(gaps), base::Error);
    EXPECT_THROW(group.Broadcast(gaps, 0), base::Error);
    EXPECT_THROW(group.BroadcastBytes("", group.size()), base::Error);
    group.Barrier();
  });
}

REGISTER_TYPED_TEST_SUITE_P(CommunicatorTest, RanksCountFromZeroToSize, AllReduceSumsInRankOrderToTheBit,
                            AllReduceWorksOnTensorsOfAnyShapeAndBeyondOneChunk,
                            ReduceScatterGivesEachRankItsRowsOfTheSumToTheBit, AllGatherOfRowsGivesEveryRanksOwnToAll,
                            BroadcastGivesTheRootsValuesOfAnyType, AllGatherKeepsBytesOfDifferentSizes,
                            BroadcastBytesNeedsNoSizeInAdvance, ScatterGivesEachRankItsPart,
                            ManyOperationsInARowDoNotMix, AbsentRankIsNamedAtTheTimeout,
                            RanksInDifferentOperationsFindOut, UnfitTensorsAreRefusedBeforeAnyoneWaits);

}  // namespace autodidact::collective
