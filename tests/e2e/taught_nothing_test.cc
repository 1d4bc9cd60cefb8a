// Runs that learn nothing: refused before their first step, or ended with a diagnosis, and never a success.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

class TaughtNothingTest : public testing::Test {
 protected:
  std::vector<std::string> Arguments(const std::vector<std::string>& keys) const {
    std::vector<std::string> arguments = {"train", "train.yaml", "--set", "folder=" + runs_.string(),
                                          "--set", "name=run"};
    for (const std::string& key : keys) arguments.insert(arguments.end(), {"--set", key});
    return arguments;
  }

  // Trains under these keys; the run must end with this code, and its log must hold each of these.
  void Expect(int code, const std::vector<std::string>& keys, const std::vector<std::string>& said) {
    fs::remove_all(runs_ / "run");
    const auto result = RunTool(Arguments(keys), BaseFolder());
    EXPECT_EQ(result.status.code, code) << keys.front() << "\n" << result.err;
    for (const std::string& part : said) {
      EXPECT_NE(result.err.find(part), std::string::npos) << keys.front() << ": \"" << part << "\" in\n" << result.err;
    }
    EXPECT_EQ(fs::exists(runs_ / "run"), code != 2) << keys.front();
  }

  json::Json Outcome() const { return json::ParseFile(runs_ / "run/outcome.json"); }
  std::size_t Steps() const { return ReadLines(runs_ / "run/metrics.jsonl").size(); }

  // A verifier in Python; `equal` is an expression over gold and answer.
  std::string VerifierKey(const std::string& equal) const {
    std::ofstream(runs_ / "grader.py") << "import json, sys\n"
                                          "for line in sys.stdin:\n"
                                          "  row = json.loads(line)\n"
                                          "  gold, answer = row['gold'], row['answer']\n"
                                          "  print(json.dumps({'equal': bool("
                                       << equal << ")}), flush=True)\n";
    return "answer.verifier=[python3, " + (runs_ / "grader.py").string() + "]";
  }

  const fs::path runs_ = TestFolder();
};

TEST_F(TaughtNothingTest, OneThatLearnsEndsWellAndSaysSo) {
  Expect(0, {"estimator=majority", "train.max_steps=2"}, {});
  EXPECT_EQ(Outcome().at("end"), "finished");
  double taught = 0;
  for (const json::Json& line : ReadLines(runs_ / "run/metrics.jsonl")) {
    taught += line.at("groups/with_spread").get<double>();
  }
  EXPECT_GT(taught, 0);
}

TEST_F(TaughtNothingTest, WhatCannotWorkIsRefusedBeforeTheFirstStep) {
  Expect(2, {"answer.verifier=[/nonexistent/grader]"}, {"answer.verifier", "/nonexistent/grader"});
  Expect(2, {"answer.verifier=[/bin/false]"}, {"answer.verifier", "ended without an answer"});
  Expect(2, {VerifierKey("True")}, {"answer.verifier", "yes to everything"});
  Expect(2, {VerifierKey("gold == answer)}) + chr(10) + json.dumps({'equal': bool(False")},
         {"answer.verifier", "more than one line for a question"});
  Expect(2, {"train.learning_rate=0"}, {"train.learning_rate"});
  Expect(2, {"rollout.top_k=1"}, {"rollout.top_k"});
  Expect(2, {"rollout.temperature=0"}, {"rollout.temperature"});
  Expect(2, {"anchor.context=12"}, {"anchor.context"});
  Expect(2, {"anchor.instruction=Reconcile these {candidates}"}, {"anchor.instruction"});
  Expect(2,
         {"judge.kind=rubric", "judge.backend=endpoint", "judge.endpoint.base_url=http://127.0.0.1:9/v1",
          "judge.endpoint.model=m", "judge.endpoint.retries=0",
          "judge.instruction=", "rubric.instruction=\"| {reference} =>\"", "rubric.sampling.max_completion_length=10"},
         {"judge.endpoint.base_url", "connect"});
}

TEST_F(TaughtNothingTest, PromptsThatNoneFitAreRefusedAndASomeAreCounted) {
  std::string longest = "b";
  for (int i = 0; i < 300; ++i) longest += " e";
  std::ofstream(runs_ / "long.jsonl") << json::Dump({{"prompt", longest}}) << "\n";
  std::ofstream(runs_ / "some.jsonl") << json::Dump({{"prompt", longest}}) << "\n{\"prompt\": \"b e a\"}\n";
  Expect(2, {"data.train=" + (runs_ / "long.jsonl").string()}, {"long.jsonl: row 1: 1 of 1 prompts do not fit"});
  Expect(0, {"data.train=" + (runs_ / "some.jsonl").string(), "estimator=majority", "train.max_steps=2"},
         {"some.jsonl: row 1: 1 of 2 prompts do not fit"});
}

