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

// The groups of one step under these keys put over train.yaml.
std::vector<json::Json> GroupsOfOneStep(const std::vector<std::string>& keys) {
  const fs::path runs = TestFolder();
  std::vector<std::string> arguments = {"train", "train.yaml", "--set", "folder=" + runs.string(),
                                        "--set", "name=one",   "--set", "train.max_steps=1"};
  for (const std::string& key : keys) arguments.insert(arguments.end(), {"--set", key});
  const auto result = RunTool(arguments, BaseFolder());
  EXPECT_TRUE(result.status.ok()) << result.err;
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

TEST(VerifierTrainTest, OneThatFailsGivesNoReward) {
  for (const json::Json& group : GroupsOfOneStep({"answer.verifier=['false']"})) {
    if (!group.contains("rewards")) continue;
    for (const json::Json& reward : group.at("rewards")) EXPECT_TRUE(reward.is_null()) << group.dump();
  }
}

TEST(CodeTrainTest, TestsOfTheRowGiveTheRewards) {
  const fs::path rows = BaseFolder() / "data/programs.jsonl";
  {
    std::ofstream file(rows);
    for (const char* word : {"b e", "e a", "n a", "a n", "b a", "a b"}) {
      file << json::Dump({{"prompt", word}, {"test", "assert True"}, {"entry_point", "f"}}) << "\n";
    }
  }
  const std::vector<std::string> keys = {"answer.comparator=code", "estimator=ground_truth", "data.answer=[test]",
                                         "data.train=" + rows.string()};
  if (!process::WhyNoSandbox().empty()) GTEST_SKIP() << process::WhyNoSandbox();
  for (const json::Json& group : GroupsOfOneStep(keys)) {
    // No word is a program that defines f: wrong, which is not the same as not known.
    for (const json::Json& reward : group.at("rewards")) EXPECT_EQ(reward, 0.0) << group.dump();
  }
}

}  // namespace
}  // namespace autodidact::e2e
