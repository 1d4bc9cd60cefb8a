#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "collective/collective.h"

namespace autodidact::collective {
namespace {

constexpr std::chrono::milliseconds kPatient{60'000};

// A group of one on the first GPU: NCCL wants a GPU per rank.
class NcclGroupTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "no GPU on this machine, or a build without CUDA";
    group_ = MakeNcclGroup(*single_, device_, kPatient);
  }

  const at::Device device_{at::kCUDA, 0};
  std::unique_ptr<Communicator> single_ = MakeSingle();
  std::unique_ptr<Communicator> group_;
};

TEST_F(NcclGroupTest, SumOfOneRankIsItself) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    for (const std::int64_t count : {0, 1, 1000, 1 << 20}) {
      at::Tensor values = at::arange(count, at::TensorOptions().dtype(type).device(device_));
      const at::Tensor before = values.clone();
      group_->AllReduceSum(values);
      EXPECT_TRUE(at::equal(values, before)) << count;
    }
  }
}

TEST_F(NcclGroupTest, BroadcastKeepsTheRootsValuesOfAnyType) {
  at::Tensor values = at::full({3, 5}, 7, at::TensorOptions().dtype(at::kBFloat16).device(device_));
  const at::Tensor before = values.clone();
  group_->Broadcast(values, 0);
  EXPECT_TRUE(at::equal(values, before));
}

TEST_F(NcclGroupTest, TensorsOnTheCpuAndBytesGoOverTheBootstrapGroup) {
  at::Tensor values = at::ones({4});
  group_->AllReduceSum(values);
  group_->Broadcast(values, 0);
  EXPECT_EQ(group_->AllGather("a"), std::vector<std::string>{"a"});
  EXPECT_EQ(group_->BroadcastBytes("b", 0), "b");
  group_->Barrier();
}

TEST_F(NcclGroupTest, UnfitTensorsAreRefused) {
  at::Tensor integers = at::zeros({3}, at::TensorOptions().dtype(at::kLong).device(device_));
  EXPECT_THROW(group_->AllReduceSum(integers), base::Error);
  at::Tensor gaps = at::zeros({4, 4}, at::TensorOptions().device(device_)).slice(1, 0, 2);
  EXPECT_THROW(group_->Broadcast(gaps, 0), base::Error);
}

}  // namespace
}  // namespace autodidact::collective
