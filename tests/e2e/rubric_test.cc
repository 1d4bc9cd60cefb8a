// The rubric regime from end to end: the anchor writes criteria, another model judges.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

// Exit code of a run that learned nothing, as these may: their judges know nothing.
constexpr int kTaughtNothing = 1;

// The base model's folder under another name stands in for a judge: what it says means nothing here, that it is asked,
// recorded and rewarded for is the test. The demo's symbols are its criteria and its yes and no.
std::vector<std::string> RubricArguments(const fs::path& folder) {
  fs::copy(BaseFolder() / "base", folder / "judge", fs::copy_options::recursive);
  const std::map<std::string, std::string> overrides = {
      {"folder", folder.string()},
      {"rubric.instruction", "\"| {reference} =>\""},
      {"rubric.format", "separated"},
      {"rubric.separator", "\"#\""},  // not in the vocabulary: whatever is written is one criterion
      {"rubric.min_criteria", "1"},
      {"rubric.sampling.max_completion_length", "10"},
      {"judge.kind", "rubric"},
      {"judge.model.folder", (folder / "judge").string()},
      {"judge.instruction", "\"| {response} | {criterion} =>\""},
      {"judge.model.yes", "\"|\""},
      {"judge.model.no", "\"=\""},
      {"train.max_steps", "2"},
  };
  std::vector<std::string> arguments;
  for (const auto& [key, value] : overrides) arguments.insert(arguments.end(), {"--set", key + "=" + value});
  return arguments;
}

