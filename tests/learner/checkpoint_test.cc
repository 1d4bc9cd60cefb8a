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
  WriteCheckpoint({.root = root_},
                  {.step = 3, .version = 3, .optimizer_steps = 3, .run = {}, .notes = {{"watch", "{}"}}}, parameters,
                  optimizer);
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
      WriteCheckpoint({.root = root_}, {.step = 3, .version = 3, .optimizer_steps = 3, .run = {}, .notes = {}},
                      training.parameters, training.optimizer, communicator.rank() == 0);
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
    WriteCheckpoint({.root = root_}, {.step = step, .run = {}, .notes = {}}, parameters, optimizer);
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
    WriteCheckpoint({.root = root_, .keep = 2}, {.step = step, .run = {}, .notes = {}}, parameters, optimizer);
  }
  EXPECT_FALSE(fs::exists(root_ / "step_000001"));
  EXPECT_TRUE(fs::exists(root_ / "step_000002"));
}

// What a process that is killed after any operation on the disk leaves: the newest checkpoint that was whole, or a
// newer one, is found, `latest` leads to a whole one, and the run can go on and write.
TEST_F(CheckpointTest, KilledAtAnyMomentAWholeCheckpointIsFoundAndTheNextOneIsWritten) {
  FlatParameters parameters(*TinyModel(1));
  AdamW optimizer({}, parameters);
  const fs::path run = root_ / "run";
  std::vector<fs::path> moments;
  std::vector<std::int64_t> newest;
  std::int64_t whole = 0;
  const auto look = [&] {
    moments.push_back(root_ / ("moment_" + std::to_string(moments.size())));
    fs::copy(run, moments.back(), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    newest.push_back(whole);
  };
  for (const std::int64_t step : {1, 2, 3, 4, 5}) {
    WriteCheckpoint({.root = run, .keep = 2, .after_operation = look}, {.step = step, .run = {}, .notes = {}},
                    parameters, optimizer);
    whole = step;
  }
  ASSERT_GE(moments.size(), 40u);
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const auto found = FindCheckpoint(moments[i]);
    ASSERT_EQ(found.has_value(), newest[i] > 0 || fs::exists(moments[i] / "step_000001")) << moments[i];
    if (!found) continue;
    EXPECT_GE(ReadCheckpointState(*found).step, newest[i]) << moments[i];
    for (const auto& checkpoint : data::ListCheckpoints(moments[i])) {
      EXPECT_EQ(data::FindDamage(checkpoint.path), "") << "half a checkpoint under its own name";
    }
    if (fs::exists(fs::symlink_status(moments[i] / "latest"))) {
      EXPECT_EQ(data::FindDamage(moments[i] / "latest"), "") << moments[i];
    }
    const std::int64_t next = ReadCheckpointState(*found).step + 1;
    WriteCheckpoint({.root = moments[i], .keep = 2}, {.step = next, .run = {}, .notes = {}}, parameters, optimizer);
    EXPECT_EQ(ReadCheckpointState(*FindCheckpoint(moments[i])).step, next);
    for (const auto& entry : fs::directory_iterator(moments[i])) {
      EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << "a leftover: " << entry.path();
    }
  }
}

TEST_F(CheckpointTest, ADamagedOneOfTheSameStepIsReplaced) {
  FlatParameters parameters(*TinyModel(1));
  AdamW optimizer({}, parameters);
  const CheckpointState state{.step = 3, .run = {}, .notes = {}};
  WriteCheckpoint({.root = root_}, state, parameters, optimizer);
  fs::remove(root_ / "step_000003/state.json");
  WriteCheckpoint({.root = root_}, state, parameters, optimizer);
  EXPECT_EQ(data::FindDamage(root_ / "step_000003"), "");
}

TEST_F(CheckpointTest, TheNewestIsThatOfTheHighestStepAlsoBeyondSixDigits) {
  FlatParameters parameters(*TinyModel(1));
  AdamW optimizer({}, parameters);
  for (const std::int64_t step : {999999, 1000000}) {
    WriteCheckpoint({.root = root_, .keep = 1}, {.step = step, .run = {}, .notes = {}}, parameters, optimizer);
  }
  EXPECT_EQ(FindCheckpoint(root_)->filename(), "step_1000000");
  EXPECT_FALSE(fs::exists(root_ / "step_999999"));
}

class CheckpointRoomTest : public CheckpointTest {
 protected:
  // Writes the checkpoint of `step` where the disk has room for half of one; returns what was said.
  std::string WriteWithoutRoom(std::int64_t step, std::int64_t keep) {
    const auto half = [&](const fs::path&) { return CheckpointBytes(parameters_.size(), at::kFloat) / 2; };
    try {
      WriteCheckpoint({.root = root_, .keep = keep, .free_bytes = half}, {.step = step, .run = {}, .notes = {}},
                      parameters_, optimizer_);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kRetryLater);
      return error.message();
    }
    return "written";
  }
  void Write(std::int64_t step) {
    WriteCheckpoint({.root = root_}, {.step = step, .run = {}, .notes = {}}, parameters_, optimizer_);
  }
  // Makes a checkpoint as large as one of a large model.
  void Enlarge(std::int64_t step) {
    const fs::path file = root_ / data::CheckpointName(step) / "ballast";
    std::ofstream(file) << "x";
    fs::resize_file(file, CheckpointBytes(parameters_.size(), at::kFloat));
  }
  std::vector<std::int64_t> Steps() const {
    std::vector<std::int64_t> steps;
    for (const auto& checkpoint : data::ListCheckpoints(root_)) steps.push_back(checkpoint.step);
    return steps;
  }

  FlatParameters parameters_{*TinyModel(1)};
  AdamW optimizer_{{}, parameters_};
};

TEST_F(CheckpointRoomTest, OneThatDoesNotFitIsAnErrorWithAdviceAndNothingGoes) {
  for (const std::int64_t step : {1, 2, 3}) Write(step);
  for (const std::int64_t keep : {0, 1, 4}) {
    const std::string message = WriteWithoutRoom(4, keep);
    EXPECT_NE(message.find("step_000004"), std::string::npos) << message;
    EXPECT_NE(message.find("make room"), std::string::npos) << message;
    EXPECT_EQ(Steps(), (std::vector<std::int64_t>{1, 2, 3})) << keep;
    EXPECT_EQ(std::distance(fs::directory_iterator(root_), {}), 4) << "three and latest";
  }
}

TEST_F(CheckpointRoomTest, OldOnesThatWouldGoAnywayGoBeforeWhereThatMakesTheRoom) {
  for (const std::int64_t step : {1, 2, 3}) Write(step);
  Enlarge(1);
  EXPECT_EQ(WriteWithoutRoom(4, 3), "written");
  EXPECT_EQ(Steps(), (std::vector<std::int64_t>{2, 3, 4}));
}

TEST_F(CheckpointRoomTest, TheNewestStaysEvenWhereOneAloneIsKept) {
  Write(1);
  Enlarge(1);
  EXPECT_NE(WriteWithoutRoom(2, 1), "written");
  EXPECT_EQ(Steps(), (std::vector<std::int64_t>{1}));
}

TEST_F(CheckpointTest, NoFolderIsNoCheckpoint) {
  EXPECT_FALSE(FindCheckpoint(root_));
}

}  // namespace
}  // namespace autodidact::learner
