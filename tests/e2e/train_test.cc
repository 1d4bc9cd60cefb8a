// The main job from end to end, in one process and as ranks under mpirun.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> TrainArguments(const fs::path& runs, const std::string& name,
                                        std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"train", "train.yaml",   "--set", "folder=" + runs.string(),
                                        "--set", "name=" + name, "--set", "train.max_empty_steps=0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// What must be equal between two runs that are to have the same bits.
std::vector<json::Json> Trace(const fs::path& run) {
  std::vector<json::Json> trace;
  for (const json::Json& line : ReadLines(run / "metrics.jsonl")) {
    json::Json kept;
    for (const char* key : {"step", "loss", "reward", "kl", "grad_norm", "entropy", "completions/mean_length"}) {
      kept[key] = line.at(key);
    }
    trace.push_back(kept);
  }
  return trace;
}

TEST(TrainTest, WritesMetricsRolloutsConfigAndACheckpointThatIsAModelFolder) {
  const fs::path runs = TestFolder();
  const auto result = RunTool(TrainArguments(runs, "one"), BaseFolder());
  ASSERT_TRUE(result.status.ok()) << result.err;
  const auto metrics = ReadLines(runs / "one/metrics.jsonl");
  ASSERT_EQ(metrics.size(), 4u);
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    EXPECT_EQ(metrics[i].at("step"), i + 1);
    EXPECT_EQ(metrics[i].at("groups/received"), 6);
    EXPECT_EQ(metrics[i].at("weights/version"), i + 1);
    EXPECT_EQ(metrics[i].at("staleness/max"), 0);
    EXPECT_LT(metrics[i].at("rollout_logprob_diff/max").get<double>(), 1e-3);
  }
  EXPECT_LT(std::abs(metrics[0].at("kl").get<double>()), 1e-6);
  const auto groups = ReadLines(runs / "one/rollouts/step_000001.jsonl");
  ASSERT_EQ(groups.size(), 6u);
  for (const json::Json& group : groups) {
    for (const char* key : {"ticket", "id", "prompt", "completions", "rewards", "advantages"}) {
      EXPECT_TRUE(group.contains(key)) << key << " in " << group.dump();
    }
    EXPECT_EQ(group.at("completions").size(), 4u);
  }
  EXPECT_TRUE(fs::exists(runs / "one/config.yaml"));
  EXPECT_TRUE(fs::exists(runs / "one/checkpoints/step_000004/manifest.json"));
  const auto inspected = RunTool({"inspect", (runs / "one/checkpoints/latest").string()});
  EXPECT_TRUE(inspected.status.ok()) << inspected.err;
  EXPECT_NE(inspected.out.find("step 4"), std::string::npos) << inspected.out;
  const auto evaluated =
      RunTool({"eval", "train.yaml", "--model", (runs / "one/checkpoints/latest/model").string(), "--data",
               "data/dev.jsonl", "--json", (runs / "eval.json").string(), "--set", "eval.group_sizes=[1, 4]"},
              BaseFolder());
  ASSERT_TRUE(evaluated.status.ok()) << evaluated.err;
  const json::Json figures = json::ParseFile(runs / "eval.json");
  EXPECT_TRUE(figures.at("single").is_number());
  EXPECT_TRUE(figures.at("greedy").is_number());
  for (const char* key : {"majority", "synthesis", "pass", "right_when_all_wrong", "agreement"}) {
    EXPECT_TRUE(figures.at(key).contains("4")) << key;
  }
}

