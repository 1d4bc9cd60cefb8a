#include "data/run_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "json/json.h"

namespace autodidact::data {
namespace {

class RunFolderTest : public testing::Test {
 protected:
  RunFolderTest()
      : folder_(std::filesystem::path(testing::TempDir()) / ("autodidact_run_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
  }
  ~RunFolderTest() override { std::filesystem::remove_all(folder_); }

  std::string Metrics() const { return json::ReadFile(folder_ / "metrics.jsonl"); }
  std::filesystem::path Step(const std::string& number) const {
    return folder_ / "rollouts" / ("step_" + number + ".jsonl");
  }

  std::filesystem::path folder_;
};

GroupRecord Record() {
  GroupRecord record;
  record.prompt = {.id = "q1", .text = "two plus two", .messages = {}, .columns = "{}"};
  record.scored.actor = "actor-0";
  record.scored.group.ticket = 5;
  record.scored.group.prompt_ids = {1, 2, 3};
  schema::Rollout rollout;
  rollout.ids = {7, 8};
  rollout.first_version = 3;
  rollout.last_version = 4;
  rollout.text = "four\xff";
  record.scored.group.rollouts = {rollout, rollout};
  record.scored.reference =
      schema::Reference{.text = "4", .generation = "so: 4", .rubric = {{"says 4", 2.0}}, .stages = 1};
  record.scored.verdicts = {{.rollout = 0, .criterion = 0, .kind = schema::VerdictKind::kMet, .reason = "it does"}};
  record.scored.rewards = {schema::Reward(1.0),
                           schema::Reward(base::Failure{base::ErrorKind::kRetryLater, "no judge"})};
  record.advantages = {0.5, -0.5};
  return record;
}

TEST_F(RunFolderTest, MetricsAreOneFlatLinePerStep) {
  RunFolder run(folder_, false, 0);
  run.WriteMetrics(1, {{"reward", 0.25}, {"kl", std::nan("")}});
  run.WriteMetrics(2, {{"clip_ratio/mean", 0.0}});
  EXPECT_EQ(Metrics(), "{\"step\":1,\"kl\":null,\"reward\":0.25}\n{\"step\":2,\"clip_ratio/mean\":0.0}\n");
}

TEST_F(RunFolderTest, AMetricThatIsAFolderOfOthersIsABug) {
  RunFolder run(folder_, false, 0);
  try {
    run.WriteMetrics(1, {{"reward", 1.0}, {"reward/mean", 1.0}});
    FAIL() << "no error was thrown";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBug);
  }
}

TEST_F(RunFolderTest, AGroupIsOneLineWithAllThatIsKnown) {
  RunFolder run(folder_, false, 0);
  run.WriteRollouts(12, {Record()});
  const json::Json line = json::ParseFile(Step("000012"));
  EXPECT_EQ(line["step"], 12);
  EXPECT_EQ(line["ticket"], 5);
  EXPECT_EQ(line["prompt"], "two plus two");
  EXPECT_EQ(line["completions"][0], "four\xEF\xBF\xBD");
  EXPECT_EQ(line["stop_reasons"][0], "eos");
  EXPECT_EQ(line["num_tokens"], json::Json({2, 2}));
  EXPECT_EQ(line["first_versions"][0], 3);
  EXPECT_EQ(line["reference"], "4");
  EXPECT_EQ(line["rubric"][0], "says 4");
  EXPECT_EQ(line["rubric_points"][0], 2.0);
  EXPECT_TRUE(line["failure"].is_null());
  EXPECT_EQ(line["rewards"], json::Json({1.0, nullptr}));
  EXPECT_EQ(line["reward_failures"], json::Json({nullptr, "no judge"}));
  EXPECT_EQ(line["verdicts"][0]["verdict"], "met");
  EXPECT_EQ(line["verdicts"][0]["text"], "says 4");
  EXPECT_EQ(line["verdicts"][0]["reason"], "it does");
  EXPECT_EQ(line["advantages"], json::Json({0.5, -0.5}));
}

TEST_F(RunFolderTest, AFailedReferenceIsNullWithItsReason) {
  RunFolder run(folder_, false, 0);
  GroupRecord record = Record();
  record.prompt.messages = {{"user", "hello"}};
  record.scored.reference = base::Failure{base::ErrorKind::kRetryLater, "too long for the context"};
  record.scored.rewards.clear();
  run.WriteRollouts(1, {record});
  const json::Json line = json::ParseFile(Step("000001"));
  EXPECT_TRUE(line["reference"].is_null());
  EXPECT_EQ(line["failure"], "too long for the context");
  EXPECT_EQ(line["rewards"], json::Json::array());
  EXPECT_EQ(line["prompt"][0]["content"], "hello");
}

TEST_F(RunFolderTest, AnExistingRunIsRefusedUnlessResumed) {
  { RunFolder(folder_, false, 0).WriteMetrics(1, {{"reward", 1.0}}); }
  try {
    RunFolder again(folder_, false, 0);
    FAIL() << "no error was thrown";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    EXPECT_NE(error.message().find("already holds"), std::string::npos);
  }
  EXPECT_EQ(Metrics(), "{\"step\":1,\"reward\":1.0}\n");
}

TEST_F(RunFolderTest, ALineThatAPowerCutLeftIsPassedOver) {
  { RunFolder(folder_, false, 0).WriteMetrics(1, {{"reward", 1.0}}); }
  std::ofstream(folder_ / "metrics.jsonl", std::ios::app) << std::string(20, '\0') << "\n{\"step\": 2}\n";
  RunFolder(folder_, true, 2).WriteMetrics(3, {{"reward", 0.5}});
  EXPECT_EQ(Metrics(), "{\"step\":1,\"reward\":1.0}\n{\"step\": 2}\n{\"step\":3,\"reward\":0.5}\n");
}

TEST_F(RunFolderTest, ResumingNeedsAFolder) {
  EXPECT_THROW(RunFolder(folder_, true, 1), base::Error);
}

TEST_F(RunFolderTest, ResumeCutsWhatCameAfterItsStep) {
  {
    RunFolder run(folder_, false, 0);
    for (int step = 1; step <= 4; ++step) {
      run.WriteMetrics(step, {{"reward", 1.0}});
      run.WriteRollouts(step, {Record()});
    }
  }
  std::ofstream(folder_ / "metrics.jsonl", std::ios::app) << "{\"step\":5,\"rew";  // killed while writing
  RunFolder run(folder_, true, 2);
  run.WriteMetrics(3, {{"reward", 0.5}});
  EXPECT_EQ(Metrics(), "{\"step\":1,\"reward\":1.0}\n{\"step\":2,\"reward\":1.0}\n{\"step\":3,\"reward\":0.5}\n");
  EXPECT_TRUE(std::filesystem::exists(Step("000002")));
  EXPECT_FALSE(std::filesystem::exists(Step("000003")));
  EXPECT_FALSE(std::filesystem::exists(Step("000004")));
}

}  // namespace
}  // namespace autodidact::data
