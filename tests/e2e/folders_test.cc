// Where a run may write, what it goes on from, and that nothing is lost unasked.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

// A run of two small steps with a checkpoint after each, without the anchor.
Arguments Train(const fs::path& runs, const std::string& name, const Arguments& more = {}) {
  Arguments arguments = {"train", "train.yaml"};
  for (const std::string& setting :
       {"folder=" + runs.string(), "name=" + name, std::string("estimator=majority"), std::string("train.max_steps=2"),
        std::string("train.save_steps=1"), std::string("train.groups_per_step=2")}) {
    arguments.insert(arguments.end(), {"--set", setting});
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// Every file below a folder with its bytes and the time of its last change.
std::map<std::string, std::string> Everything(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::string& seen = files[fs::relative(entry.path(), folder).string()];
    if (entry.is_symlink()) {
      seen = fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      seen = json::ReadFile(entry.path()) + std::to_string(entry.last_write_time().time_since_epoch().count());
    }
  }
  return files;
}

TEST(FoldersTest, ANameThatLeavesItsFolderIsRefusedAndNothingIsTouched) {
  const fs::path runs = TestFolder();
  fs::create_directories(runs / "mine");
  std::ofstream(runs / "mine/thesis.tex") << "x";
  const auto before = Everything(runs);
  for (const std::string name : {"..", ".", "\"\"", "../mine", "/tmp", "mine/..", ".mine", "-x", "\"a\\nb\"", "mine"}) {
    const auto refused = RunTool(Train(runs, name, {"--overwrite"}), BaseFolder());
    EXPECT_EQ(refused.status.code, 2) << name << "\n" << refused.err;
    EXPECT_EQ(Everything(runs), before) << name;
    if (name != "mine") {
      EXPECT_NE(refused.err.find("name: got"), std::string::npos) << refused.err;
    }
  }
}

TEST(FoldersTest, ARunGoesOnWithWhatMayChangeAndIsRefusedUntouchedWithWhatMayNot) {
  const fs::path runs = TestFolder();
  const auto first = RunTool(Train(runs, "a"), BaseFolder());
  ASSERT_TRUE(first.status.ok()) << first.err;
  const auto before = Everything(runs);

  // Another model of the same shape, and the same rows in another order.
  const fs::path inputs = runs.parent_path() / "folders_inputs";
  fs::remove_all(inputs);
  fs::create_directories(inputs);
  fs::copy(runs / "a/checkpoints/latest/model", inputs / "other", fs::copy_options::recursive);
  fs::copy(BaseFolder() / "base", inputs / "moved", fs::copy_options::recursive);
  std::ifstream rows(BaseFolder() / "data/unlabelled.jsonl");
  std::vector<std::string> lines;
  for (std::string line; std::getline(rows, line);) lines.push_back(line);
  std::ofstream turned(inputs / "turned.jsonl");
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) turned << *line << "\n";
  turned.close();

  const std::vector<std::pair<std::string, std::string>> refused = {
      {"model=" + (inputs / "other").string(), "the weights of the initial model changed"},
      {"data.train=" + (inputs / "turned.jsonl").string(), "data.train: data/unlabelled.jsonl → "},
      {"seed=3", "seed: 0 → 3"},
      {"train.num_generations=2", "train.num_generations: 4 → 2"},
      {"rollout.temperature=0.9", "rollout.temperature: 1 → 0.9"},
      {"train.max_steps=2", "nothing is left to do"}};
  for (const auto& [setting, named] : refused) {
    const auto result =
        RunTool(Train(runs, "a", {"--resume", "--set", "train.max_steps=3", "--set", setting}), BaseFolder());
    EXPECT_EQ(result.status.code, 2) << setting << "\n" << result.err;
    EXPECT_NE(result.err.find(named), std::string::npos) << setting << "\n" << result.err;
    EXPECT_EQ(Everything(runs), before) << setting;
  }

  const auto resumed = RunTool(Train(runs, "a",
                                     {"--resume", "--set", "train.max_steps=3", "--set", "train.learning_rate=1e-4",
                                      "--set", "model=" + (inputs / "moved").string()}),
                               BaseFolder());
  ASSERT_TRUE(resumed.status.ok()) << resumed.err;
  EXPECT_NE(resumed.err.find("train.learning_rate: 0.001 → 0.0001"), std::string::npos) << resumed.err;
  EXPECT_EQ(ReadLines(runs / "a/metrics.jsonl").size(), 3u);

  const auto back = RunTool(Train(runs, "a", {"--resume-from", "1", "--set", "train.max_steps=2"}), BaseFolder());
  ASSERT_TRUE(back.status.ok()) << back.err;
  EXPECT_EQ(ReadLines(runs / "a/metrics.jsonl").size(), 2u);
  EXPECT_TRUE(fs::exists(runs / "a/earlier-1/checkpoints/step_000003/manifest.json"));
  const auto branch = RunTool(
      Train(runs, "b", {"--resume-from", (runs / "a/checkpoints/step_000002").string(), "--set", "train.max_steps=3"}),
      BaseFolder());
  ASSERT_TRUE(branch.status.ok()) << branch.err;
  ASSERT_EQ(ReadLines(runs / "b/metrics.jsonl").size(), 1u);
  EXPECT_EQ(ReadLines(runs / "b/metrics.jsonl")[0].at("step"), 3);
}