TEST(TrainTest, LearnsFromReferencesThatWereMadeBefore) {
  const fs::path runs = TestFolder();
  const std::string file = (runs / "references.jsonl").string();
  auto result = RunTool({"synthesize", "train.yaml", "--set", "estimator=majority", "--out", file}, BaseFolder());
  ASSERT_TRUE(result.status.ok()) << result.err;
  std::map<std::string, std::string> references;
  for (const json::Json& row : ReadLines(file)) {
    if (row.contains("reference")) references[row.at("id")] = row.at("reference");
  }
  result = RunTool(TrainArguments(runs, "one", {"--set", "data.references=" + file}), BaseFolder());
  ASSERT_TRUE(result.status.ok()) << result.err;
  for (const char* step : {"step_000001.jsonl", "step_000004.jsonl"}) {
    const auto groups = ReadLines(runs / "one/rollouts" / step);
    ASSERT_EQ(groups.size(), 6u);
    for (const json::Json& group : groups) {
      const std::string& reference = references.at(group.at("id"));
      EXPECT_EQ(group.at("reference"), reference);
      for (std::size_t i = 0; i < group.at("completions").size(); ++i) {
        EXPECT_EQ(group.at("rewards")[i], group.at("completions")[i] == reference ? 1.0 : 0.0) << group.dump();
      }
    }
  }
  result =
      RunTool(TrainArguments(runs, "two", {"--set", "data.references=" + file, "--set", "data.train=data/dev.jsonl"}),
              BaseFolder());
  EXPECT_EQ(result.status.code, 2);
  EXPECT_NE(result.err.find("no reference for the id"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(runs / "two"));
}

TEST(TrainTest, LeavesOutReferencesThatFewCandidatesAgreeWith) {
  const fs::path runs = TestFolder();
  const std::string file = (runs / "references.jsonl").string();
  auto result = RunTool({"synthesize", "train.yaml", "--set", "estimator=majority", "--out", file}, BaseFolder());
  ASSERT_TRUE(result.status.ok()) << result.err;
  std::map<std::string, double> agreements;
  double most = 0;
  for (const json::Json& row : ReadLines(file)) {
    if (!row.contains("reference")) continue;
    const auto votes = std::count(row.at("completions").begin(), row.at("completions").end(), row.at("reference"));
    const double agreement = row.at("agreement").get<double>();
    EXPECT_DOUBLE_EQ(agreement, static_cast<double>(votes) / static_cast<double>(row.at("completions").size()));
    agreements[row.at("id")] = agreement;
    most = std::max(most, agreement);
  }
  const auto run = [&](const std::string& name, double least) {
    return RunTool(
        TrainArguments(runs, name,
                       {"--set", "data.references=" + file, "--set", "data.min_agreement=" + std::to_string(least)}),
        BaseFolder());
  };
  result = run("agreed", most);
  ASSERT_TRUE(result.status.ok()) << result.err;
  for (const json::Json& group : ReadLines(runs / "agreed/rollouts/step_000001.jsonl")) {
    EXPECT_GE(agreements.at(group.at("id")), most) << group.dump();
  }
  if (most < 1) {
    EXPECT_EQ(run("none", 1).status.code, 2);
  }
  result = RunTool(TrainArguments(runs, "unread", {"--set", "data.min_agreement=0.5"}), BaseFolder());
  EXPECT_EQ(result.status.code, 2);
  EXPECT_NE(result.err.find("data.min_agreement"), std::string::npos) << result.err;
}

TEST(TrainTest, TheSameConfigAndSeedGiveTheSameBits) {
  const fs::path runs = TestFolder();
  for (const char* name : {"a", "b"}) ASSERT_TRUE(RunTool(TrainArguments(runs, name), BaseFolder()).status.ok());
  EXPECT_EQ(Trace(runs / "a"), Trace(runs / "b"));
  ASSERT_TRUE(RunTool(TrainArguments(runs, "c", {"--set", "seed=1"}), BaseFolder()).status.ok());
  EXPECT_NE(Trace(runs / "a"), Trace(runs / "c"));
}

TEST(TrainTest, AKilledRunThatIsResumedGivesTheBitsOfAnUninterruptedOne) {
  const fs::path runs = TestFolder();
  ASSERT_TRUE(RunTool(TrainArguments(runs, "whole"), BaseFolder()).status.ok());
  {
    // Killed once the checkpoint of step 2 is there; more steps than it will reach.
    std::vector<std::string> argv =
        TrainArguments(runs, "cut", {"--set", "train.max_steps=100000", "--set", "train.max_empty_steps=0"});
    argv.insert(argv.begin(), tests::ProgramFile());
    process::Child child(ToolOptions(argv, BaseFolder()));
    const auto deadline = base::Deadline::In(std::chrono::minutes(3));
    while (!fs::exists(runs / "cut/checkpoints/step_000002") && !deadline.Passed()) {
      ASSERT_FALSE(child.Wait(base::Deadline::In(std::chrono::milliseconds(20)))) << child.errors();
    }
    child.Signal(SIGKILL);
    ASSERT_TRUE(child.Wait(base::Deadline::In(std::chrono::seconds(30))));
  }
  // Whatever it reached beyond step 2 is taken back.
  for (const auto& entry : fs::directory_iterator(runs / "cut/checkpoints")) {
    if (entry.path().filename() != "step_000002") fs::remove_all(entry.path());
  }
  const auto refused = RunTool(TrainArguments(runs, "cut"), BaseFolder());
  EXPECT_EQ(refused.status.code, 2);
  EXPECT_NE(refused.err.find("--resume"), std::string::npos) << refused.err;
  const auto resumed = RunTool(TrainArguments(runs, "cut", {"--resume"}), BaseFolder());
  ASSERT_TRUE(resumed.status.ok()) << resumed.err;
  EXPECT_EQ(Trace(runs / "whole"), Trace(runs / "cut"));
  const auto finished = RunTool(TrainArguments(runs, "cut", {"--resume"}), BaseFolder());
  EXPECT_EQ(finished.status.code, 2) << "a resume that has nothing to do must say so";
}

TEST(TrainTest, AnInterruptEndsTheRunWithACheckpointToResumeFrom) {
  const fs::path runs = TestFolder();
  std::vector<std::string> argv = TrainArguments(
      runs, "run",
      {"--set", "train.max_steps=100000", "--set", "train.save_steps=0", "--set", "train.max_empty_steps=0"});
  argv.insert(argv.begin(), tests::ProgramFile());
  process::Child child(ToolOptions(argv, BaseFolder()));
  const auto deadline = base::Deadline::In(std::chrono::minutes(3));
  while (!fs::exists(runs / "run/rollouts/step_000001.jsonl") && !deadline.Passed()) {
    ASSERT_FALSE(child.Wait(base::Deadline::In(std::chrono::milliseconds(20)))) << child.errors();
  }
  child.Signal(SIGINT);
  const auto status = child.Wait(base::Deadline::In(std::chrono::minutes(1)));
  ASSERT_TRUE(status) << child.errors();
  EXPECT_EQ(status->code, 130) << child.errors();
  EXPECT_TRUE(fs::exists(runs / "run/checkpoints/latest/manifest.json")) << child.errors();
  const auto done = static_cast<std::int64_t>(ReadLines(runs / "run/metrics.jsonl").size());
  const auto resumed = RunTool(
      TrainArguments(runs, "run", {"--resume", "--set", "train.max_steps=" + std::to_string(done + 1)}), BaseFolder());
  EXPECT_TRUE(resumed.status.ok()) << resumed.err;
}

TEST(TrainTest, WhyARoleFailedIsWhatTheRunEndsWith) {
  const fs::path runs = TestFolder();
  auto options = ToolOptions({tests::ProgramFile(), "train", "train.yaml", "--set", "folder=" + runs.string(), "--set",
                              "name=run", "--set", "train.max_steps=100000"},
                             BaseFolder());
  options.environment.emplace_back("AUTODIDACT_FAULT=membership.heartbeat.thread:1:throw");
  process::Child child(options);
  const auto status = child.Wait(base::Deadline::In(std::chrono::minutes(2)));
  ASSERT_TRUE(status) << child.errors();
  EXPECT_EQ(status->code, 1) << child.errors();
  EXPECT_NE(child.errors().find("fault on demand at membership.heartbeat.thread: "), std::string::npos)
      << child.errors();
  EXPECT_EQ(json::ParseFile(runs / "run/outcome.json").at("end"), "failed");
}

TEST(TrainTest, EveryEstimatorTrains) {
  const fs::path runs = TestFolder();
  const auto majority = RunTool(
      TrainArguments(runs, "majority", {"--set", "estimator=majority", "--set", "train.max_steps=2"}), BaseFolder());
  EXPECT_TRUE(majority.status.ok()) << majority.err;
  const auto truth = RunTool(TrainArguments(runs, "truth",
                                            {"--set", "estimator=ground_truth", "--set", "train.max_steps=4", "--set",
                                             "data.labels=data/unlabelled_truth.jsonl"}),
                             BaseFolder());
  EXPECT_TRUE(truth.status.ok()) << truth.err;
  EXPECT_EQ(ReadLines(runs / "truth/metrics.jsonl").back().at("accuracy/reference"), 1.0);
  const auto without = RunTool(TrainArguments(runs, "none", {"--set", "estimator=ground_truth"}), BaseFolder());
  EXPECT_EQ(without.status.code, 2) << without.err;
  EXPECT_FALSE(fs::exists(runs / "none"));
}

// The base's vocabulary has no numerals and no words for an instruction.
const std::vector<std::string> kSelfSelect = {
    "--set",
    "select={instruction: \"{prompt} = {candidates} =>\", candidate: \"{index} | {text}\", separator: \" \", "
    "choices: [a, e, b, n]}"};

TEST(TrainTest, EverySelectionTrainsOnReferencesThatAreRollouts) {
  const fs::path runs = TestFolder();
  for (const std::string name : {"min_perplexity", "self_select", "mutual_predictability"}) {
    std::vector<std::string> more = kSelfSelect;
    more.insert(more.end(), {"--set", "estimator=" + name, "--set", "train.max_steps=2"});
    const auto result = RunTool(TrainArguments(runs, name, more), BaseFolder());
    ASSERT_TRUE(result.status.ok()) << result.err;
    for (const json::Json& group : ReadLines(runs / name / "rollouts/step_000002.jsonl")) {
      const auto& completions = group.at("completions");
      EXPECT_NE(std::find(completions.begin(), completions.end(), group.at("reference")), completions.end());
      EXPECT_TRUE(group.at("reference_generation").get<std::string>().starts_with(name + ": rollout "));
    }
  }
  const auto refused = RunTool(TrainArguments(runs, "words", {"--set", "estimator=self_select"}), BaseFolder());
  EXPECT_EQ(refused.status.code, 2) << refused.err;
  EXPECT_FALSE(fs::exists(runs / "words"));
}

TEST(TrainTest, AsynchronousTrainingBoundsItsStaleness) {
  const fs::path runs = TestFolder();
  const auto result = RunTool(TrainArguments(runs, "async",
                                             {"--set", "train.max_staleness=2", "--set", "train.max_steps=8", "--set",
                                              "train.importance_sampling.mode=truncate"}),
                              BaseFolder());
  ASSERT_TRUE(result.status.ok()) << result.err;
  for (const json::Json& line : ReadLines(runs / "async/metrics.jsonl")) EXPECT_LE(line.at("staleness/max"), 2);
}

std::vector<std::string> Mpirun(const fs::path& runs, const std::string& name, int ranks,
                                std::vector<std::string> more = {}) {
  std::vector<std::string> argv = {"mpirun", "--allow-run-as-root", "--oversubscribe",
                                   "-n",     std::to_string(ranks), tests::ProgramFile()};
  const auto arguments = TrainArguments(runs, name, std::move(more));
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

TEST(ClusterTest, TwoLearnerRanksUnderMpirunTrainAsOneProcessDoes) {
  const fs::path runs = TestFolder();
  ASSERT_TRUE(RunTool(TrainArguments(runs, "local"), BaseFolder()).status.ok());
  process::Child job(ToolOptions(Mpirun(runs, "ranks", 5), BaseFolder()));
  const auto status = job.Wait(base::Deadline::In(std::chrono::minutes(4)));
  ASSERT_TRUE(status) << job.errors();
  ASSERT_TRUE(status->ok()) << job.errors();
  const auto local = ReadLines(runs / "local/metrics.jsonl");
  const auto ranks = ReadLines(runs / "ranks/metrics.jsonl");
  ASSERT_EQ(ranks.size(), local.size());
  // The first step has the same rollouts; later ones may differ where rounding tips a token.
  EXPECT_EQ(ranks[0].at("reward"), local[0].at("reward"));
  EXPECT_NEAR(ranks[0].at("grad_norm").get<double>(), local[0].at("grad_norm").get<double>(), 1e-5);
  EXPECT_TRUE(fs::exists(runs / "ranks/logs/actor-0.log"));
}

TEST(ClusterTest, ASelectionUnderMpirunNeedsNoAnchorAndPicksAsOneProcessDoes) {
  const fs::path runs = TestFolder();
  const std::vector<std::string> more = {"--set", "estimator=mutual_predictability", "--set", "train.max_steps=2"};
  ASSERT_TRUE(RunTool(TrainArguments(runs, "local", more), BaseFolder()).status.ok());
  std::vector<std::string> ranks = more;
  ranks.insert(ranks.end(), {"--set", "placement.ranks=[learner, actor, judge]"});
  process::Child job(ToolOptions(Mpirun(runs, "ranks", 3, ranks), BaseFolder()));
  const auto status = job.Wait(base::Deadline::In(std::chrono::minutes(4)));
  ASSERT_TRUE(status) << job.errors();
  ASSERT_TRUE(status->ok()) << job.errors();
  const auto local = ReadLines(runs / "local/rollouts/step_000001.jsonl");
  const auto cluster = ReadLines(runs / "ranks/rollouts/step_000001.jsonl");
  ASSERT_EQ(local.size(), cluster.size());
  for (std::size_t i = 0; i < local.size(); ++i) EXPECT_EQ(local[i].at("reference"), cluster[i].at("reference"));
}

// Sends the newest process that matches a signal, and says whether there was one.
bool SignalNewest(const std::string& signal, const std::string& pattern) {
  process::Child kill(ToolOptions({"pkill", "-" + signal, "-n", "-f", pattern}, {}));
  const auto status = kill.Wait(base::Deadline::In(std::chrono::seconds(10)));
  return status && status->ok();
}

TEST(ClusterTest, AKilledLearnerRankSupervisorOrAgentIsStartedAgainAndTheWeightsAreThoseOfAQuietRun) {
  const fs::path runs = TestFolder();
  const std::vector<std::string> keys = {"--set", "train.max_steps=60",      "--set", "train.save_steps=4",
                                         "--set", "train.learning_rate=1e-4"};
  process::Child quiet(ToolOptions(Mpirun(runs, "quiet", 5, keys), BaseFolder()));
  ASSERT_TRUE(quiet.Wait(base::Deadline::In(std::chrono::minutes(4)))) << quiet.errors();
  process::Child job(ToolOptions(Mpirun(runs, "killed", 5, keys), BaseFolder()));
  std::set<std::string> killed;
  const auto deadline = base::Deadline::In(std::chrono::minutes(4));
  std::optional<process::ExitStatus> status;
  while (!status && !deadline.Passed()) {
    status = job.Wait(base::Deadline::In(std::chrono::milliseconds(20)));
    const std::size_t steps = LinesSoFar(runs / "killed/metrics.jsonl");
    const std::string program = "^" + tests::ProgramFile().string() + " ";
    for (const auto& [part, step] :
         {std::pair<std::string, std::size_t>{"learner ", 6}, {"supervisor", 20}, {"agent ", 36}}) {
      if (steps < step || killed.contains(part)) continue;
      killed.insert(part);
      EXPECT_TRUE(SignalNewest("KILL", program + part)) << part;
    }
  }
  ASSERT_TRUE(status) << job.errors();
  EXPECT_TRUE(status->ok()) << job.errors();
  EXPECT_EQ(killed.size(), 3u);
  const auto lines = ReadLines(runs / "killed/metrics.jsonl");
  ASSERT_EQ(lines.size(), 60u);
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i].at("step"), i + 1);
  const std::string weights = "checkpoints/step_000060/model/model.safetensors";
  EXPECT_FALSE(json::ReadFile(runs / "quiet" / weights).empty());
  EXPECT_EQ(json::ReadFile(runs / "killed" / weights), json::ReadFile(runs / "quiet" / weights));
}

