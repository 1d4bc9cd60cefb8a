// Requests to end: every command, at several moments, in one process and under mpirun.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <map>

#include "base/format.h"
#include "process/sandbox.h"
#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

// For what must come, and for an end that is asked for: far more than either takes on a machine with little else to do.
constexpr auto kSoon = std::chrono::minutes(2);

// A running program that is fed by hand.
class Running {
 public:
  Running(std::vector<std::string> arguments, const fs::path& folder) : child_(Options(std::move(arguments), folder)) {}

  process::Child& child() { return child_; }

  // Until it has reached its main function, where it takes signals into its own hands.
  void WaitForMain() {
    const auto deadline = base::Deadline::In(kSoon);
    while (true) {
      std::ifstream status(base::Format("/proc/{}/status", child_.pid()));
      for (std::string line; std::getline(status, line);) {
        const std::string key = "SigBlk:\t";
        if (line.starts_with(key) && (std::stoull(line.substr(key.size()), nullptr, 16) >> (SIGTERM - 1) & 1) != 0)
          return;
      }
      ASSERT_FALSE(deadline.Passed());
    }
  }
  // Until this stands in its log or its output.
  void WaitForText(const std::string& text) {
    const auto deadline = base::Deadline::In(kSoon);
    while (child_.errors().find(text) == std::string::npos && child_.output().find(text) == std::string::npos) {
      ASSERT_FALSE(child_.Wait(base::Deadline::In(std::chrono::milliseconds(20)))) << child_.errors();
      ASSERT_FALSE(deadline.Passed()) << "no '" << text << "' in\n" << child_.errors();
    }
  }
  void WaitForFile(const fs::path& file) {
    const auto deadline = base::Deadline::In(kSoon);
    while (!fs::exists(file)) {
      ASSERT_FALSE(child_.Wait(base::Deadline::In(std::chrono::milliseconds(20)))) << child_.errors();
      ASSERT_FALSE(deadline.Passed()) << file << " did not come\n" << child_.errors();
    }
  }
  void ExpectCode(int code) {
    const auto status = child_.Wait(base::Deadline::In(kSoon));
    ASSERT_TRUE(status) << "no end\n" << child_.errors();
    EXPECT_EQ(status->Describe(), base::Format("exit code {}", code)) << child_.errors();
  }
  void SignalAndExpect(int signal) {
    child_.Signal(signal);
    ExpectCode(128 + signal);
  }

 private:
  static process::ChildOptions Options(std::vector<std::string> arguments, const fs::path& folder) {
    arguments.insert(arguments.begin(), tests::ProgramFile());
    auto options = ToolOptions(std::move(arguments), folder);
    options.feed = true;
    return options;
  }

  process::Child child_;
};

