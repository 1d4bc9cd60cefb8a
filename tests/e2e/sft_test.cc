// `sft` loses nothing: what is there, what was begun, and the best weights.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "base/format.h"
#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

class SftKeepsTest : public testing::Test {
 protected:
  std::vector<std::string> Arguments(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"sft",   "sft.yaml",    "--set", "output=" + output_.string(),
                                          "--set", "max_steps=12"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  ToolResult Sft(std::vector<std::string> more = {}) const { return RunTool(Arguments(std::move(more)), BaseFolder()); }
  std::string Weights(const std::string& folder = "model") const {
    return json::ReadFile(folder_ / folder / "model.safetensors");
  }
  // Interrupted once a checkpoint is there, or this stands in the log.
  void Interrupt(std::vector<std::string> more, const std::string& what, int signal) const {
    auto argv = Arguments(std::move(more));
    argv.insert(argv.begin(), tests::ProgramFile());
    process::Child child(ToolOptions(argv, BaseFolder()));
    const auto deadline = base::Deadline::In(std::chrono::minutes(2));
    const auto seen = [&] {
      return what.starts_with("step_") ? fs::exists(partial_ / "checkpoints" / what)
                                       : child.errors().find(what) != std::string::npos;
    };
    while (!seen()) {
      ASSERT_FALSE(child.Wait(base::Deadline::In(std::chrono::milliseconds(2)))) << child.errors();
      ASSERT_FALSE(deadline.Passed()) << child.errors();
    }
    child.Signal(signal);
    const auto status = child.Wait(base::Deadline::In(std::chrono::minutes(2)));
    ASSERT_TRUE(status) << child.errors();
    EXPECT_EQ(status->Describe(),
              signal == SIGKILL ? "killed by signal 9 (Killed)" : base::Format("exit code {}", 128 + signal))
        << child.errors();
  }

  const fs::path folder_ = TestFolder();
  const fs::path output_ = folder_ / "model";
  const fs::path partial_ = folder_ / "model.partial";
};

TEST_F(SftKeepsTest, AnOutputThatIsThereIsReplacedWhenAskedForAndOnlyWhereItIsItsOwn) {
  ASSERT_TRUE(Sft().status.ok());
  const std::string before = Weights();
  EXPECT_FALSE(fs::exists(partial_));
  auto result = Sft({"--set", "seed=1"});
  EXPECT_EQ(result.status.code, 2);
  EXPECT_NE(result.err.find("--overwrite"), std::string::npos) << result.err;
  EXPECT_EQ(Weights(), before);
  result = Sft({"--set", "seed=1", "--overwrite"});
  ASSERT_TRUE(result.status.ok()) << result.err;
  EXPECT_NE(Weights(), before);

  fs::remove(output_ / "sft.yaml");
  EXPECT_EQ(Sft({"--overwrite"}).status.code, 2);
  EXPECT_TRUE(fs::exists(output_ / "model.safetensors"));
  // What the config reads is never replaced.
  std::ofstream(output_ / "sft.yaml") << "output: x\n";
  result = Sft({"--overwrite", "--set", "model=" + output_.string()});
  EXPECT_EQ(result.status.code, 2);
  EXPECT_NE(result.err.find("read from it"), std::string::npos) << result.err;
  // A folder with something else is nobody's to delete, an empty one is free.
  fs::remove_all(output_);
  fs::create_directories(partial_);
  std::ofstream(partial_ / "letters.txt") << "x";
  EXPECT_EQ(Sft({"--overwrite"}).status.code, 2);
  fs::remove_all(partial_);
  fs::create_directories(output_);
  EXPECT_TRUE(Sft().status.ok());
}

TEST_F(SftKeepsTest, AnInterruptSavesAndResumeGivesTheBitsOfAnUninterruptedTraining) {
  const std::vector<std::string> keys = {"--set", "held_out=0.1", "--set", "eval_steps=10", "--set", "max_steps=150"};
  auto result = Sft(keys);
  ASSERT_TRUE(result.status.ok()) << result.err;
  const std::string best = Weights();
  const bool has_last = fs::exists(output_ / "last");
  const std::string last = has_last ? Weights("model/last") : "";
  fs::remove_all(output_);

  auto saving = keys;
  saving.insert(saving.end(), {"--set", "save_steps=20"});
  Interrupt(saving, "step_000020", SIGKILL);
  result = Sft(saving);
  EXPECT_EQ(result.status.code, 2);
  EXPECT_NE(result.err.find("--resume"), std::string::npos) << result.err;
  auto other = saving;
  other.insert(other.end(), {"--resume", "--set", "learning_rate=1e-4"});
  result = Sft(other);
  EXPECT_EQ(result.status.code, 2);
  EXPECT_NE(result.err.find("learning_rate: 0.01"), std::string::npos) << result.err;
  saving.push_back("--resume");
  Interrupt(saving, "goes on after step", SIGINT);
  result = Sft(saving);
  ASSERT_TRUE(result.status.ok()) << result.err;
  EXPECT_EQ(Weights(), best);
  EXPECT_EQ(fs::exists(output_ / "last"), has_last);
  if (has_last) {
    EXPECT_EQ(Weights("model/last"), last);
  }
  EXPECT_FALSE(fs::exists(partial_));
}

TEST_F(SftKeepsTest, CandidatesThatWereSampledAreNotSampledAgain) {
  const std::vector<std::string> keys = {"--set",
                                         "data=[{file: data/labelled.jsonl}]",
                                         "--set",
                                         "reconcile={enabled: true, apart: true, folds: 4, fold_steps: 10, "
                                         "num_candidates: 4}",
                                         "--set",
                                         "rollout.max_completion_length=10",
                                         "--set",
                                         "max_steps=300"};
  auto result = Sft(keys);
  ASSERT_TRUE(result.status.ok()) << result.err;
  const std::string whole = Weights();
  const std::string candidates = json::ReadFile(output_ / "candidates.jsonl");
  fs::remove_all(output_);
  Interrupt(keys, "step_000000", SIGTERM);
  auto more = keys;
  more.push_back("--resume");
  result = Sft(more);
  ASSERT_TRUE(result.status.ok()) << result.err;
  EXPECT_EQ(result.err.find("fold"), std::string::npos) << result.err;
  EXPECT_EQ(Weights(), whole);
  EXPECT_EQ(json::ReadFile(output_ / "candidates.jsonl"), candidates);
}

TEST_F(SftKeepsTest, WithoutAnExampleThereIsNothingToTrain) {
  std::ofstream(folder_ / "empty.jsonl") << "";
  std::ofstream(folder_ / "failed.jsonl") << "{\"id\": \"a\", \"prompt\": \"b e\", \"completions\": [\"x\"], "
                                             "\"failure\": \"no vote\"}\n";
  for (const std::string file : {"empty.jsonl", "failed.jsonl"}) {
    const auto result = Sft({"--set", "data=[{file: " + (folder_ / file).string() + "}]"});
    EXPECT_EQ(result.status.code, 2) << result.err;
    EXPECT_NE(result.err.find(file), std::string::npos) << result.err;
  }
  EXPECT_FALSE(fs::exists(output_));
  EXPECT_FALSE(fs::exists(partial_));
}

}  // namespace
}  // namespace autodidact::e2e