TEST(ClusterTest, ASupervisorThatIsStoppedForGoodIsReplacedByItsKeeper) {
  const fs::path runs = TestFolder();
  process::Child job(
      ToolOptions(Mpirun(runs, "stopped", 4,
                         {"--set", "train.max_steps=60", "--set", "train.save_steps=4", "--set",
                          "train.learning_rate=1e-4", "--set", "placement.ranks=[learner, actor, anchor, judge]"}),
                  BaseFolder()));
  const std::string program = "^" + tests::ProgramFile().string() + " ";
  bool stopped = false;
  const auto deadline = base::Deadline::In(std::chrono::minutes(4));
  std::optional<process::ExitStatus> status;
  while (!status && !deadline.Passed()) {
    status = job.Wait(base::Deadline::In(std::chrono::milliseconds(20)));
    if (stopped || LinesSoFar(runs / "stopped/metrics.jsonl") < 6) continue;
    stopped = true;
    // A learner that dies now has nobody else to start it again.
    EXPECT_TRUE(SignalNewest("STOP", program + "supervisor"));
    EXPECT_TRUE(SignalNewest("KILL", program + "learner "));
  }
  ASSERT_TRUE(status) << job.errors();
  EXPECT_TRUE(status->ok()) << job.errors();
  EXPECT_TRUE(stopped);
  EXPECT_EQ(ReadLines(runs / "stopped/metrics.jsonl").size(), 60u);
}

