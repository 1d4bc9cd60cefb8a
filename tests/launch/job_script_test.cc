#include "launch/commands/job_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "process/child.h"
#include "tests/paths.h"
#include "tests/waits.h"

namespace autodidact::launch {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

JobScript Small() {
  JobScript script;
  script.config = "configs/demo/train.yaml";
  script.program = "build/release/launch/autodidact";
  script.name = "autodidact-demo";
  script.memory = "4G";
  return script;
}

std::string WhyNone(const JobScript& script) {
  try {
    ToText(script);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    return error.message();
  }
  return "";
}

struct Ran {
  process::ExitStatus status;
  std::string output;
};

// `input` is bash's standard input.
Ran Bash(std::vector<std::string> argv, const std::string& input, std::vector<std::string> environment) {
  process::ChildOptions options;
  options.what = argv.front();
  options.argv = std::move(argv);
  options.environment = std::move(environment);
  options.output = process::ChildOptions::Output::kCapture;
  options.feed = true;
  process::Child child(std::move(options));
  child.Write(input);
  child.CloseInput();
  const auto status = child.Wait(base::Deadline::In(tests::kSoon));
  if (!status) ADD_FAILURE() << "bash has not ended";
  return {status.value_or(process::ExitStatus{}), child.output() + child.errors()};
}

// A Slurm that notes down what it is told: srun ends with a code of its own, scontrol with 0.
class ScriptedSlurm : public testing::Test {
 protected:
  // A folder of each test's own, whose name a shell must not misread.
  ScriptedSlurm()
      : folder_(std::filesystem::path(testing::TempDir()) /
                (std::string("slurm's ") + testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    Program("scontrol", "printf 'scontrol %s\\n' \"$*\"\n");
  }
  ~ScriptedSlurm() override { std::filesystem::remove_all(folder_); }

  void Program(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << "#!/bin/bash\n" << text;
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
  }
  void Srun(const std::string& text) const {
    Program("srun", "[ \"$1\" != --mpi=list ] || { echo \"${PLUGINS-pmix}\"; exit; }\n" + text);
  }

  Ran RunScript(const JobScript& script, std::vector<std::string> more = {}) const {
    std::vector<std::string> environment = {"PATH=" + folder_.string() + ":/usr/bin:/bin", "SLURM_JOB_ID=77"};
    environment.insert(environment.end(), more.begin(), more.end());
    return Bash({"bash"}, ToText(script), environment);
  }

  JobScript Scripted() const {
    JobScript script = Small();
    script.program = (folder_ / "scontrol").string();
    return script;
  }

  std::filesystem::path folder_;
};

TEST_F(ScriptedSlurm, ExitCodeOfTheRunIsTheJobs) {
  for (const int code : {0, 1, 2, 3, 143}) {
    Srun("exit " + std::to_string(code) + "\n");
    EXPECT_EQ(RunScript(Scripted()).status.code, code);
  }
}

TEST_F(ScriptedSlurm, JobThatWasAskedToStopGoesOnInTheQueue) {
  JobScript script = Scripted();
  script.requeue = true;
  for (const int code : {129, 130, 138, 143}) {
    Srun("exit " + std::to_string(code) + "\n");
    const Ran ran = RunScript(script);
    EXPECT_EQ(ran.status.code, code);
    EXPECT_THAT(ran.output, HasSubstr("scontrol requeue 77"));
  }
}

TEST_F(ScriptedSlurm, JobThatIsDoneOrFailedDoesNotGoOn) {
  JobScript script = Scripted();
  script.requeue = true;
  for (const int code : {0, 1, 2, 3, 137}) {
    Srun("exit " + std::to_string(code) + "\n");
    const Ran ran = RunScript(script);
    EXPECT_EQ(ran.status.code, code);
    EXPECT_THAT(ran.output, Not(HasSubstr("scontrol")));
  }
}

TEST_F(ScriptedSlurm, CancelledJobOutlivesItsRunAndDoesNotGoOn) {
  JobScript script = Scripted();
  script.requeue = true;
  Srun("kill -TERM $PPID\necho saved\nexit 143\n");
  const Ran ran = RunScript(script);
  EXPECT_EQ(ran.status, (process::ExitStatus{false, 143}));
  EXPECT_THAT(ran.output, HasSubstr("saved"));
  EXPECT_THAT(ran.output, Not(HasSubstr("scontrol")));
}

TEST_F(ScriptedSlurm, WordsReachTheRunAsTheyWereGiven) {
  JobScript script = Scripted();
  script.config = "odd dir's/a $HOME `b` \\ \"c\"\n.yaml";
  script.overrides = {"a=b c", "x='", "y=", "-z"};
  Srun("for word; do printf '<%s>' \"$word\"; done\n");
  EXPECT_THAT(RunScript(script).output, EndsWith("<" + script.program + "><train><" + script.config +
                                                 "><--resume><--set><a=b c><--set><x='><--set><y=><--set><-z>"));
}

TEST_F(ScriptedSlurm, SrunWithoutPmixIsNamedBeforeTheRun) {
  Srun("echo started\n");
  const Ran ran = RunScript(Scripted(), {"PLUGINS=none pmi2"});
  EXPECT_EQ(ran.status.code, 2);
  EXPECT_THAT(ran.output, HasSubstr("srun has no plugin for PMIx"));
  EXPECT_THAT(ran.output, Not(HasSubstr("started")));
}

TEST_F(ScriptedSlurm, ProgramThatIsNotThereIsNamedBeforeTheRun) {
  Srun("echo started\n");
  JobScript script = Scripted();
  script.program = "/nowhere/autodidact";
  const Ran ran = RunScript(script);
  EXPECT_EQ(ran.status.code, 2);
  EXPECT_THAT(ran.output, HasSubstr("no program /nowhere/autodidact"));
  EXPECT_THAT(RunScript(script, {"AUTODIDACT_PROGRAM=" + Scripted().program}).output, HasSubstr("started"));
}

TEST(JobScriptTest, JobHasOneTaskANodeWithAllOfIt) {
  JobScript script = Small();
  script.nodes = 3;
  script.gpus_per_node = 8;
  const std::string text = ToText(script);
  for (const char* line : {"#SBATCH --nodes=3\n", "#SBATCH --ntasks-per-node=1\n", "#SBATCH --exclusive\n",
                           "#SBATCH --gpus-per-node=8\n", "#SBATCH --mem=4G\n", "#SBATCH --signal=TERM@300\n",
                           "#SBATCH --open-mode=append\n", "#SBATCH --no-requeue\n", "--mpi=pmix --ntasks=3 "}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(JobScriptTest, CoresOfASharedNodeAreTheTasks) {
  JobScript script = Small();
  script.cpus_per_node = 12;
  EXPECT_THAT(ToText(script), HasSubstr("#SBATCH --cpus-per-task=12\n"));
  EXPECT_THAT(ToText(script), HasSubstr(" --cpus-per-task=12 --cpu-bind=none"));
  EXPECT_THAT(ToText(script), Not(HasSubstr("--exclusive")));
}

TEST(JobScriptTest, FurtherOptionsStandAsSbatchReadsThem) {
  JobScript script = Small();
  script.further = {"--qos=high", "-C", "a&b", "--comment=x \"y\\"};
  const std::string text = ToText(script);
  EXPECT_THAT(text, HasSubstr("#SBATCH --qos=high\n#SBATCH -C \"a&b\"\n#SBATCH \"--comment=x \\\"y\\\\\"\n"));
}

TEST(JobScriptTest, OptionsOfTheScriptItselfAreRefused) {
  for (const char* option : {"--nodes=2", "-N2", "-n", "--ntasks=4", "--array=1-3", "-a", "--mem=1G", "-t1", "--time=1",
                             "--signal=B:INT@30", "--wrap=x", "--no-requeue", "--cpus-per-task=2", "-p", "-A", "-c4"}) {
    JobScript script = Small();
    script.further = {option};
    EXPECT_THAT(WhyNone(script), HasSubstr("is said by the script itself")) << option;
  }
  for (const std::vector<std::string>& further : {std::vector<std::string>{"high"}, {"--x=a\nb"}, {""}}) {
    JobScript script = Small();
    script.further = further;
    EXPECT_NE(WhyNone(script), "") << further.front();
  }
}

TEST(JobScriptTest, TimesAreReadAsSlurmReadsThem) {
  EXPECT_EQ(SlurmSeconds("90"), 90 * 60);
  EXPECT_EQ(SlurmSeconds("1:30"), 90);
  EXPECT_EQ(SlurmSeconds("24:00:00"), 86'400);
  EXPECT_EQ(SlurmSeconds("2-12"), 60 * 3600);
  EXPECT_EQ(SlurmSeconds("1-0:30"), 86'400 + 1800);
  EXPECT_EQ(SlurmSeconds("1-00:00:01"), 86'401);
  EXPECT_EQ(SlurmSeconds("UNLIMITED"), 0);
  for (const char* time :
       {"", "0", "0:0", "x", "1:2:3:4", "1-1:2:3:4", "-1", "1-", ":5", "5:", "1.5", "24h", "1 ", "9999999"}) {
    EXPECT_THROW(SlurmSeconds(time), base::Error) << time;
  }
}

TEST(JobScriptTest, LimitThatTheNoticeEatsUpIsRefused) {
  JobScript script = Small();
  script.time = "9";
  EXPECT_THAT(WhyNone(script), HasSubstr("give it 600 s or more"));
  script.notice = 60;
  EXPECT_EQ(WhyNone(script), "");
  script.notice = 59;
  EXPECT_THAT(WhyNone(script), HasSubstr("--notice"));
}

TEST(JobScriptTest, MemoryPartitionAndAccountAreNames) {
  for (const char* memory : {"", "G", "4GB", "4 G", "-4G", "4g", "4.5G"}) {
    JobScript script = Small();
    script.memory = memory;
    EXPECT_THAT(WhyNone(script), HasSubstr("--mem")) << memory;
  }
  JobScript script = Small();
  script.partition = "a b";
  EXPECT_THAT(WhyNone(script), HasSubstr("--partition"));
  script = Small();
  script.account = "a\nb";
  EXPECT_THAT(WhyNone(script), HasSubstr("--account"));
}

// The examples of launch/slurm, with the commands that print them.
std::vector<std::pair<std::string, JobScript>> Examples() {
  JobScript one = Small();
  JobScript many = Small();
  many.config = "configs/paper/qwen3-4b-math500.yaml";
  many.name = "autodidact-qwen3-4b-math500";
  many.nodes = 2;
  many.gpus_per_node = 8;
  many.memory = "256G";
  many.partition = "gpu";
  JobScript requeue = Small();
  requeue.requeue = true;
  requeue.notice = 600;
  requeue.time = "4:00:00";
  return {{"one_node", one}, {"many_nodes", many}, {"requeue", requeue}};
}

TEST(JobScriptTest, ExamplesAreWhatTheCommandPrints) {
  for (const auto& [name, script] : Examples()) {
    const auto file = tests::SourceFolder() / "launch/slurm" / (name + ".sbatch");
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    EXPECT_EQ(text.str(), ToText(script)) << file;
    EXPECT_EQ(Bash({"bash", "-n"}, ToText(script), {"PATH=/usr/bin:/bin"}).output, "") << file;
  }
}

}  // namespace
}  // namespace autodidact::launch
