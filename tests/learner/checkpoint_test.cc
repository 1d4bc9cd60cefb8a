#include "learner/checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "collective/collective.h"
#include "tests/learner/tiny_model.h"

namespace autodidact::learner {
namespace {

namespace fs = std::filesystem;

class CheckpointTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            (std::string("checkpoint_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  // A trained state: weights and moments that are not at their start.
  void Train(FlatParameters& parameters, AdamW& optimizer, int steps) {
    for (int i = 0; i < steps; ++i) {
      parameters.grad().copy_(parameters.flat().sin());
      optimizer.Step();
    }
  }

  fs::path root_;
};

TEST_F(CheckpointTest, ARestoredTrainingGoesOnWithTheSameBits) {
  FlatParameters parameters(*TinyModel(1));
  AdamW optimizer({.learning_rate = 0.01}, parameters);
  Train(parameters, optimizer, 3);
  WriteCheckpoint(root_,
                  {.step = 3, .version = 3, .optimizer_steps = 3, .fingerprint = "f", .notes = {{"watch", "{}"}}},
                  parameters, optimizer, {}, 0);
  Train(parameters, optimizer, 2);

  const auto found = FindCheckpoint(root_);
  ASSERT_TRUE(found);
  const auto state = ReadCheckpointState(*found);
  EXPECT_EQ(state.step, 3);
  EXPECT_EQ(state.notes.at("watch"), "{}");
  FlatParameters again(*TinyModel(9));
  AdamW other({.learning_rate = 0.01}, again);
  RestoreCheckpoint(*found, state, again, other);
  Train(again, other, 2);
  EXPECT_TRUE(again.flat().equal(parameters.flat()));
  for (const StateVector vector : optimizer.vectors()) {
    EXPECT_TRUE(other.Collect(vector).equal(optimizer.Collect(vector))) << NameOf(vector);
  }
}

// The same training by any number of ranks, each with its share of the state; the gradient is rank 0's alone.
class SharedTraining {
 public:
  SharedTraining(const model::WeightSet& start, collective::Communicator& communicator)
      : parameters(start), optimizer({.learning_rate = 0.01}, parameters, &communicator), rank_(communicator.rank()) {}

  void Train(int steps) {
    for (int i = 0; i < steps; ++i) {
      if (rank_ == 0) parameters.grad().copy_(parameters.flat().to(at::kFloat).sin());
      optimizer.Step();
    }
  }

  FlatParameters parameters;
  AdamW optimizer;

 private:
  const int rank_;
};

TEST_F(CheckpointTest, IsIndependentOfTheNumberOfRanks) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    fs::remove_all(root_);
    const auto start = TinyModel(1, type);
    collective::SpawnRanks(3, [&](collective::Communicator& communicator) {
      SharedTraining training(*start, communicator);
      training.Train(3);
      WriteCheckpoint(root_, {.step = 3, .version = 3, .optimizer_steps = 3, .fingerprint = "f", .notes = {}},
                      training.parameters, training.optimizer, {}, 0, communicator.rank() == 0);
    });
    const auto single = collective::MakeSingle();
    SharedTraining straight(*start, *single);
    straight.Train(5);
    const auto found = FindCheckpoint(root_);
    ASSERT_TRUE(found);
    for (const int size : {1, 2, 3}) {
      collective::SpawnRanks(size, [&](collective::Communicator& communicator) {
        SharedTraining resumed(*TinyModel(9, type), communicator);
        RestoreCheckpoint(*found, ReadCheckpointState(*found), resumed.parameters, resumed.optimizer);
        resumed.Train(2);
        EXPECT_TRUE(resumed.parameters.flat().equal(straight.parameters.flat())) << size;
        for (const StateVector vector : resumed.optimizer.vectors()) {
          const at::Tensor whole = resumed.optimizer.Collect(vector);
          if (communicator.rank() == 0) {
            EXPECT_TRUE(whole.equal(straight.optimizer.Collect(vector))) << NameOf(vector);
          }
        }
      });
    }
  }
}

TEST_F(CheckpointTest, ADamagedCheckpointIsPassedOver) {
  FlatParameters parameters(*TinyModel(1));
  AdamW optimizer({}, parameters);
  for (const std::int64_t step : {1, 2}) {
    WriteCheckpoint(root_, {.step = step, .fingerprint = "f", .notes = {}}, parameters, optimizer, {}, 0);
  }
  EXPECT_EQ(FindCheckpoint(root_)->filename(), "step_000002");
  EXPECT_EQ(fs::read_symlink(root_ / "latest"), "step_000002");
  std::fstream file(root_ / "step_000002/model/model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(2000);
  file.put('\x55');
  file.close();
  EXPECT_EQ(FindCheckpoint(root_)->filename(), "step_000001");
}

TEST_F(CheckpointTest, KeepsOnlyTheNewest) {
  FlatParameters parameters(*TinyModel(1));
  AdamW optimizer({}, parameters);
  for (const std::int64_t step : {1, 2, 3}) {
    WriteCheckpoint(root_, {.step = step, .fingerprint = "f", .notes = {}}, parameters, optimizer, {}, 2);
  }
  EXPECT_FALSE(fs::exists(root_ / "step_000001"));
  EXPECT_TRUE(fs::exists(root_ / "step_000002"));
}

TEST_F(CheckpointTest, NoFolderIsNoCheckpoint) {
  EXPECT_FALSE(FindCheckpoint(root_));
}

}  // namespace
}  // namespace autodidact::learner