TEST(ClusterTest, AKilledActorAnchorOrJudgeCostsOnlyItsWorkInFlight) {
  const fs::path runs = TestFolder();
  process::Child job(
      ToolOptions(Mpirun(runs, "killed", 5,
                         {"--set", "train.max_steps=40", "--set", "timeouts.lease=5", "--set", "timeouts.call=4"}),
                  BaseFolder()));
  std::set<std::string> killed;
  const auto deadline = base::Deadline::In(std::chrono::minutes(4));
  std::optional<process::ExitStatus> status;
  while (!status && !deadline.Passed()) {
    status = job.Wait(base::Deadline::In(std::chrono::milliseconds(50)));
    const std::size_t steps = LinesSoFar(runs / "killed/metrics.jsonl");
    // One role after the other, a few steps apart.
    for (const auto& [role, step] : {std::pair<std::string, std::size_t>{"actor", 3}, {"anchor", 8}, {"judge", 13}}) {
      if (steps < step || killed.contains(role)) continue;
      killed.insert(role);
      const std::string pattern = tests::ProgramFile().string() + " " + role + " .*" + (runs / "killed").string();
      process::Child kill(ToolOptions({"pkill", "-KILL", "-f", pattern}, {}));
      EXPECT_TRUE(kill.Wait(base::Deadline::In(std::chrono::seconds(10)))->ok()) << "no process of " << role;
    }
  }
  ASSERT_TRUE(status) << job.errors();
  EXPECT_TRUE(status->ok()) << job.errors();
  EXPECT_EQ(killed.size(), 3u);
  EXPECT_EQ(ReadLines(runs / "killed/metrics.jsonl").size(), 40u);
}

}  // namespace
}  // namespace autodidact::e2e
