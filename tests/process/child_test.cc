#include "process/child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "tests/waits.h"

namespace autodidact::process {
namespace {

using base::Deadline;
using base::Milliseconds;
using testing::HasSubstr;
using tests::kSoon;

constexpr Milliseconds kShort{100};

ChildOptions Shell(const std::string& script, ChildOptions::Output output = ChildOptions::Output::kCapture) {
  ChildOptions options;
  options.what = "script";
  options.argv = {"sh", "-c", script};
  options.environment = {"PATH=/usr/bin:/bin"};
  options.output = output;
  options.grace = Milliseconds(2'000);
  return options;
}

// Blocks until the process is gone (not even a zombie), or the deadline.
bool IsGone(pid_t pid, Deadline deadline) {
  while (kill(pid, 0) == 0) {
    if (deadline.Passed()) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(ChildTest, ExitCodeAndBothOutputsAreKept) {
  Child child(Shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(child.Wait(Deadline::In(kSoon)), (ExitStatus{false, 3}));
  EXPECT_EQ(child.output(), "out\n");
  EXPECT_EQ(child.errors(), "err\n");
}

TEST(ChildTest, DeathBySignalIsToldFromAnExitCode) {
  Child child(Shell("kill -9 $$"));
  const auto status = child.Wait(Deadline::In(kSoon));
  EXPECT_EQ(status, (ExitStatus{true, 9}));
  EXPECT_THAT(status->Describe(), HasSubstr("signal 9"));
}

TEST(EndNowTest, EndsTheProcessWithItsChildrenAndWhatTheyHaveStarted) {
  const std::string file = testing::TempDir() + "end_now_test.pid";
  const auto end = [&] {
    Child child(Shell("trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > " + file + "; echo up; exec sleep 1000' & wait"));
    if (child.ReadLine(Deadline::In(kSoon)) != "up") std::_Exit(1);
    EndNow(42);
  };
  EXPECT_EXIT(end(), testing::ExitedWithCode(42), "");
  pid_t grandchild = 0;
  std::ifstream(file) >> grandchild;
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(IsGone(grandchild, Deadline::In(kSoon)));
}

TEST(ChildTest, WaitEndsAtItsDeadline) {
  Child child(Shell("exec sleep 1000"));
  EXPECT_FALSE(child.Wait(Deadline::In(kShort)).has_value());
  EXPECT_FALSE(child.Wait(Deadline::In(Milliseconds(0))).has_value());
}

TEST(ChildTest, DeafChildDoesNotHearWhatAllProcessesOfAJobAreSent) {
  ChildOptions options = Shell("kill -TERM $$; kill -INT $$; echo goes on; kill -HUP $$; echo no");
  options.deaf = true;
  Child child(std::move(options));
  EXPECT_EQ(child.Wait(Deadline::In(kSoon)), (ExitStatus{true, SIGHUP}));
  EXPECT_EQ(child.output(), "goes on\n");
}

TEST(ChildTest, TerminateIsPoliteFirst) {
  Child child(Shell("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done"));
  ASSERT_EQ(child.ReadLine(Deadline::In(kSoon)), "ready");
  EXPECT_EQ(child.Terminate(kSoon), (ExitStatus{false, 7}));
  EXPECT_EQ(child.output(), "bye\n");
}

TEST(ChildTest, TerminateKillsWhatDoesNotListen) {
  Child child(Shell("trap '' TERM; echo ready; while :; do sleep 1; done"));
  ASSERT_EQ(child.ReadLine(Deadline::In(kSoon)), "ready");
  EXPECT_EQ(child.Terminate(kShort), (ExitStatus{true, SIGKILL}));
}

TEST(ChildTest, GrandchildrenOfTheGroupEndWithIt) {
  pid_t grandchild = 0;
  {
    Child child(Shell("sleep 1000 & echo $!; wait"));
    grandchild = std::stoi(child.ReadLine(Deadline::In(kSoon)).value());
    ASSERT_EQ(kill(grandchild, 0), 0);
  }
  // It is not our child, so whoever adopts it reaps it.
  std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
  std::string number, name, state = "gone";
  stat >> number >> name >> state;
  EXPECT_TRUE(state == "gone" || state == "Z" || IsGone(grandchild, Deadline::In(kSoon))) << state;
}

TEST(ChildTest, DestructorLeavesNoZombie) {
  pid_t pid = 0;
  {
    Child child(Shell("exec sleep 1000"));
    pid = child.pid();
  }
  EXPECT_NE(kill(pid, 0), 0);
}

TEST(ChildTest, EnvironmentIsOnlyWhatWasGiven) {
  setenv("AUTODIDACT_TEST_SECRET", "1", 1);
  auto options = Shell("env");
  options.environment.push_back("COLOUR=green");
  Child child(options);
  child.Wait(Deadline::In(kSoon));
  EXPECT_THAT(child.output(), HasSubstr("COLOUR=green\n"));
  EXPECT_THAT(child.output(), testing::Not(HasSubstr("AUTODIDACT_TEST_SECRET")));
}

TEST(ChildTest, MpiVariablesAreStripped) {
  setenv("OMPI_COMM_WORLD_RANK", "3", 1);
  setenv("PMIX_RANK", "3", 1);
  setenv("AUTODIDACT_TEST_KEPT", "x=y", 1);
  const auto environment = EnvironmentWithoutMpi();
  EXPECT_THAT(environment, testing::Contains("AUTODIDACT_TEST_KEPT=x=y"));
  for (const auto& variable : environment) {
    EXPECT_FALSE(variable.starts_with("OMPI_") || variable.starts_with("PMIX_")) << variable;
  }
  unsetenv("OMPI_COMM_WORLD_RANK");
  unsetenv("PMIX_RANK");
  EXPECT_TRUE(IsMpiVariable("SLURM_PMIX_MAPPING_SERV"));
  EXPECT_FALSE(IsMpiVariable("SLURM_JOB_ID"));
}

TEST(ChildTest, OutputFileIsAppendedTo) {
  const auto path = std::filesystem::path(testing::TempDir()) / ("child_test_" + std::to_string(getpid()));
  auto options = Shell("echo one; echo two >&2", ChildOptions::Output::kFile);
  options.output_file = path;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Child(options).Wait(Deadline::In(kSoon))->ok());
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "one\ntwo\none\ntwo\n");
  std::filesystem::remove(path);
}

TEST(ChildTest, FloodIsCutAtTheLimitAndFlagged) {
  auto options = Shell("head -c 5000000 /dev/zero; echo done >&2");
  options.capture_limit = 1000;
  Child child(options);
  EXPECT_TRUE(child.Wait(Deadline::In(kSoon))->ok());
  EXPECT_EQ(child.output().size(), 1000u);
  EXPECT_EQ(child.errors(), "done\n");
  EXPECT_TRUE(child.truncated());
}

TEST(ChildTest, LinesGoInAndOut) {
  auto options = Shell("while read line; do echo \"got $line\"; done; echo end");
  options.feed = true;
  Child child(options);
  for (const char* line : {"a", "b"}) {
    EXPECT_TRUE(child.Write(std::string(line) + "\n"));
    EXPECT_EQ(child.ReadLine(Deadline::In(kSoon)), std::string("got ") + line);
  }
  EXPECT_FALSE(child.ReadLine(Deadline::In(kShort)).has_value());
  child.CloseInput();
  EXPECT_FALSE(child.Write("late"));
  EXPECT_EQ(child.ReadLine(Deadline::In(kSoon)), "end");
  EXPECT_TRUE(child.Wait(Deadline::In(kSoon))->ok());
  EXPECT_FALSE(child.ReadLine(Deadline::In(kSoon)).has_value());
}

TEST(ChildTest, LargeInputReachesAChildThatReadsLate) {
  auto options = Shell("wc -c");
  options.feed = true;
  Child child(options);
  child.Write(std::string(3'000'000, 'x'));
  child.CloseInput();
  EXPECT_TRUE(child.Wait(Deadline::In(kSoon))->ok());
  EXPECT_THAT(child.output(), HasSubstr("3000000"));
}

TEST(ChildTest, WritingToAChildThatClosedItsInputFails) {
  auto options = Shell("exec 0<&-; echo closed; exec sleep 1000");
  options.feed = true;
  Child child(options);
  ASSERT_EQ(child.ReadLine(Deadline::In(kSoon)), "closed");
  const Deadline deadline = Deadline::In(kSoon);
  while (child.Write("x") && !deadline.Passed()) std::this_thread::yield();
  EXPECT_FALSE(deadline.Passed());
}

TEST(ChildTest, StdinIsEmptyUnlessFed) {
  Child child(Shell("cat; echo end"));
  child.Wait(Deadline::In(kSoon));
  EXPECT_EQ(child.output(), "end\n");
}

TEST(ChildTest, NoOtherDescriptorIsInherited) {
  const int leak = dup(1);
  Child child(Shell("ls /proc/self/fd"));
  child.Wait(Deadline::In(kSoon));
  EXPECT_EQ(child.output(), "0\n1\n2\n3\n");  // 3 is the folder that ls reads
  close(leak);
}

TEST(ChildTest, ProgramThatCannotBeStartedIsBadInputSayingWhy) {
  auto options = Shell("");
  for (const char* program : {"no-such-program-here", "/no/such/file", "/etc/passwd", "/tmp"}) {
    options.argv = {program};
    try {
      Child child(options);
      ADD_FAILURE() << program;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      EXPECT_THAT(error.message(), HasSubstr(program));
      EXPECT_THAT(error.message(), testing::AnyOf(HasSubstr("No such file"), HasSubstr("Permission denied")));
    }
  }
  options = Shell("true");
  options.working_directory = "/no/such/folder";
  EXPECT_THROW(Child{options}, base::Error);
}

TEST(ChildTest, WorkingDirectoryIsTheOneGiven) {
  auto options = Shell("pwd");
  options.working_directory = "/usr";
  Child child(options);
  child.Wait(Deadline::In(kSoon));
  EXPECT_EQ(child.output(), "/usr\n");
}

TEST(ChildTest, BackgroundProcessThatHoldsThePipeDoesNotDelayTheEnd) {
  Child child(Shell("setsid sleep 1000 & echo $!"));
  EXPECT_TRUE(child.Wait(Deadline::In(kSoon))->ok());
  kill(std::stoi(child.output()), SIGKILL);
}

// Run as a program of its own by the test below.
TEST(ChildHelper, DISABLED_HoldsAChildUntilKilled) {
  Child child(Shell("echo $$; exec sleep 1000", ChildOptions::Output::kInherit));
  child.Wait(Deadline::In(kSoon));
}

TEST(ChildTest, ChildDiesWhenItsParentIsKilled) {
  ChildOptions options;
  options.what = "parent";
  options.argv = {"/proc/self/exe", "--gtest_filter=ChildHelper.*", "--gtest_also_run_disabled_tests",
                  "--gtest_brief=1"};
  options.argv[0] = std::filesystem::read_symlink("/proc/self/exe");
  options.environment = EnvironmentWithoutMpi();
  options.output = ChildOptions::Output::kCapture;
  Child parent(options);
  pid_t grandchild = 0;
  while (grandchild == 0) {
    const auto line = parent.ReadLine(Deadline::In(kSoon));
    ASSERT_TRUE(line.has_value()) << parent.errors();
    grandchild = std::atoi(line->c_str());
  }
  ASSERT_EQ(kill(grandchild, 0), 0);
  kill(parent.pid(), SIGKILL);  // not its group: the kernel alone must do it
  ASSERT_TRUE(parent.Wait(Deadline::In(kSoon)).has_value());
  const Deadline deadline = Deadline::In(kSoon);
  std::string state;
  do {
    std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
    std::string number, name;
    state = "gone";
    stat >> number >> name >> state;
  } while (state != "gone" && state != "Z" && !deadline.Passed());
  EXPECT_TRUE(state == "gone" || state == "Z") << state;
}

TEST(ChildTest, ManyChildrenAtOnceAllEnd) {
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 30; ++i) children.push_back(std::make_unique<Child>(Shell("exit " + std::to_string(i))));
  for (int i = 0; i < 30; ++i) EXPECT_EQ(children[i]->Wait(Deadline::In(kSoon)), (ExitStatus{false, i}));
}

}  // namespace
}  // namespace autodidact::process
