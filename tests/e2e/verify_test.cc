// Training where answers are compared by an outside program, or are programs.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "process/sandbox.h"
#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

// The groups of one step under these keys put over train.yaml. 1 is the exit code of a run that learned nothing.
std::vector<json::Json> GroupsOfOneStep(const std::vector<std::string>& keys, const fs::path& runs = TestFolder(),
                                        int exit_code = 0) {
  std::vector<std::string> arguments = {"train", "train.yaml", "--set", "folder=" + runs.string(),
                                        "--set", "name=one",   "--set", "train.max_steps=1"};
  for (const std::string& key : keys) arguments.insert(arguments.end(), {"--set", key});
  const auto result = RunTool(arguments, BaseFolder());
  EXPECT_EQ(result.status.code, exit_code) << result.err;
  return ReadLines(runs / "one/rollouts/step_000001.jsonl");
}

TEST(VerifierTrainTest, AnOutsideProgramGivesTheRewards) {
  const std::string grader = (tests::SourceFolder() / "configs/grader.py").string();
  const auto groups = GroupsOfOneStep({"answer.verifier=[python3, " + grader + "]", "estimator=majority"});
  ASSERT_EQ(groups.size(), 6u);
  for (const json::Json& group : groups) {
    double best = 0;
    for (const json::Json& reward : group.at("rewards")) best = std::max(best, reward.get<double>());
    EXPECT_EQ(best, 1.0) << group.dump();  // of the member whose answer the reference is
  }
}

TEST(VerifierTrainTest, OneThatFailsInTheRunGivesNoReward) {
  const fs::path folder = TestFolder();
  std::ofstream(folder / "grader.py") << "import json, sys\n"
                                         "for line in sys.stdin:\n"
                                         "  row = json.loads(line)\n"
                                         "  if row['gold'] not in ('42', 'x'): sys.exit(1)\n"
                                         "  print(json.dumps({'equal': row['gold'] == row['answer']}), flush=True)\n";
  const std::string verifier = "answer.verifier=[python3, " + (folder / "grader.py").string() + "]";
  for (const json::Json& group : GroupsOfOneStep({verifier}, folder, 1)) {
    if (!group.contains("rewards")) continue;
    for (const json::Json& reward : group.at("rewards")) EXPECT_TRUE(reward.is_null()) << group.dump();
  }
}

class CodeTest : public testing::Test {
 protected:
  void SetUp() override {
    static const std::string kWhyNot = process::WhyNoSandbox();
    if (!kWhyNot.empty()) GTEST_SKIP() << kWhyNot;
    std::ofstream file(rows_);
    for (const char* word : {"b e", "e a", "n a", "a n", "b a", "a b"}) {
      file << json::Dump({{"prompt", word}, {"test", "assert f(2) == 4"}, {"entry_point", "f"}}) << "\n";
    }
  }

  const fs::path folder_ = TestFolder();
  const fs::path rows_ = folder_ / "programs.jsonl";
  const std::vector<std::string> keys_ = {"answer.comparator=code", "estimator=ground_truth", "data.answer=[test]",
                                          "data.train=" + rows_.string()};
};

TEST_F(CodeTest, TestsOfTheRowGiveTheRewardsAndTheFiguresDuringTheRun) {
  auto keys = keys_;
  keys.insert(keys.end(), {"eval.data=" + rows_.string(), "eval.steps=1"});
  for (const json::Json& group : GroupsOfOneStep(keys, folder_, 1)) {
    // No word is a program that defines f: wrong, which is not the same as not known.
    for (const json::Json& reward : group.at("rewards")) EXPECT_EQ(reward, 0.0) << group.dump();
  }
  EXPECT_EQ(ReadLines(folder_ / "one/metrics.jsonl").at(0).at("eval/single"), 0.0);
}

TEST_F(CodeTest, EvalRunsTheTestsOfTheRow) {
  std::vector<std::string> arguments = {
      "eval",  "train.yaml",          "--data", rows_.string(), "--json", (folder_ / "figures.json").string(),
      "--set", "eval.group_sizes=[2]"};
  for (const std::string& key : keys_) arguments.insert(arguments.end(), {"--set", key});
  const auto result = RunTool(arguments, BaseFolder());
  ASSERT_TRUE(result.status.ok()) << result.err;
  const json::Json figures = json::ParseFile(folder_ / "figures.json");
  EXPECT_EQ(figures.at("target_sources").at("label"), 6);
  EXPECT_EQ(figures.at("invalid_verdicts"), 0.0);
  EXPECT_EQ(figures.at("single"), 0.0);

  std::ofstream(rows_, std::ios::app) << R"({"id": "bare", "prompt": "b e", "test": []})"
                                      << "\n";
  const auto refused = RunTool(arguments, BaseFolder());
  EXPECT_EQ(refused.status.code, 2);
  EXPECT_NE(refused.err.find("row bare"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace autodidact::e2e