TEST(FoldersTest, ARunIsNotOverwrittenByOneThatBeginsFromIt) {
  const fs::path runs = TestFolder();
  ASSERT_TRUE(RunTool(Train(runs, "a"), BaseFolder()).status.ok());
  const auto before = Everything(runs);
  const auto refused =
      RunTool(Train(runs, "a", {"--overwrite", "--set", "model=" + (runs / "a/checkpoints/latest/model").string()}),
              BaseFolder());
  EXPECT_EQ(refused.status.code, 2) << refused.err;
  EXPECT_NE(refused.err.find("model: "), std::string::npos) << refused.err;
  EXPECT_EQ(Everything(runs), before);
  EXPECT_TRUE(RunTool(Train(runs, "a", {"--overwrite"}), BaseFolder()).status.ok());
}

TEST(FoldersTest, ARunIsHeldByOneProcessAndBeginsAgainAfterAKillBeforeItsFirstCheckpoint) {
  const fs::path runs = TestFolder();
  // With nothing left to learn it goes on until it is killed.
  Arguments argv =
      Train(runs, "a",
            {"--set", "train.max_steps=100000", "--set", "train.save_steps=0", "--set", "train.max_empty_steps=0"});
  argv.insert(argv.begin(), tests::ProgramFile());
  process::Child child(ToolOptions(argv, BaseFolder()));
  const auto deadline = base::Deadline::In(std::chrono::minutes(3));
  while (!fs::exists(runs / "a/rollouts/step_000001.jsonl") && !deadline.Passed()) {
    ASSERT_FALSE(child.Wait(base::Deadline::In(std::chrono::milliseconds(20)))) << child.errors();
  }
  for (const Arguments& way : {Arguments{}, Arguments{"--resume"}, Arguments{"--overwrite"}}) {
    const auto second = RunTool(Train(runs, "a", way), BaseFolder());
    EXPECT_EQ(second.status.code, 1) << second.err;
    EXPECT_NE(second.err.find("process " + std::to_string(child.pid()) + " on "), std::string::npos) << second.err;
  }
  child.Signal(SIGKILL);
  ASSERT_TRUE(child.Wait(base::Deadline::In(std::chrono::seconds(30))));
  const auto again = RunTool(Train(runs, "a"), BaseFolder());
  EXPECT_TRUE(again.status.ok()) << again.err;
  EXPECT_TRUE(fs::exists(runs / "a/earlier-1/rollouts/step_000001.jsonl"));
  EXPECT_EQ(ReadLines(runs / "a/metrics.jsonl").size(), 2u);
}

// expected.txt: "nothing" goes on; the others are refused with the name of the key that changed, or go on.
TEST(FoldersTest, ChangedConfigsOfTheCasesAreNamedOrGoOn) {
  const fs::path script = tests::CasesFolder() / "20-resume-with-changes/run.sh";
  if (!fs::exists(script)) GTEST_SKIP() << "no " << script;
  auto options = ToolOptions({"bash", fs::absolute(script).string()}, BaseFolder());
  options.environment.push_back("AUTODIDACT=" + tests::ProgramFile().string());
  options.environment.push_back("MODEL=" + (tests::SourceFolder() / "configs/demo/base").string());
  process::Child child(std::move(options));
  const auto status = child.Wait(base::Deadline::In(std::chrono::minutes(4)));
  ASSERT_TRUE(status && status->ok()) << child.errors();
  const std::map<std::string, std::string> named = {{"data", "data.train"},
                                                    {"num_generations", "train.num_generations"},
                                                    {"groups", "train.groups_per_step"},
                                                    {"seed", "seed: 0 → 3"},
                                                    {"temperature", "rollout.temperature"},
                                                    {"comparator", "answer.comparator"},
                                                    {"nothing", ""},
                                                    {"learning_rate", ""},
                                                    {"beta", ""},
                                                    {"save_steps", ""}};
  std::istringstream lines(child.output());
  std::size_t seen = 0;
  for (std::string line; std::getline(lines, line); ++seen) {
    const std::string what = line.substr(0, line.find(' '));
    ASSERT_TRUE(named.contains(what)) << line;
    EXPECT_NE(line.find(named.at(what).empty() ? "rc=0" : "rc=2"), std::string::npos) << line;
    EXPECT_NE(line.find(named.at(what)), std::string::npos) << line;
  }
  EXPECT_EQ(seen, named.size()) << child.output();
}

}  // namespace
}  // namespace autodidact::e2e