// A file that is being read for as long as the test wants: a pipe with a name.
class Endless {
 public:
  explicit Endless(const fs::path& file) : file_(file) { EXPECT_EQ(mkfifo(file.c_str(), 0600), 0); }
  ~Endless() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  // Until the program has opened it.
  void WaitForReader(Running& running) {
    const auto deadline = base::Deadline::In(kSoon);
    while ((descriptor_ = open(file_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) {
      ASSERT_FALSE(running.child().Wait(base::Deadline::In(std::chrono::milliseconds(20)))) << running.child().errors();
      ASSERT_FALSE(deadline.Passed());
    }
  }

 private:
  const fs::path file_;
  int descriptor_ = -1;
};

std::vector<std::string> Train(const fs::path& runs, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"train", "train.yaml",
                                        "--set", "name=run",
                                        "--set", "folder=" + runs.string(),
                                        "--set", "train.max_steps=100000",
                                        "--set", "train.save_steps=0",
                                        "--set", "train.max_empty_steps=0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

bool HasCheckpoint(const fs::path& runs) {
  return fs::exists(runs / "run/checkpoints/latest/manifest.json");
}

TEST(StopTest, WhileDataIsReadEveryCommandEndsAtOnceAndPromisesNothing) {
  const fs::path folder = TestFolder();
  const fs::path data = folder / "rows.jsonl";
  const std::vector<std::pair<std::vector<std::string>, int>> commands = {
      {{"eval", "train.yaml", "--data", data.string()}, SIGINT},
      {{"synthesize", "train.yaml", "--data", data.string()}, SIGTERM},
      {{"inspect", data.string()}, SIGTERM}};
  for (const auto& [arguments, signal] : commands) {
    fs::remove(data);
    Endless rows(data);
    Running running(arguments, BaseFolder());
    rows.WaitForReader(running);
    running.SignalAndExpect(signal);
    EXPECT_EQ(running.child().errors().find("checkpoint"), std::string::npos) << running.child().errors();
  }
}

TEST(StopTest, InTheMiddleOfTheirWorkCommandsWithoutACheckpointEndAtOnce) {
  const fs::path folder = TestFolder();
  Running eval({"eval", "train.yaml", "--data", "data/dev.jsonl", "--set", "eval.group_sizes=[1024]"}, BaseFolder());
  eval.WaitForText("rollouts");
  eval.SignalAndExpect(SIGTERM);
  const fs::path out = folder / "references.jsonl";
  Running synthesize({"synthesize", "train.yaml", "--out", out.string(), "--set", "train.num_generations=1024"},
                     BaseFolder());
  synthesize.WaitForText("references");
  synthesize.SignalAndExpect(SIGINT);
  EXPECT_FALSE(fs::exists(out)) << "only a part of it can be there";
  Running actor({"actor", "train.yaml", "--join", "-"}, BaseFolder());
  Running generate({"generate", "base"}, BaseFolder());
  generate.child().Write("{\"prompt\": \"b e a =\"}\n");
  generate.WaitForText("completion");
  generate.SignalAndExpect(SIGHUP);
  Running tokenize({"tokenize", "base"}, BaseFolder());
  tokenize.child().Write("{\"text\": \"b e a =\"}\n");
  tokenize.WaitForText("ids");
  tokenize.SignalAndExpect(SIGINT);
  Running score({"score", "base"}, BaseFolder());
  score.child().Write("{\"prompt\": \"b e\", \"completion\": \"a\"}\n");
  score.WaitForText("logprobs");
  score.SignalAndExpect(SIGTERM);
  actor.WaitForMain();
  actor.SignalAndExpect(SIGTERM);  // it waits for a ticket that nobody gives it
}

TEST(StopTest, GradeEndsWithTheProgramThatItRuns) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  Running grade({"grade", "--jobs", "2"}, BaseFolder());
  grade.child().Write(
      "{\"gold\": \"1\", \"answer\": \"1\"}\n"
      "{\"program\": \"while True: pass\", \"tests\": \"assert True\"}\n");
  grade.WaitForText("right");
  grade.SignalAndExpect(SIGTERM);
}

// Keys by which a verifier judges so many answers, and hangs with a file `hangs` in the folder at the next one.
std::vector<std::string> HangingVerifier(const fs::path& folder, int answers) {
  std::ofstream(folder / "verifier.py")
      << "import json, sys, time\n"
         "for _ in range(int(sys.argv[2])):\n"
         "    row = json.loads(sys.stdin.readline() or sys.exit())\n"
         "    print(json.dumps({'equal': row['gold'] == row['answer']}), flush=True)\n"
         "if sys.stdin.readline():\n"
         "    open(sys.argv[1], 'w').close()\n"
         "    time.sleep(1000)\n";
  return {"--set",
          base::Format("answer.verifier=[python3, {}, {}, '{}']", (folder / "verifier.py").string(),
                       (folder / "hangs").string(), answers),
          "--set",
          "answer.verifier_timeout=600",
          "--set",
          "estimator=ground_truth",
          "--set",
          "data.labels=data/unlabelled_truth.jsonl"};
}

TEST(StopTest, ARunThatHasNotBegunEndsAtOnceAndPromisesNothing) {
  const fs::path runs = TestFolder();
  Running running(Train(runs, HangingVerifier(runs, 0)), BaseFolder());
  running.WaitForFile(runs / "hangs");
  running.SignalAndExpect(SIGHUP);
  EXPECT_EQ(running.child().errors().find("checkpoint"), std::string::npos) << running.child().errors();
  EXPECT_FALSE(fs::exists(runs / "run"));
}

TEST(StopTest, ARunThatWaitsForAJudgeThatHangsEndsWithACheckpoint) {
  const fs::path runs = TestFolder();
  Running running(Train(runs, HangingVerifier(runs, 8)), BaseFolder());
  running.WaitForFile(runs / "hangs");
  running.SignalAndExpect(SIGTERM);
  EXPECT_TRUE(HasCheckpoint(runs)) << running.child().errors();
}

TEST(StopTest, ARunInItsEvaluationEndsWithTheCheckpointOfItsStep) {
  const fs::path runs = TestFolder();
  Running running(Train(runs, {"--set", "eval.data=data/dev.jsonl", "--set", "eval.steps=1", "--set",
                               "rollout.max_completion_length=150"}),
                  BaseFolder());
  running.WaitForFile(runs / "run/rollouts/step_000002.jsonl");
  running.SignalAndExpect(SIGHUP);
  EXPECT_TRUE(HasCheckpoint(runs)) << running.child().errors();
}

TEST(StopTest, NobodyReadingTheOutputEndsARunWithACheckpointAndAFailure) {
  const fs::path runs = TestFolder();
  // Its output is a pipe whose reader leaves once there is a step.
  const std::string script =
      "import os, subprocess, sys, time\n"
      "r, w = os.pipe()\n"
      "run = subprocess.Popen(sys.argv[2:], stdout=w)\n"
      "while run.poll() is None and not os.path.exists(sys.argv[1]): time.sleep(0.02)\n"
      "os.close(r)\n"
      "sys.exit(run.wait())\n";
  std::vector<std::string> argv = {"python3", "-c", script, runs / "run/rollouts/step_000001.jsonl",
                                   tests::ProgramFile()};
  const auto arguments = Train(runs);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  process::Child child(ToolOptions(argv, BaseFolder()));
  const auto status = child.Wait(base::Deadline::In(kSoon));
  ASSERT_TRUE(status) << child.errors();
  EXPECT_EQ(status->code, 1) << child.errors();
  EXPECT_TRUE(HasCheckpoint(runs)) << child.errors();
}

// What a process was started as: "train", "supervisor", "agent", "learner" …; empty: it is none of the program's.
std::string CommandOf(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/cmdline");
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words.size() > 1 && words[0] == tests::ProgramFile() ? words[1] : "";
}

pid_t ParentOf(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/status");
  const std::string key = "PPid:\t";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return std::stoi(line.substr(key.size()));
  }
  return 0;
}

// The program's processes of a job, by what each was started as.
std::multimap<std::string, pid_t> ProcessesOf(pid_t job) {
  std::multimap<std::string, pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string command = CommandOf(pid);
    pid_t ancestor = command.empty() ? 0 : std::stoi(pid);
    while (ancestor > 1 && ancestor != job) ancestor = ParentOf(std::to_string(ancestor));
    if (ancestor == job) found.emplace(command, std::stoi(pid));
  }
  return found;
}