std::vector<std::string> With(std::vector<std::string> command, const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

// The reward of each rollout is the share of its criteria that are met, and every verdict says on what and why.
void CheckJudged(const json::Json& line, const char* completions) {
  ASSERT_FALSE(line.at("rubric").empty()) << line.dump();
  const std::size_t criteria = line.at("rubric").size();
  ASSERT_EQ(line.at("verdicts").size(), criteria * line.at(completions).size());
  std::vector<double> met(line.at(completions).size());
  for (const json::Json& verdict : line.at("verdicts")) {
    EXPECT_EQ(verdict.at("text"), line.at("rubric").at(verdict.at("criterion").get<std::size_t>()));
    EXPECT_NE(verdict.at("verdict"), "invalid");
    EXPECT_FALSE(verdict.at("reason").get<std::string>().empty());
    met.at(verdict.at("rollout").get<std::size_t>()) += verdict.at("verdict") == "met";
  }
  for (std::size_t i = 0; i < met.size(); ++i) {
    EXPECT_DOUBLE_EQ(line.at("rewards").at(i).get<double>(), met[i] / static_cast<double>(criteria));
  }
}

TEST(RubricTest, TrainsTowardsTheVerdictsOfAJudgeModel) {
  const fs::path folder = TestFolder();
  const auto result =
      RunTool(With({"train", "train.yaml", "--set", "name=run"}, RubricArguments(folder)), BaseFolder());
  ASSERT_LE(result.status.code, kTaughtNothing) << result.err;
  const auto metrics = ReadLines(folder / "run/metrics.jsonl");
  ASSERT_EQ(metrics.size(), 2u);
  for (const json::Json& line : metrics) {
    EXPECT_EQ(line.at("anchor/rubric_failed"), 0.0);
    EXPECT_EQ(line.at("anchor/criteria"), 1.0);
    EXPECT_EQ(line.at("judge/invalid_verdicts"), 0.0);
  }
  const auto groups = ReadLines(folder / "run/rollouts/step_000001.jsonl");
  ASSERT_EQ(groups.size(), 6u);
  for (const json::Json& group : groups) CheckJudged(group, "completions");
}

TEST(RubricTest, SynthesizeAndEvalJudgeTheirTexts) {
  const fs::path folder = TestFolder();
  const auto arguments = RubricArguments(folder);
  const std::string out = (folder / "out.jsonl").string();
  auto result = RunTool(With({"synthesize", "train.yaml", "--limit", "5", "--out", out}, arguments), BaseFolder());
  ASSERT_TRUE(result.status.ok()) << result.err;
  const auto lines = ReadLines(out);
  ASSERT_EQ(lines.size(), 5u);
  for (const json::Json& line : lines) CheckJudged(line, "completions");

  const std::string figures = (folder / "figures.json").string();
  result = RunTool(With({"eval", "train.yaml", "--data", "data/unlabelled.jsonl", "--limit", "5", "--json", figures,
                         "--set", "eval.group_sizes=[1, 2]"},
                        arguments),
                   BaseFolder());
  ASSERT_TRUE(result.status.ok()) << result.err;
  const json::Json judged = json::ParseFile(figures);
  EXPECT_EQ(judged.at("target_sources").at("self_made"), 5);
  EXPECT_TRUE(judged.at("single").is_number());
  EXPECT_TRUE(judged.at("synthesis").at("2").is_number());
  EXPECT_NE(result.out.find("judged score"), std::string::npos) << result.out;
}

TEST(RubricTest, AModelAsJudgeHoldsEachRolloutAgainstTheReference) {
  const fs::path folder = TestFolder();
  const auto result = RunTool(
      With(With({"train", "train.yaml", "--set", "name=run"}, RubricArguments(folder)),
           {"--set", "judge.kind=model_as_judge", "--set", "judge.instruction=\"| {reference} | {response} =>\"",
            "--set", "eval.data=data/dev.jsonl", "--set", "eval.limit=10", "--set", "eval.steps=1"}),
      BaseFolder());
  ASSERT_LE(result.status.code, kTaughtNothing) << result.err;
  for (const json::Json& line : ReadLines(folder / "run/metrics.jsonl")) {
    EXPECT_EQ(line.at("judge/invalid_verdicts"), 0.0);
    for (const char* figure : {"eval/single", "eval/greedy"}) {
      EXPECT_GE(line.at(figure).get<double>(), 0.0);
      EXPECT_LE(line.at(figure).get<double>(), 1.0);
    }
  }
  for (const json::Json& group : ReadLines(folder / "run/rollouts/step_000001.jsonl")) {
    EXPECT_TRUE(group.at("rubric").empty());
    ASSERT_EQ(group.at("verdicts").size(), group.at("completions").size());
    for (std::size_t i = 0; i < group.at("verdicts").size(); ++i) {
      EXPECT_EQ(group.at("rewards").at(i), group.at("verdicts").at(i).at("verdict") == "met" ? 1.0 : 0.0);
    }
  }
}

TEST(RubricTest, ARubricThatCannotBeReadIsACountedFailureAndNotAZero) {
  const fs::path folder = TestFolder();
  const auto result = RunTool(With(With({"train", "train.yaml", "--set", "name=run"}, RubricArguments(folder)),
                                   {"--set", "rubric.format=json", "--set", "train.max_steps=1"}),
                              BaseFolder());
  EXPECT_EQ(result.status.code, 1) << result.err;
  EXPECT_NE(result.err.find("rubric.format"), std::string::npos) << result.err;
  EXPECT_EQ(ReadLines(folder / "run/metrics.jsonl").at(0).at("anchor/rubric_failed"), 1.0);
  for (const json::Json& group : ReadLines(folder / "run/rollouts/step_000001.jsonl")) {
    EXPECT_TRUE(group.at("failure").get<std::string>().starts_with("no rubric: ")) << group.dump();
    EXPECT_TRUE(group.at("rewards").empty());
  }
}

// An endpoint that fails, then talks nonsense, then judges; its first line is its port. It ends with its input.
process::Child MisbehavingJudge() {
  process::ChildOptions options = ToolOptions(
      {"python3", tests::SourceFolder() / "tests/judge_service/misbehaving_judge.py", "500", "not_json", "ok"}, {});
  options.feed = true;
  return process::Child(std::move(options));
}

TEST(RubricTest, TheEndpointsKeyIsInNothingThatTheRunWrites) {
  const fs::path folder = TestFolder();
  process::Child server = MisbehavingJudge();
  const auto port = server.ReadLine(base::Deadline::In(std::chrono::seconds(60)));
  ASSERT_TRUE(port) << server.errors();
  auto tool = ToolOptions(
      With(With({tests::ProgramFile(), "train", "train.yaml", "--set", "name=run"}, RubricArguments(folder)),
           {"--set", "judge.backend=endpoint", "--set", "judge.instruction=", "--set",
            "judge.endpoint.base_url=http://127.0.0.1:" + *port + "/v1", "--set", "judge.endpoint.model=judge", "--set",
            "judge.endpoint.api_key_env=KEY_OF_THE_TEST", "--set", "judge.endpoint.backoff=0.01", "--set",
            "train.max_steps=1"}),
      BaseFolder());
  tool.environment.emplace_back("KEY_OF_THE_TEST=sk-very-secret");
  process::Child child(std::move(tool));
  const auto status = child.Wait(base::Deadline::In(std::chrono::minutes(5)));
  ASSERT_TRUE(status) << child.errors();
  ASSERT_LE(status->code, kTaughtNothing) << child.errors();
  for (const json::Json& group : ReadLines(folder / "run/rollouts/step_000001.jsonl"))
    CheckJudged(group, "completions");
  const auto first = server.ReadLine(base::Deadline::In(std::chrono::seconds(60)));
  ASSERT_TRUE(first);
  EXPECT_EQ(json::Parse(*first, "the server").at("key"), "Bearer sk-very-secret");
  EXPECT_EQ((child.output() + child.errors()).find("sk-very-secret"), std::string::npos);
  for (const auto& entry : fs::recursive_directory_iterator(folder / "run")) {
    if (entry.is_regular_file()) {
      EXPECT_EQ(json::ReadFile(entry.path()).find("sk-very-secret"), std::string::npos) << entry.path();
    }
  }
}

TEST(RubricTest, GradeJudgesResponsesByThemselves) {
  const fs::path folder = TestFolder();
  process::Child server = MisbehavingJudge();
  const auto port = server.ReadLine(base::Deadline::In(std::chrono::seconds(60)));
  ASSERT_TRUE(port) << server.errors();
  std::ofstream(folder / "judge.yaml") << "judge:\n  kind: rubric\n  backend: endpoint\n  endpoint:\n    base_url: "
                                       << "http://127.0.0.1:" << *port << "/v1\n    model: judge\n    backoff: 0.01\n";
  auto tool = ToolOptions({tests::ProgramFile(), "grade", "--config", (folder / "judge.yaml").string()}, {});
  tool.feed = true;
  process::Child grade(std::move(tool));
  grade.Write(R"({"id": 1, "response": "red blue", "rubric": ["says red", "says green"]}
{"id": 2, "response": "red bad", "rubric": [{"criterion": "says red", "points": 5}, {"criterion": "says bad", "points": -3}]}
{"id": 3, "response": "red", "rubric": [{"criterion": "says red", "points": -1}]}
{"id": 4, "response": "red", "rubric": ["says red"]}
)");
  grade.CloseInput();
  const auto status = grade.Wait(base::Deadline::In(std::chrono::minutes(2)));
  ASSERT_TRUE(status && status->ok()) << grade.errors();
  std::istringstream lines(grade.output());
  std::vector<json::Json> graded;
  for (std::string line; std::getline(lines, line);) graded.push_back(json::Parse(line, "output"));
  ASSERT_EQ(graded.size(), 4u) << grade.output();
  EXPECT_DOUBLE_EQ(graded[0].at("reward").get<double>(), 0.5);
  EXPECT_EQ(graded[0].at("verdict"), "wrong");
  EXPECT_EQ(graded[0].at("verdicts").at(1).at("text"), "says green");
  EXPECT_DOUBLE_EQ(graded[1].at("reward").get<double>(), 0.4);
  EXPECT_EQ(graded[2].at("verdict"), "invalid");
  EXPECT_TRUE(graded[2].at("reward").is_null());
  EXPECT_EQ(graded[3].at("verdict"), "right");
}

}  // namespace
}  // namespace autodidact::e2e
