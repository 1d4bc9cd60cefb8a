#include "process/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

namespace autodidact::process {
namespace {

using testing::HasSubstr;

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override {
    static const std::string kWhyNot = WhyNoSandbox();
    if (!kWhyNot.empty()) GTEST_SKIP() << kWhyNot;
  }
};

SandboxRun Script(const std::string& script) {
  SandboxRun run;
  run.what = "script";
  run.argv = {"sh", "-c", script};
  return run;
}

TEST_F(SandboxTest, GivesStatusAndBothOutputsAndTakesInput) {
  SandboxRun run = Script("read line; echo got $line; echo err >&2; exit 3");
  run.input = "it\n";
  const SandboxResult result = RunInSandbox(run);
  EXPECT_EQ(result.end, SandboxEnd::kExited) << result.reason;
  EXPECT_EQ(result.status, (ExitStatus{false, 3}));
  EXPECT_EQ(result.output, "got it\n");
  EXPECT_EQ(result.errors, "err\n");
}

TEST_F(SandboxTest, DeathBySignalIsToldAsSuch) {
  const SandboxResult result = RunInSandbox(Script("kill -SEGV $$"));
  EXPECT_EQ(result.end, SandboxEnd::kExited);
  EXPECT_EQ(result.status, (ExitStatus{true, SIGSEGV}));
}

TEST_F(SandboxTest, SeesTheSystemAndNothingElse) {
  const SandboxResult result = RunInSandbox(Script("ls -A /; ls -A /tmp; id -u; env | grep -c SECRET; pwd"));
  for (const char* there : {"usr", "tmp", "dev"}) EXPECT_THAT(result.output, HasSubstr(there));
  for (const char* missing : {"etc", "home", "root", "proc", "sys", "var", "work"}) {
    EXPECT_THAT(result.output, testing::Not(HasSubstr(missing)));
  }
  EXPECT_THAT(result.output, HasSubstr("65534\n0\n/tmp\n"));
}

TEST_F(SandboxTest, AProgramThatIsNotThereIsNoResultOfIts) {
  SandboxRun run = Script("");
  run.argv = {"/usr/bin/no-such-program"};
  const SandboxResult result = RunInSandbox(run);
  EXPECT_FALSE(result.end == SandboxEnd::kExited && result.status.ok());
  EXPECT_THAT(result.errors, HasSubstr("no-such-program"));
}

TEST_F(SandboxTest, SleepersEndAtTheWallLimit) {
  SandboxRun run = Script("sleep 1000 & sleep 1000");
  run.limits.wall = base::Milliseconds(500);
  const SandboxResult result = RunInSandbox(run);
  EXPECT_EQ(result.end, SandboxEnd::kTimedOut);
  EXPECT_THAT(result.reason, HasSubstr("500 ms"));
}

}  // namespace
}  // namespace autodidact::process
