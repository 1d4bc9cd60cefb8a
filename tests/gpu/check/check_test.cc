#include "tests/gpu/check/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "model/config.h"

namespace autodidact::gpu_check {
namespace {

using json::Json;
using testing::HasSubstr;
using testing::IsEmpty;

class FolderTest : public testing::TestWithParam<std::string> {
 protected:
  FolderTest()
      : folder_(testing::TempDir() + "gpu_check_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_;
};

std::vector<Json> Scored(std::vector<std::vector<double>> lines) {
  std::vector<Json> rows;
  for (const auto& line : lines) rows.push_back({{"logprobs", line}});
  return rows;
}

TEST(CompareScoresTest, PassesWhatIsOffByNoMoreThanTheTolerance) {
  const auto exact = Scored({{-1.0, -2.0}, {-3.0}});
  const Finding finding = CompareScores(exact, exact, Scored({{-1.0, -2.00005}, {-3.0}}), 1e-4);
  EXPECT_THAT(finding.fault, IsEmpty());
  EXPECT_EQ(finding.figures.at("tokens"), 3);
}

TEST(CompareScoresTest, FailsWhatIsOffByMore) {
  const auto exact = Scored({{-1.0, -2.0}, {-3.0}});
  EXPECT_THAT(CompareScores(exact, exact, Scored({{-1.0, -2.01}, {-3.0}}), 1e-4).fault, HasSubstr("differ by"));
}

TEST(CompareScoresTest, AllowsTwiceWhatTheCpuIsOffInTheSameFormat) {
  const auto exact = Scored({{-1.0, -2.0}});
  const auto cpu = Scored({{-1.1, -2.1}});
  EXPECT_THAT(CompareScores(exact, cpu, Scored({{-1.15, -2.15}}), 1e-4).fault, IsEmpty());
  EXPECT_FALSE(CompareScores(exact, cpu, Scored({{-1.3, -2.3}}), 1e-4).fault.empty());
}

TEST(CompareScoresTest, ValuesThatAreNoNumbersAreMissing) {
  const auto exact = Scored({{-1.0}});
  std::vector<Json> broken = {Json{{"logprobs", {nullptr}}}};
  EXPECT_FALSE(CompareScores(exact, exact, broken, 1e-4).fault.empty());
  EXPECT_THROW(CompareScores(exact, exact, {}, 1e-4), base::Error);
}

Generated Greedy(std::vector<int> ids, std::vector<double> logprobs, std::vector<double> scores) {
  Generated generated;
  generated.lines = {Json{{"ids", ids}, {"logprobs", logprobs}}};
  scores.insert(scores.begin(), -9.0);  // of the prompt's second token
  generated.scores = Scored({scores});
  return generated;
}

TEST(CompareGreedyTest, PassesEqualTokens) {
  const auto same = Greedy({4, 5}, {-0.5, -0.7}, {-0.5, -0.7});
  const Finding finding = CompareGreedy(same, same, 1e-4);
  EXPECT_THAT(finding.fault, IsEmpty());
  EXPECT_EQ(finding.figures.at("equal_tokens"), 2);
}

TEST(CompareGreedyTest, PassesAnotherTokenThatIsAsLikely) {
  const auto cpu = Greedy({4, 5}, {-0.5, -0.70000}, {-0.5, -0.70000});
  const auto device = Greedy({4, 6}, {-0.5, -0.70002}, {-0.5, -0.70002});
  EXPECT_THAT(CompareGreedy(cpu, device, 1e-4).fault, IsEmpty());
}

TEST(CompareGreedyTest, FailsALessLikelyToken) {
  const auto cpu = Greedy({4, 5}, {-0.5, -0.7}, {-0.5, -0.7});
  const auto device = Greedy({4, 6}, {-0.5, -0.9}, {-0.5, -0.9});
  EXPECT_THAT(CompareGreedy(cpu, device, 1e-4).fault, HasSubstr("likelier"));
}

TEST(CompareGreedyTest, FailsLogprobsThatAreNotThoseOfTheTokens) {
  const auto cpu = Greedy({4, 5}, {-0.5, -0.7}, {-0.5, -0.7});
  const auto device = Greedy({4, 5}, {-0.5, -0.7}, {-0.5, -2.0});
  EXPECT_THAT(CompareGreedy(cpu, device, 1e-4).fault, HasSubstr("own tokens"));
}

TEST(CompareStepsTest, NamesTheFigureThatDiffers) {
  const Json cpu = {{"loss", 0.5}, {"kl", 0.1}, {"entropy", 3.0}, {"grad_norm", 2.0}};
  Json device = cpu;
  EXPECT_THAT(CompareSteps(cpu, device, 1e-3).fault, IsEmpty());
  device["grad_norm"] = 2.1;
  EXPECT_THAT(CompareSteps(cpu, device, 1e-3).fault, HasSubstr("grad_norm"));
  device["grad_norm"] = nullptr;
  EXPECT_THAT(CompareSteps(cpu, device, 1e-3).fault, HasSubstr("grad_norm"));
}

using ModelTest = FolderTest;

TEST_P(ModelTest, LoadsAndTakesAStep) {
  WriteModel(GetParam(), folder_);
  EXPECT_EQ(model::ReadModelConfig(folder_).num_layers, 4);
  const Json figures = GrpoStep(
      {.model = folder_.string(), .device = "cpu", .groups = 1, .rollouts = 3, .prompt_tokens = 4, .new_tokens = 5});
  EXPECT_GT(figures.at("grad_norm").get<double>(), 0);
  EXPECT_NE(figures.at("loss").get<double>(), 0);
  EXPECT_GT(figures.at("kl").get<double>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Families, ModelTest, testing::Values("llama", "qwen2", "qwen3", "gemma3"),
                         [](const auto& info) { return info.param; });

using SummaryTest = FolderTest;

TEST_F(SummaryTest, CountsAndNamesThePartsThatFailed) {
  std::ofstream(folder_ / "parts.tsv") << "a\tpassed\t3\t\nb\tfailed\t4\tno end within 4 s\nc\tskipped\t0\twhy\n";
  std::ofstream(folder_ / "a.json") << R"({"tokens": 12, "inner": {"speed": 2.5}})";
  const Json summary = Summary(folder_, "a card");
  EXPECT_EQ(summary.at("failed"), 1);
  EXPECT_EQ(summary.at("parts").size(), 3);
  const std::string table = Table(summary);
  EXPECT_THAT(table, HasSubstr("tokens 12, inner.speed 2.5"));
  EXPECT_THAT(table, HasSubstr("no end within 4 s"));
  EXPECT_THAT(table, HasSubstr("1 parts failed"));
}

}  // namespace
}  // namespace autodidact::gpu_check
