#include "learner/checkpoint_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <semaphore>

#include "base/error.h"
#include "tests/learner/tiny_model.h"
#include "tests/waits.h"

namespace autodidact::learner {
namespace {

namespace fs = std::filesystem;
using base::Deadline;

class CheckpointWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            (std::string("checkpoint_writer_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
  }
  void TearDown() override {
    writing_.release(100);  // a thread that a failed test left behind
    fs::remove_all(root_);
  }

  void Train(int steps) {
    for (int i = 0; i < steps; ++i) {
      parameters_.grad().copy_(parameters_.flat().sin());
      optimizer_.Step();
    }
  }
  CheckpointCopy Copy(std::int64_t step) {
    const CheckpointState state{.step = step, .optimizer_steps = optimizer_.steps(), .run = {}, .notes = {}};
    return *CopyForCheckpoint(state, parameters_.Snapshot(0), optimizer_);
  }
  // Goes on with its first operation on the disk when it is let.
  CheckpointPlace Held() {
    return {.root = root_, .after_operation = [this, waited = false]() mutable {
              if (!std::exchange(waited, true)) writing_.acquire();
            }};
  }

  fs::path root_;
  std::counting_semaphore<> writing_{0};
  FlatParameters parameters_{*TinyModel(1)};
  AdamW optimizer_{{.learning_rate = 0.01}, parameters_};
};

TEST_F(CheckpointWriterTest, WhatIsTrainedMeanwhileIsNotInTheCheckpoint) {
  Train(3);
  FlatParameters then(*parameters_.Snapshot(0));
  const at::Tensor moment = optimizer_.Collect(StateVector::kFirstMoment);
  CheckpointWriter writer(parameters_);
  writer.Begin(Held(), Copy(3));
  Train(2);
  EXPECT_FALSE(FindCheckpoint(root_));
  writing_.release();
  writer.Wait(Deadline::In(tests::kSoon));

  const auto found = FindCheckpoint(root_);
  ASSERT_TRUE(found);
  FlatParameters again(*TinyModel(9));
  AdamW other({.learning_rate = 0.01}, again);
  RestoreCheckpoint(*found, ReadCheckpointState(*found), again, other);
  EXPECT_TRUE(again.flat().equal(then.flat()));
  EXPECT_FALSE(again.flat().equal(parameters_.flat()));
  EXPECT_TRUE(other.Collect(StateVector::kFirstMoment).equal(moment));
  EXPECT_EQ(other.steps(), 3);
}

TEST_F(CheckpointWriterTest, WhatTheDiskRefusesIsToldOnceAndTheOlderOnesStay) {
  CheckpointWriter writer(parameters_);
  writer.Begin({.root = root_}, Copy(1));
  writer.Wait(Deadline::In(tests::kSoon));
  writer.Begin({.root = root_, .free_bytes = [](const fs::path&) { return 10; }}, Copy(2));
  try {
    writer.Wait(Deadline::In(tests::kSoon));
    FAIL() << "the disk has ten bytes";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kRetryLater);
    EXPECT_THAT(error.message(), testing::HasSubstr("step_000002: it takes"));
  }
  writer.Check();
  EXPECT_EQ(FindCheckpoint(root_)->filename(), "step_000001");
  writer.Begin({.root = root_}, Copy(3));
  writer.Wait(Deadline::In(tests::kSoon));
  EXPECT_EQ(FindCheckpoint(root_)->filename(), "step_000003");
}

TEST_F(CheckpointWriterTest, ADiskThatStandsStillIsNamedAtTheDeadline) {
  CheckpointWriter writer(parameters_);
  writer.Begin(Held(), Copy(7));
  writer.Check();
  try {
    writer.Wait(Deadline::In(base::Milliseconds(1)));
    FAIL() << "it cannot have been written";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kRetryLater);
    EXPECT_THAT(error.message(), testing::HasSubstr("checkpoint of step 7"));
  }
  writing_.release();
  writer.Wait(Deadline::In(tests::kSoon));
  EXPECT_TRUE(FindCheckpoint(root_));
}

}  // namespace
}  // namespace autodidact::learner
