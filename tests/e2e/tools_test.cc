// The commands beside `train`.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "process/sandbox.h"
#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

// Lines in, lines out.
std::vector<json::Json> Pipe(const std::vector<std::string>& arguments, const std::string& input) {
  const ToolResult result = FeedTool(arguments, input);
  EXPECT_TRUE(result.status.ok()) << result.err;
  std::vector<json::Json> lines;
  std::istringstream stream(result.out);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::Parse(line, "output"));
  return lines;
}

TEST(SynthesizeTest, GivesEveryPromptItsGroupAndItsReference) {
  const fs::path folder = TestFolder();
  const auto result =
      RunTool({"synthesize", "train.yaml", "--limit", "10", "--out", (folder / "out.jsonl").string()}, BaseFolder());
  ASSERT_TRUE(result.status.ok()) << result.err;
  const auto lines = ReadLines(folder / "out.jsonl");
  ASSERT_EQ(lines.size(), 10u);
  for (const json::Json& line : lines) {
    EXPECT_EQ(line.at("completions").size(), 4u);
    EXPECT_TRUE(line.contains("reference") || line.contains("failure"));
  }
}

TEST(SynthesizeTest, ItsReferencesAreWhatSftLearns) {
  const fs::path folder = TestFolder();
  const auto references =
      RunTool({"synthesize", "train.yaml", "--limit", "40", "--out", (folder / "refs.jsonl").string()}, BaseFolder());
  ASSERT_TRUE(references.status.ok()) << references.err;
  std::ofstream(folder / "cat_sft.yaml") << "model: " << (BaseFolder() / "base").string() << "\n"
                                         << "output: tuned\n"
                                            "data: [{file: refs.jsonl}]\n"
                                            "prompt: {format: plain, text: \"{prompt} =\"}\n"
                                            "max_steps: 40\nbatch_size: 16\nlearning_rate: 3e-3\nwarmup_steps: 2\n"
                                            "threads: 1\n";
  const auto tuned = RunTool({"sft", "cat_sft.yaml"}, folder);
  ASSERT_TRUE(tuned.status.ok()) << tuned.err;
  // The tuned model finds the references likelier than the base does.
  std::string input;
  for (const json::Json& line : ReadLines(folder / "refs.jsonl")) {
    if (!line.contains("reference")) continue;
    input +=
        json::Dump({{"prompt", line.at("prompt").get<std::string>() + " ="}, {"completion", line.at("reference")}}) +
        "\n";
  }
  ASSERT_FALSE(input.empty());
  std::map<std::string, double> sums;
  for (const std::string& model : {(BaseFolder() / "base").string(), (folder / "tuned").string()}) {
    for (const json::Json& line : Pipe({"score", model}, input)) {
      for (const double logprob : line.at("logprobs")) sums[model] += logprob;
    }
  }
  EXPECT_GT(sums[(folder / "tuned").string()], sums[(BaseFolder() / "base").string()] / 2);
}

TEST(SftTest, BuildsBothSkillsFromPairsAloneAndGivesTheSameBitsTwice) {
  const fs::path folder = TestFolder();
  std::vector<std::string> models;
  for (const char* name : {"one", "two"}) {
    const auto result = RunTool({"sft", "sft.yaml", "--set", "output=" + (folder / name).string(), "--set",
                                 "data=[{file: data/labelled.jsonl}]", "--set",
                                 "reconcile={enabled: true, fold_steps: 10, num_candidates: 4, group_sizes: [2, 4]}",
                                 "--set", "rollout.max_completion_length=10", "--set", "max_steps=10"},
                                BaseFolder());
    ASSERT_TRUE(result.status.ok()) << result.err;
    models.push_back(json::ReadFile(folder / name / "model.safetensors"));
    const auto candidates = ReadLines(folder / name / "candidates.jsonl");
    ASSERT_EQ(candidates.size(), 400u);
    EXPECT_EQ(candidates[0].at("candidates").size(), 4u);
  }
  EXPECT_EQ(models[0], models[1]);

  const auto result = RunTool({"sft", "sft.yaml", "--set", "output=" + (folder / "apart").string(), "--set",
                               "data=[{file: data/labelled.jsonl}]", "--set",
                               "reconcile={enabled: true, apart: true, folds: 4, fold_steps: 10, num_candidates: 4}",
                               "--set", "rollout.max_completion_length=10", "--set", "max_steps=10"},
                              BaseFolder());
  ASSERT_TRUE(result.status.ok()) << result.err;
  const auto labelled = ReadLines(BaseFolder() / "data/labelled.jsonl");
  const auto candidates = ReadLines(folder / "apart" / "candidates.jsonl");
  ASSERT_EQ(candidates.size(), 100u);
  EXPECT_EQ(candidates[1].at("answers").at(0), labelled[4].at("answer"));
  EXPECT_NE(json::ReadFile(folder / "apart" / "model.safetensors"), models[0]);
}

