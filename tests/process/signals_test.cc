#include "process/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "process/stacks.h"
#include "tests/log_lines.h"
#include "tests/waits.h"

namespace autodidact::process {
namespace {

using base::Deadline;
using base::Milliseconds;
using tests::kSoon;

using Seen = base::Guarded<std::vector<int>>;

std::function<void(int)> Into(Seen& seen) {
  return [&seen](int signal) { seen.With([&](auto& list) { list.push_back(signal); }); };
}

bool Comes(const Seen& seen, std::vector<int> signals) {
  return seen.WaitUntil(Deadline::In(kSoon), [&](const auto& list) { return list == signals; });
}

TEST(SignalWatchTest, SignalsAreToldInsteadOfEndingTheProcess) {
  Seen seen;
  const SignalWatch watch(Into(seen));
  std::vector<int> sent;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    kill(getpid(), signal);
    sent.push_back(signal);
    EXPECT_TRUE(Comes(seen, sent)) << signal;
  }
}

TEST(SignalWatchTest, SignalsEndTheProcessAgainAfterwards) {
  {
    SignalWatch watch([](int) {});
  }
  EXPECT_EXIT(kill(getpid(), SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

TEST(SignalWatchTest, AHangUpThatIsIgnoredStaysSo) {
  signal(SIGHUP, SIG_IGN);
  Seen seen;
  const SignalWatch watch(Into(seen));
  kill(getpid(), SIGHUP);
  kill(getpid(), SIGTERM);
  EXPECT_TRUE(Comes(seen, {SIGTERM}));
  signal(SIGHUP, SIG_DFL);
}

TEST(SignalWatchTest, AReaderThatGoesIsToldOnceAndWritesFailInsteadOfEndingTheProcess) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  Seen seen;
  const SignalWatch watch(Into(seen), ends[1]);
  close(ends[0]);
  EXPECT_TRUE(Comes(seen, {SIGPIPE}));
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  kill(getpid(), SIGINT);
  EXPECT_TRUE(Comes(seen, {SIGPIPE, SIGINT}));
  close(ends[1]);
}

// By a file: ThreadSanitizer holds a signal back from a thread that waits in read() or for a condition.
std::string StacksNow(int* answered, Deadline deadline) {
  const int fd = memfd_create("stacks", MFD_CLOEXEC);
  *answered = DumpStacks(fd, deadline);
  std::string text(static_cast<std::size_t>(lseek(fd, 0, SEEK_CUR)), '\0');
  EXPECT_EQ(pread(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  close(fd);
  return text;
}

TEST(DumpStacksTest, EveryThreadIsShownWithItsName) {
  std::atomic<bool> stop = false;
  base::Guarded<int> ready;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      pthread_setname_np(pthread_self(), "waits-here");
      ready.With([](int& count) { ++count; });
      while (!stop) std::this_thread::sleep_for(Milliseconds(1));
    });
  }
  ASSERT_TRUE(ready.WaitUntil(Deadline::In(kSoon), [](int count) { return count == 3; }));
  int answered = 0;
  for (int round = 0; round < 2; ++round) {
    const std::string text = StacksNow(&answered, Deadline::In(kSoon));
    EXPECT_GE(answered, 4);
    std::size_t named = 0;
    for (auto at = text.find("(waits-here)"); at != std::string::npos; at = text.find("(waits-here)", at + 1)) ++named;
    EXPECT_EQ(named, 3u) << text;
    EXPECT_THAT(text, testing::HasSubstr("libc.so"));
  }
  stop = true;
  for (auto& thread : threads) thread.join();
}

TEST(DumpStacksTest, ThreadThatCannotAnswerIsSaidSoAtOnce) {
  base::Guarded<bool> stop;
  base::Guarded<bool> ready;
  std::thread deaf([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    ready.With([](bool& it) { it = true; });
    stop.WaitUntil(Deadline::In(kSoon), [](bool it) { return it; });
  });
  ASSERT_TRUE(ready.WaitUntil(Deadline::In(kSoon), [](bool it) { return it; }));
  int answered = 0;
  const Deadline deadline = Deadline::In(kSoon);
  const std::string text = StacksNow(&answered, deadline);
  EXPECT_GE(answered, 1);
  EXPECT_THAT(text, testing::HasSubstr("blocks the signal"));
  EXPECT_GT(deadline.Left(), kSoon / 2) << "it was waited for";
  stop.With([](bool& it) { it = true; });
  deaf.join();
}

TEST(LogStacksTest, EveryThreadIsInTheLogUnderItsRole) {
  base::Guarded<bool> ready;
  base::Guarded<bool> stop;
  std::thread waits([&] {
    base::SetLogRole("judge-5 of a long name");
    ready.With([](bool& it) { it = true; });
    stop.WaitUntil(Deadline::In(kSoon), [](bool it) { return it; });
  });
  ASSERT_TRUE(ready.WaitUntil(Deadline::In(kSoon), [](bool it) { return it; }));
  const tests::LogLines log;
  LogStacks(Deadline::In(kSoon));
  stop.With([](bool& it) { it = true; });
  waits.join();
  const std::string text = log.text();
  EXPECT_THAT(text, testing::HasSubstr("what each thread of this process is doing:"));
  EXPECT_THAT(text, testing::HasSubstr("(judge-5 of a lo)"));
  EXPECT_THAT(text, testing::HasSubstr("libc.so"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("\n\n")));
}

}  // namespace
}  // namespace autodidact::process
