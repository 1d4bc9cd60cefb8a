#include "data/checkpoint_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/error.h"

namespace autodidact::data {
namespace {

namespace fs = std::filesystem;

class CheckpointFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("checkpoint_files_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "model");
    Write("model/weights", "abc");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

  fs::path folder_;
};

TEST_F(CheckpointFilesTest, AStateIsReadAsItWasWritten) {
  const CheckpointState state{.step = 7,
                              .version = 6,
                              .optimizer_steps = 5,
                              .run = {{{"seed", "3"}, {"prompt.text", "α\n{prompt}"}}, {{"model.weights", "00ff"}}},
                              .notes = {{"watch", "{\"x\": 1}"}}};
  WriteCheckpointState(folder_, state);
  const CheckpointState read = ReadCheckpointState(folder_);
  EXPECT_EQ(read.step, 7);
  EXPECT_EQ(read.version, 6u);
  EXPECT_EQ(read.optimizer_steps, 5);
  EXPECT_EQ(read.run.keys, state.run.keys);
  EXPECT_EQ(read.run.contents, state.run.contents);
  EXPECT_EQ(read.notes, state.notes);
}

TEST_F(CheckpointFilesTest, AStateWithoutAStepIsRefusedByName) {
  Write("state.json", "{\"version\": 1}");
  try {
    ReadCheckpointState(folder_);
    FAIL() << "it was read";
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find("state.json"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("step"), std::string::npos) << error.what();
  }
}

TEST_F(CheckpointFilesTest, AFolderIsWholeOnceItsManifestIsWritten) {
  EXPECT_NE(FindDamage(folder_), "");
  WriteManifest(folder_);
  EXPECT_EQ(FindDamage(folder_), "");
}

TEST_F(CheckpointFilesTest, AChangedFileIsDamage) {
  WriteManifest(folder_);
  Write("model/weights", "abd");
  EXPECT_NE(FindDamage(folder_).find("model/weights"), std::string::npos);
}

TEST_F(CheckpointFilesTest, AMissingFileIsDamage) {
  WriteManifest(folder_);
  fs::remove(folder_ / "model/weights");
  EXPECT_NE(FindDamage(folder_).find("model/weights"), std::string::npos);
}

TEST_F(CheckpointFilesTest, AManifestOfAnotherShapeIsDamage) {
  for (const char* manifest : {"", "[]", "{\"files\": 3}", "{\"files\": {\"model/weights\": 3}}"}) {
    Write("manifest.json", manifest);
    EXPECT_NE(FindDamage(folder_), "") << manifest;
  }
}

// As a copy that follows links leaves it, or a file system without links.
TEST_F(CheckpointFilesTest, ALatestThatCannotBePointedAnywhereCostsNoCheckpoint) {
  fs::create_directories(folder_ / "latest/model");
  fs::create_directories(folder_ / "step_000002");
  EXPECT_NO_THROW(PointLatestTo(folder_, "step_000002"));
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(folder_ / "latest/model")))
      << "what is no link is nobody's to delete";
  EXPECT_FALSE(fs::exists(fs::symlink_status(folder_ / ".latest")));
  fs::remove_all(folder_ / "latest");
  PointLatestTo(folder_, "step_000002");
  EXPECT_EQ(fs::read_symlink(folder_ / "latest"), "step_000002");
}

}  // namespace
}  // namespace autodidact::data