class MpiStopTest : public testing::Test {
 protected:
  void Start(const std::vector<std::string>& options) {
    std::vector<std::string> argv = {"mpirun", "--allow-run-as-root", "--oversubscribe"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {"-n", "5", tests::ProgramFile()});
    const auto arguments = Train(runs_);
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    job_ = std::make_unique<process::Child>(ToolOptions(argv, BaseFolder()));
    const auto deadline = base::Deadline::In(kSoon);
    while (!fs::exists(runs_ / "run/rollouts/step_000002.jsonl")) {
      ASSERT_FALSE(job_->Wait(base::Deadline::In(std::chrono::milliseconds(20)))) << job_->errors();
      ASSERT_FALSE(deadline.Passed()) << job_->errors();
    }
  }
  int Code() {
    const auto status = job_->Wait(base::Deadline::In(kSoon));
    EXPECT_TRUE(status) << job_->errors();
    return status && !status->by_signal ? status->code : -1;
  }
  // The processes that ranks have started end with them.
  void ExpectNothingIsLeft() {
    const std::string pattern = tests::ProgramFile().string() + " .*" + runs_.string();
    const auto deadline = base::Deadline::In(kSoon);
    while (true) {
      process::Child look(ToolOptions({"pgrep", "-f", pattern}, {}));
      const auto status = look.Wait(base::Deadline::In(kSoon));
      if (status && status->code == 1) return;
      ASSERT_FALSE(deadline.Passed()) << look.output();
    }
  }

