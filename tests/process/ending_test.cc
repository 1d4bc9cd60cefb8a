#include "process/ending.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "base/log.h"
#include "tests/waits.h"

namespace autodidact::process {
namespace {

using base::Deadline;
using tests::kSoon;

// Ends the death test's process with 99 where nothing else ended it.
[[noreturn]] void WaitForTheEnd() {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable().wait_for(lock, kSoon, [] { return false; });
  std::_Exit(99);
}

bool Stops(const Ending& ending) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, ending.stop(), kSoon, [] { return false; });
  return ending.stop().stop_requested();
}

// What is logged goes to standard error, where death tests look for it.
class EndingTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { base::SetUpLog({}); }
};

TEST_F(EndingTest, ASignalEndsAtOnceWhereThereIsNothingToSave) {
  for (const auto& [signal, code] : {std::pair(SIGHUP, 129), {SIGINT, 130}, {SIGTERM, 143}}) {
    const auto end = [signal = signal] {
      const Ending ending;
      kill(getpid(), signal);
      WaitForTheEnd();
    };
    EXPECT_EXIT(end(), testing::ExitedWithCode(code), ": ended");
  }
}

TEST_F(EndingTest, WhatCanBeSavedIsAskedToStopAndTheSignalIsKept) {
  const auto end = [] {
    Ending ending;
    {
      const Ending::Saving saving(ending, "stopping; all is saved");
      kill(getpid(), SIGTERM);
      if (!Stops(ending)) std::_Exit(98);
    }
    std::_Exit(ExitCodeAfter(ending.requested().value()));
  };
  EXPECT_EXIT(end(), testing::ExitedWithCode(143), "SIGTERM: stopping; all is saved");
}

TEST_F(EndingTest, ASecondSignalEndsAtOnce) {
  const auto end = [] {
    Ending ending;
    const Ending::Saving saving(ending, "stopping");
    kill(getpid(), SIGINT);
    if (!Stops(ending)) std::_Exit(98);
    // One that follows at once is taken for the same request, as `timeout` sends two.
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable().wait_for(lock, base::Milliseconds(300), [] { return false; });
    kill(getpid(), SIGTERM);
    WaitForTheEnd();
  };
  EXPECT_EXIT(end(), testing::ExitedWithCode(130), "again: ended at once");
}

TEST_F(EndingTest, ASignalToAnotherRankStopsAndTheFirstOwnOneAfterItDoesNotEnd) {
  const auto end = [] {
    Ending ending;
    const Ending::Saving saving(ending, "stopping");
    ending.Request(SIGTERM);
    if (!Stops(ending)) std::_Exit(98);
    kill(getpid(), SIGTERM);
    ending.EndBy(Deadline::In(base::Milliseconds(500)), 41);
    WaitForTheEnd();
  };
  EXPECT_EXIT(end(), testing::ExitedWithCode(41), "another rank was sent SIGTERM");
}

TEST_F(EndingTest, WhatDoesNotComeToItsEndIsSaidWithItsThreads) {
  const auto end = [] {
    Ending ending;
    ending.EndBy(Deadline::In(base::Milliseconds(10)), 42, "the run is saved");
    WaitForTheEnd();
  };
  EXPECT_EXIT(end(), testing::ExitedWithCode(42),
              "the run is saved; and not every thread has come to its end in time: ended with code 42(.|\n)*"
              "what each thread of this process is doing");
}

// Standard output becomes a pipe that nobody reads once `on_output` has run.
[[noreturn]] void CloseTheOutput(const std::function<void(Ending&)>& then) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) std::_Exit(97);
  dup2(ends[1], STDOUT_FILENO);
  close(ends[1]);
  Ending ending;
  const auto closed = [&] { close(ends[0]); };
  if (!then) {
    closed();
    WaitForTheEnd();
  }
  const Ending::Saving saving(ending, "stopping; all is saved");
  closed();
  if (!Stops(ending)) std::_Exit(98);
  then(ending);
  std::_Exit(96);
}

TEST_F(EndingTest, AClosedOutputIsAFailureAtOnceOrAfterSaving) {
  EXPECT_EXIT(CloseTheOutput({}), testing::ExitedWithCode(1), "nobody reads standard output");
  const auto exit = [](Ending& ending) { std::_Exit(ExitCodeAfter(ending.requested().value())); };
  EXPECT_EXIT(CloseTheOutput(exit), testing::ExitedWithCode(1), "all is saved");
}

TEST_F(EndingTest, ASignalGoesBeforeTheOutputThatItClosed) {
  const auto interrupted = [](Ending& ending) {
    kill(getpid(), SIGINT);
    while (ending.requested() == SIGPIPE) sched_yield();
    std::_Exit(ExitCodeAfter(ending.requested().value()));
  };
  EXPECT_EXIT(CloseTheOutput(interrupted), testing::ExitedWithCode(130), "");
}

TEST_F(EndingTest, NoFileComesToLieUnderTheNumberOfAClosedStandardDescriptor) {
  const auto end = [] {
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    const Ending ending;
    const int file = open("/dev/null", O_RDONLY);
    char byte = 0;
    const bool good = file > STDERR_FILENO && write(STDOUT_FILENO, "x", 1) < 0 && read(STDIN_FILENO, &byte, 1) < 0;
    std::_Exit(good ? 0 : 1);
  };
  EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace autodidact::process