TEST_F(TaughtNothingTest, AFormThatNeverOccursIsNamedAndEndsTheRun) {
  Expect(1, {"answer.extractor=boxed", "train.max_steps=2"},
         {"step 1 teaches nothing: 6 of 6 groups have no reference", "answer.extractor"});
  EXPECT_EQ(Outcome().at("end"), "empty");
  EXPECT_NE(Outcome().at("message").get<std::string>().find("answer.extractor"), std::string::npos);
  EXPECT_TRUE(fs::exists(runs_ / "run/checkpoints/latest/manifest.json"));
  EXPECT_EQ(ReadLines(runs_ / "run/metrics.jsonl").at(1).at("groups/no_reference"), 6);

  const auto report = RunTool({"report", (runs_ / "run").string()});
  ASSERT_TRUE(report.status.ok()) << report.err;
  const std::string page = json::ReadFile(runs_ / "run/report.html");
  EXPECT_NE(page.find("class=\"alarm\""), std::string::npos);
  EXPECT_NE(page.find("Nothing was learned"), std::string::npos);
}

TEST_F(TaughtNothingTest, SoManyEmptyStepsInARowEndIt) {
  const std::string no = VerifierKey("gold == answer and gold in ('42', 'x')");
  Expect(1, {no, "train.max_steps=20"}, {"answer.verifier", "train.max_empty_steps: 5"});
  EXPECT_EQ(Steps(), 5u);
  Expect(1, {no, "train.max_steps=20", "train.max_empty_steps=2"}, {"train.max_empty_steps: 2"});
  EXPECT_EQ(Steps(), 2u);
  Expect(1, {no, "train.max_steps=7", "train.max_empty_steps=0"}, {"answer.verifier"});
  EXPECT_EQ(Steps(), 7u);
}

TEST_F(TaughtNothingTest, WhereEveryRewardIsFullNothingIsLeftToLearn) {
  Expect(0, {VerifierKey("answer not in ('17', 'a wrong answer')"), "train.max_steps=20", "estimator=majority"},
         {"nothing is left to learn"});
  EXPECT_EQ(Steps(), 5u);
  EXPECT_EQ(Outcome().at("end"), "nothing_left");
}

TEST_F(TaughtNothingTest, CandidatesThatTheAnchorCannotHoldAreNamed) {
  Expect(1, {"anchor.context=18", "train.max_steps=1"},
         {"two candidates of rollout.max_completion_length", "anchor.context"});
}

TEST_F(TaughtNothingTest, AJudgeThatBeginsToTalkNonsenseIsNamed) {
  auto options = ToolOptions(
      {"python3", tests::SourceFolder() / "tests/judge_service/misbehaving_judge.py", "ok", "not_json"}, {});
  options.feed = true;
  process::Child server(std::move(options));
  const auto port = server.ReadLine(base::Deadline::In(std::chrono::seconds(60)));
  ASSERT_TRUE(port) << server.errors();
  Expect(1,
         {"judge.kind=rubric", "judge.backend=endpoint", "judge.endpoint.base_url=http://127.0.0.1:" + *port + "/v1",
          "judge.endpoint.model=m", "judge.attempts=1", "rubric.instruction=\"| {reference} =>\"",
          "rubric.format=separated", "rubric.separator=\"#\"", "rubric.min_criteria=1",
          "rubric.sampling.max_completion_length=10", "train.max_steps=1"},
         {"groups have fewer than two rewards", "judge.endpoint.model"});
}

