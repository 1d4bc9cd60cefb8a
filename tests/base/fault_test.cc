#include "base/fault.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "base/log.h"

namespace autodidact::base {
namespace {

// The environment is read once in a process, so each of these happens in one of its own.
#define EXPECT_IN_A_PROCESS(statement, code) EXPECT_EXIT(statement, testing::ExitedWithCode(code), "")

void Ask(const char* faults) {
  setenv("AUTODIDACT_FAULT", faults, 1);
}
void End(bool as_expected) {
  _exit(as_expected ? 0 : 1);
}

TEST(FaultTest, WithoutBeingAskedForNothingHappens) {
  EXPECT_IN_A_PROCESS(
      {
        unsetenv("AUTODIDACT_FAULT");
        FaultPoint("a");
        End(!FaultFails("a"));
      },
      0);
}

TEST(FaultTest, HappensOnceAtItsPassage) {
  EXPECT_IN_A_PROCESS(
      {
        Ask("a:2:enospc,b:1:throw");
        const bool first = FaultFails("a");
        const bool second = FaultFails("a") && errno == ENOSPC;
        const bool third = FaultFails("a");
        End(!first && second && !third && FaultFails("b") && errno == EIO);
      },
      0);
}

TEST(FaultTest, IsThrownWhereFailuresAreExceptions) {
  EXPECT_IN_A_PROCESS(
      {
        Ask("a:1:enospc");
        try {
          StartThread("a", [] {});
        } catch (const std::system_error& error) {
          End(error.code() == std::errc::no_space_on_device);
        }
      },
      0);
}

TEST(FaultTest, EndsTheProcessAtOnce) {
  EXPECT_IN_A_PROCESS(
      {
        Ask("a:1:exit");
        FaultPoint("a");
      },
      86);
}

TEST(FaultTest, IsOfOneRole) {
  EXPECT_IN_A_PROCESS(
      {
        Ask("a:1:throw:actor-1");
        const bool anothers = FaultFails("a");
        SetLogRole("actor-1");
        End(!anothers && FaultFails("a"));
      },
      0);
}

TEST(FaultTest, IsOfTheProcessThatMakesTheLatch) {
  const std::string latch = testing::TempDir() + "fault_latch";
  unlink(latch.c_str());
  const auto fails = [&] {
    Ask("a:1:throw");
    setenv("AUTODIDACT_FAULT_LATCH", latch.c_str(), 1);
    _exit(FaultFails("a") ? 0 : 1);
  };
  EXPECT_IN_A_PROCESS(fails(), 0);
  EXPECT_IN_A_PROCESS(fails(), 1);
  unlink(latch.c_str());
}

TEST(FaultTest, WhatCannotBeUnderstoodIsBadInput) {
  for (const char* text : {"a", "a:1", "a:0:throw", "a:x:throw", "a:1:burn", "a:1:throw:b:c", "a:1:throw,"}) {
    Ask(text);
    EXPECT_THROW(CheckFaults(), Error) << text;
  }
  Ask("a:1:throw,b:2:stall:judge-0");
  CheckFaults();
  unsetenv("AUTODIDACT_FAULT");
}

}  // namespace
}  // namespace autodidact::base