TEST(SftTest, ReconcilesToTheVoteOfManyCandidatesOfUnlabelledPrompts) {
  const fs::path folder = TestFolder();
  const auto sft = [&](const std::string& reconcile) {
    return RunTool({"sft", "sft.yaml", "--set", "output=" + (folder / "model").string(), "--set",
                    "data=[{file: data/labelled.jsonl}]", "--set", "reconcile={enabled: true, " + reconcile + "}",
                    "--set", "rollout.max_completion_length=10", "--set", "max_steps=10"},
                   BaseFolder());
  };
  auto result = sft("prompts: data/unlabelled.jsonl, max_prompts: 50, fold_steps: 60, num_candidates: 16");
  ASSERT_TRUE(result.status.ok()) << result.err;
  const auto rows = ReadLines(folder / "model" / "candidates.jsonl");
  EXPECT_GT(rows.size(), 40u);
  for (const json::Json& row : rows) {
    const auto candidates = row.at("candidates").get<std::vector<std::string>>();
    ASSERT_EQ(candidates.size(), 16u);
    const auto votes = [&](const std::string& text) { return std::count(candidates.begin(), candidates.end(), text); };
    for (const std::string& candidate : candidates) {
      EXPECT_GE(votes(row.at("answers").at(0).get<std::string>()), votes(candidate));
    }
  }
  result = sft("prompts: data/unlabelled.jsonl, apart: true");
  EXPECT_EQ(result.status.code, 2);
  EXPECT_NE(result.err.find("reconcile.apart"), std::string::npos) << result.err;
}

TEST(LinesTest, TokenizeThereAndBack) {
  const auto ids = Pipe({"tokenize", "base"}, "{\"text\": \"b e a =\"}\n");
  ASSERT_EQ(ids.size(), 1u);
  EXPECT_EQ(ids[0].at("ids").size(), 5u);  // with <bos>
  const auto text = Pipe({"tokenize", "base", "--decode"}, ids[0].dump() + "\n");
  EXPECT_EQ(text.at(0).at("text"), "b e a =");
}

TEST(GradeTest, AnswersEveryLineInItsOrder) {
  const auto lines = Pipe({"grade", "--jobs", "3"},
                          R"x({"gold": "\\frac12", "answer": "We get $x = 0.5$.", "id": "a"}

{"gold": "(1,2)", "answer": "so \\boxed{(2,1)}"}
{"program": "def f(x):\n    return x", "tests": ["assert f(2) == 2", "assert f(3) == 4"]}
)x"
                          R"x({"program": "    return 2 * x", "prompt": "def f(x):\n", "entry_point": "f", )x"
                          R"x("tests": "def check(candidate):\n    assert candidate(2) == 4"}
)x");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].at("id"), "a");
  EXPECT_EQ(lines[0].at("verdict"), "right");
  EXPECT_EQ(lines[0].at("reward"), 1.0);
  EXPECT_EQ(lines[1].at("verdict"), "wrong");
  EXPECT_EQ(lines[1].at("equal"), false);
  const bool has_sandbox = process::WhyNoSandbox().empty();
  EXPECT_EQ(lines[2].at("outcome"), has_sandbox ? "failed" : "unavailable");
  EXPECT_EQ(lines[2].at("reward").is_null(), !has_sandbox);
  EXPECT_EQ(lines[3].at("verdict"), has_sandbox ? "right" : "invalid");
}

