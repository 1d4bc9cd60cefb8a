// What `train --dry-run` says about the run's folder: as a start would, and nothing is changed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/error.h"
#include "data/checkpoint_files.h"
#include "data/run_place.h"
#include "json/json.h"
#include "launch/train/resume_rules.h"
#include "launch/train/training.h"
#include "tests/launch/config_folder.h"
#include "tests/paths.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

class DryRunTest : public testing::Test {
 protected:
  DryRunTest() {
    folder_.Write("rows.jsonl", "{\"prompt\": \"b e a\"}\n{\"prompt\": \"d a\"}\n");
    file_ = folder_.Write(
        "run.yaml",
        folder_.Filled("model: " + (tests::SourceFolder() / "configs/demo/base").string() +
                       "\nfolder: FOLDER/runs\nname: a\ndata: {train: FOLDER/rows.jsonl}\n"
                       "prompt: {format: plain, text: \"{prompt} =\"}\nanswer: {extractor: whole}\n"
                       "rollout: {max_completion_length: 10}\n"
                       "anchor: {instruction: \"{candidates} =>\", candidate: \"| {text}\", separator: \" \","
                       " sampling: {max_completion_length: 10}}\n"
                       "train: {groups_per_step: 2, max_steps: 4}\n"));
    runs_ = folder_.Filled("FOLDER/runs");
    fs::remove_all(runs_);
    fs::create_directories(runs_);
  }

  // A run of this config, up to step 2.
  void MakeRun() {
    data::RunPlace place({.folder = runs_, .name = "a"});
    place.Open();
    const fs::path checkpoint = runs_ / "a/checkpoints/step_000002";
    fs::create_directories(checkpoint / "model");
    data::WriteCheckpointState(
        checkpoint, {.step = 2, .run = {KeysOf(ReadRunConfig(file_, {})), {{"model.weights", "00"}}}, .notes = {}});
    data::WriteManifest(checkpoint);
  }

  std::map<std::string, std::string> Everything() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(runs_)) {
      files[entry.path().string()] = entry.is_regular_file() ? json::ReadFile(entry.path()) : "folder";
    }
    return files;
  }

  std::string Refusal(TrainOptions options, const std::vector<std::string>& overrides = {}) const {
    const auto before = Everything();
    options.config_file = file_;
    std::string message;
    try {
      DryRun(options, overrides);
    } catch (const base::Error& error) {
      message = error.message();
    }
    EXPECT_EQ(Everything(), before) << message;
    return message;
  }

  ConfigFolder folder_;
  fs::path file_;
  fs::path runs_;
};

TEST_F(DryRunTest, AFolderThatIsFreeIsSilentAndStaysAway) {
  EXPECT_EQ(Refusal({}), "");
  EXPECT_FALSE(fs::exists(runs_ / "a"));
}

TEST_F(DryRunTest, AnotherRunInTheFolderIsToldAsAStartTellsIt) {
  MakeRun();
  EXPECT_NE(Refusal({}).find("already holds a run, up to step 2"), std::string::npos);
  EXPECT_EQ(Refusal({.overwrite = true}), "");
  EXPECT_EQ(Refusal({.resume = true}), "");
  EXPECT_NE(Refusal({.resume_from = "7"}).find("there are those of the steps 2"), std::string::npos);
  fs::create_directories(runs_ / "file");
  fs::remove_all(runs_ / "a");
  std::ofstream(runs_ / "a") << "x";
  EXPECT_NE(Refusal({}).find("is no folder"), std::string::npos);
}

TEST_F(DryRunTest, WhatMayNotChangeWhenARunGoesOnIsTold) {
  MakeRun();
  EXPECT_NE(Refusal({.resume = true}, {"seed=3"}).find("seed: 0 → 3"), std::string::npos);
  EXPECT_NE(Refusal({.resume = true}, {"train.max_steps=2"}).find("nothing is left to do; raise train.max_steps"),
            std::string::npos);
  EXPECT_EQ(Refusal({.resume = true}, {"train.learning_rate=1e-4"}), "");
}

TEST_F(DryRunTest, ARunThatIsHeldIsTold) {
  MakeRun();
  data::RunPlace held({.folder = runs_, .name = "a", .resume = true});
  EXPECT_NE(Refusal({.resume = true}).find("the run is held by"), std::string::npos);
}

}  // namespace
}  // namespace autodidact::launch