  const fs::path runs_ = TestFolder();
  std::unique_ptr<process::Child> job_;
};

TEST_F(MpiStopTest, ASignalToAnyOfItsProcessesEndsTheJobWithACheckpointAndItsCode) {
  for (const auto& [process, signal] :
       {std::pair("train", SIGINT), {"supervisor", SIGTERM}, {"agent", SIGHUP}, {"learner", SIGTERM}}) {
    fs::remove_all(runs_ / "run");
    Start({});
    const auto processes = ProcessesOf(job_->pid());
    // The last of them: of two learners the second one, which is not the one that saves.
    const auto after = processes.upper_bound(process);
    ASSERT_TRUE(processes.contains(process)) << process << "\n" << job_->errors();
    kill(std::prev(after)->second, signal);
    EXPECT_EQ(Code(), 128 + signal) << process << "\n" << job_->errors();
    EXPECT_TRUE(HasCheckpoint(runs_)) << process << "\n" << job_->errors();
  }
  ExpectNothingIsLeft();
}

TEST(ExitCodeTest, AnAlarmIsThreeAndBadInputTwoInOneProcessAndUnderMpirun) {
  const fs::path runs = TestFolder();
  const std::vector<std::string> mpirun = {"mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "4"};
  for (const bool ranks : {false, true}) {
    const auto code = [&](const std::vector<std::string>& keys) {
      fs::remove_all(runs / "run");
      std::vector<std::string> argv = ranks ? mpirun : std::vector<std::string>{};
      argv.push_back(tests::ProgramFile());
      const auto arguments = Train(runs, keys);
      argv.insert(argv.end(), arguments.begin(), arguments.end());
      process::Child child(ToolOptions(argv, BaseFolder()));
      const auto status = child.Wait(base::Deadline::In(kSoon));
      EXPECT_TRUE(status) << child.errors();
      return status ? status->Describe() : "no end";
    };
    EXPECT_EQ(code({"--set", "collapse.stop=true", "--set", "collapse.certain=0.001", "--set", "collapse.patience=1"}),
              "exit code 3");
    EXPECT_TRUE(HasCheckpoint(runs));
    EXPECT_EQ(code({"--set", "data.train=nowhere.jsonl"}), "exit code 2");
    EXPECT_EQ(code({"--set", "train.groups_per_step=65536", "--set", "train.num_generations=1024", "--set",
                    "rollout.max_completion_length=100", "--set", "engine.max_groups=65536", "--set",
                    "engine.max_rows=1048576", "--set", "engine.cache_tokens=4294967296"}),
              "exit code 2")
        << "a memory plan that does not fit";
    EXPECT_FALSE(fs::exists(runs / "run"));
    EXPECT_EQ(code({"--dry-run", "--set", "device=cuda", "--set", "device_memory_gib=0.1"}), "exit code 2");
  }
}

TEST_F(MpiStopTest, ARunSavesItsStepsThoughMpirunIsInterruptedAndKillsItsKeeperSoon) {
  Start({});
  const auto processes = ProcessesOf(job_->pid());
  kill(job_->pid(), SIGINT);
  EXPECT_NE(Code(), 0);  // Open MPI's mpirun has a code of its own for this
  ASSERT_TRUE(processes.contains("supervisor")) << job_->errors();
  const auto deadline = base::Deadline::In(kSoon);
  while (!deadline.Passed() && kill(processes.find("supervisor")->second, 0) == 0) std::this_thread::yield();
  EXPECT_TRUE(HasCheckpoint(runs_)) << job_->errors();
  ExpectNothingIsLeft();
}

}  // namespace
}  // namespace autodidact::e2e