TEST_F(TaughtNothingTest, RanksUnderMpirunEndCleanlyWithTheSameCode) {
  std::vector<std::string> argv = {"mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "4", tests::ProgramFile()};
  const auto run = [&](const std::vector<std::string>& keys) {
    fs::remove_all(runs_ / "run");
    auto whole = argv;
    const auto arguments = Arguments(keys);
    whole.insert(whole.end(), arguments.begin(), arguments.end());
    process::Child job(ToolOptions(whole, BaseFolder()));
    const auto status = job.Wait(base::Deadline::In(std::chrono::minutes(4)));
    EXPECT_TRUE(status) << job.errors();
    EXPECT_EQ((job.output() + job.errors()).find("MPI_ABORT"), std::string::npos) << job.errors();
    return status ? status->code : -1;
  };
  EXPECT_EQ(run({"answer.verifier=[/bin/false]"}), 2);
  EXPECT_FALSE(fs::exists(runs_ / "run"));
  EXPECT_EQ(run({"answer.extractor=boxed", "train.max_steps=1"}), 1);
  EXPECT_EQ(Outcome().at("end"), "empty");
}

TEST_F(TaughtNothingTest, ADryRunChecksAndAsksTheEndpointOnRequest) {
  const std::vector<std::string> keys = {"judge.kind=rubric",
                                         "judge.backend=endpoint",
                                         "judge.endpoint.base_url=http://127.0.0.1:9/v1",
                                         "judge.endpoint.model=m",
                                         "judge.endpoint.retries=0",
                                         "rubric.instruction=\"| {reference} =>\"",
                                         "rubric.sampling.max_completion_length=10"};
  auto arguments = Arguments(keys);
  arguments.emplace_back("--dry-run");
  EXPECT_EQ(RunTool(arguments, BaseFolder()).status.code, 0);
  arguments.emplace_back("--probe");
  const auto probed = RunTool(arguments, BaseFolder());
  EXPECT_EQ(probed.status.code, 2);
  EXPECT_NE(probed.err.find("judge.endpoint.base_url"), std::string::npos) << probed.err;
  auto broken = Arguments({"answer.verifier=[/bin/false]", "train.learning_rate=0"});
  broken.emplace_back("--dry-run");
  const auto refused = RunTool(broken, BaseFolder());
  EXPECT_EQ(refused.status.code, 2);
  for (const char* part : {"2 problems", "answer.verifier", "train.learning_rate"}) {
    EXPECT_NE(refused.err.find(part), std::string::npos) << refused.err;
  }
}

TEST_F(TaughtNothingTest, ReferencesThatAllFailAreNoSuccess) {
  const std::string file = (runs_ / "references.jsonl").string();
  const auto result = RunTool(
      {"synthesize", "train.yaml", "--limit", "8", "--out", file, "--set", "answer.extractor=boxed"}, BaseFolder());
  EXPECT_EQ(result.status.code, 1) << result.err;
  EXPECT_NE(result.err.find("8 of 8 rows have no reference: the synthesis has no answer (boxed)"), std::string::npos)
      << result.err;
  EXPECT_EQ(ReadLines(file).size(), 8u);
}

TEST_F(TaughtNothingTest, AnEvaluationOfNothingIsNoTableOfZeros) {
  std::string longest = "b";
  for (int i = 0; i < 300; ++i) longest += " e";
  std::ofstream(runs_ / "long.jsonl") << json::Dump({{"prompt", longest}, {"answer", "bea"}}) << "\n";
  std::ofstream(runs_ / "bare.jsonl")
      << "{\"prompt\": \"b e a\", \"answer\": \"bea\"}\n{\"id\": \"bare\", \"prompt\": \"b\"}\n";
  for (const auto& [file, said] : {std::pair{"long.jsonl", "1 of 1 prompts do not fit"},
                                   {"bare.jsonl", "bare.jsonl:2: 1 of 2 rows have no label"}}) {
    const auto result = RunTool(
        {"eval", "train.yaml", "--data", (runs_ / file).string(), "--set", "eval.group_sizes=[2]"}, BaseFolder());
    EXPECT_EQ(result.status.code, 2) << result.err;
    EXPECT_NE(result.err.find(said), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(TaughtNothingTest, PairsWithoutATokenTeachNothing) {
  std::ofstream(runs_ / "pairs.jsonl") << R"({"prompt": "b e a", "completion": " "})"
                                       << "\n";
  std::ofstream(runs_ / "sft.yaml")
      << "output: " << (runs_ / "model").string() << "\nmodel: " << (BaseFolder() / "base").string()
      << "\ndata:\n  - {file: " << (runs_ / "pairs.jsonl").string()
      << "}\nprompt: {format: plain, text: \"{prompt} =\"}\nmax_steps: 1\nbatch_size: 2\n";
  const auto result = RunTool({"sft", (runs_ / "sft.yaml").string()});
  EXPECT_EQ(result.status.code, 2) << result.err;
  EXPECT_FALSE(fs::exists(runs_ / "model"));
}

// Where the cases lie: AUTODIDACT_CASES, or shared/cases beside the checkout.
fs::path CasesFolder() {
  const char* given = std::getenv("AUTODIDACT_CASES");
  return given ? fs::path(given) : tests::SourceFolder() / "../shared/cases";
}

TEST(TaughtNothingCasesTest, NoRunOfTheCasesLooksLikeOneThatLearned) {
  const fs::path script = CasesFolder() / "17-run-that-trains-nothing/run.sh";
  if (!fs::exists(script)) GTEST_SKIP() << "there is no " << script;
  auto options = ToolOptions({"bash", script}, {});
  options.environment.push_back("AUTODIDACT=" + tests::ProgramFile().string());
  options.environment.push_back("MODEL=" + (tests::SourceFolder() / "configs/demo/base").string());
  process::Child child(std::move(options));
  ASSERT_TRUE(child.Wait(base::Deadline::In(std::chrono::minutes(8)))) << child.errors();
  std::istringstream lines(child.output());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const bool is_control = line.starts_with("control ");
    EXPECT_EQ(line.find(" rc=0 ") != std::string::npos, is_control) << line;
    EXPECT_EQ(is_control && line.find("trained=0") != std::string::npos, false) << line;
  }
  EXPECT_GE(count, 2) << child.errors();
}

}  // namespace
}  // namespace autodidact::e2e