TEST(GradeTest, TakesTheLabelsThatEvalTakes) {
  const auto lines =
      Pipe({"grade"},
           R"x({"gold": 123456789012345678901234567890, "answer": "The answer is 123456789012345678901234567890."}
{"gold": ["7", 0.5], "answer": "**Answer:** $\\frac12$"}
{"answers": ["7", "8"], "answer": "The answer is 8."}
{"label": "1, 2", "answer": "so \\boxed{1} and \\boxed{2}"}
{"solution": 5, "answer": 5.0}
{"gold": ["7", "8"], "answer": "The answer is 7 or 8."}
)x");
  ASSERT_EQ(lines.size(), 6u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(lines[i].at("verdict"), "right") << lines[i];
  EXPECT_EQ(lines[5].at("verdict"), "wrong");
}

TEST(GradeTest, RefusesLabelsThatAreNone) {
  auto options = ToolOptions({tests::ProgramFile().string(), "grade", "--extractor", "last_number"}, BaseFolder());
  options.feed = true;
  process::Child child(std::move(options));
  child.Write(R"({"gold": "\\sqrt{2}", "answer": "5\\sqrt{2}"})"
              "\n{\"gold\": \"\", \"answer\": \"5\"}\n{\"gold\": [], \"answer\": \"5\"}\n"
              "{\"gold\": \"5\", \"gold\": \"6\", \"answer\": \"5\"}\n");
  child.CloseInput();
  EXPECT_EQ(child.Wait(base::Deadline::In(std::chrono::minutes(1))), (process::ExitStatus{false, 2}));
  std::istringstream stream(child.output());
  for (const char* reason :
       {"is more than a number", "expected a label", "an empty list", "has the key 'gold' twice"}) {
    std::string line;
    std::getline(stream, line);
    const json::Json graded = json::Parse(line, "output");
    EXPECT_EQ(graded.at("verdict"), "invalid");
    EXPECT_NE(graded.at("reason").get<std::string>().find(reason), std::string::npos) << line;
  }
}

TEST(GradeTest, LinesThatCannotBeReadGetAnInvalidVerdictAndExitCodeTwo) {
  auto options = ToolOptions({tests::ProgramFile().string(), "grade"}, BaseFolder());
  options.feed = true;
  process::Child child(std::move(options));
  child.Write("{\"gold\": \"1\"}\nnot json\n{\"gold\": \"1\", \"answer\": \"1.0\"}\n");
  child.CloseInput();
  EXPECT_EQ(child.Wait(base::Deadline::In(std::chrono::minutes(1))), (process::ExitStatus{false, 2}));
  std::istringstream stream(child.output());
  for (const char* verdict : {"invalid", "invalid", "right"}) {
    std::string line;
    std::getline(stream, line);
    const json::Json graded = json::Parse(line, "output");
    EXPECT_EQ(graded.at("verdict"), verdict);
    EXPECT_EQ(graded.at("reward").is_null(), graded.at("verdict") == "invalid");
  }
}

TEST(LinesTest, ScoreGivesTheLogprobsThatGenerateReported) {
  const auto generated = Pipe({"generate", "base", "--n", "3", "--seed", "5", "--max-new-tokens", "10"},
                              "{\"prompt\": \"b e a n a n a =\"}\n");
  ASSERT_EQ(generated.size(), 3u);
  const auto prompt = Pipe({"tokenize", "base"}, "{\"text\": \"b e a n a n a =\"}\n").at(0).at("ids");
  for (const json::Json& line : generated) {
    json::Json ids = prompt;
    for (const auto& id : line.at("ids")) ids.push_back(id);
    const auto scored = Pipe({"score", "base"}, json::Dump({{"ids", ids}}) + "\n");
    const std::size_t skip = prompt.size() - 1;
    for (std::size_t t = 0; t < line.at("ids").size(); ++t) {
      EXPECT_NEAR(scored.at(0).at("logprobs").at(skip + t).get<double>(), line.at("logprobs").at(t).get<double>(),
                  1e-4);
    }
  }
}

}  // namespace
}  // namespace autodidact::e2e
