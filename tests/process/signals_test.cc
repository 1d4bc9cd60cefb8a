#include "process/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/guarded.h"
#include "process/stacks.h"

namespace autodidact::process {
namespace {

using base::Deadline;
using base::Milliseconds;

constexpr Milliseconds kSoon{20'000};

TEST(SignalWatchTest, SignalsAreCountedInsteadOfEndingTheProcess) {
  base::Guarded<std::vector<std::pair<int, int>>> seen;
  SignalWatch watch([&](int signal, int count) { seen.With([&](auto& list) { list.emplace_back(signal, count); }); });
  const auto has = [](std::size_t n) { return [n](const auto& list) { return list.size() == n; }; };
  kill(getpid(), SIGINT);
  ASSERT_TRUE(seen.WaitUntil(Deadline::In(kSoon), has(1)));
  kill(getpid(), SIGTERM);
  ASSERT_TRUE(seen.WaitUntil(Deadline::In(kSoon), has(2)));
  seen.With([](const auto& list) {
    EXPECT_EQ(list[0], std::pair(SIGINT, 1));
    EXPECT_EQ(list[1], std::pair(SIGTERM, 2));
  });
}

TEST(SignalWatchTest, SignalsEndTheProcessAgainAfterwards) {
  {
    SignalWatch watch([](int, int) {});
  }
  EXPECT_EXIT(kill(getpid(), SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

std::string StacksNow(int* answered) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe(ends.data()), 0);
  std::string text;
  std::thread reader([&] {
    std::array<char, 4096> buffer;
    for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) > 0;) text.append(buffer.data(), got);
  });
  *answered = DumpStacks(ends[1], Deadline::In(kSoon));
  close(ends[1]);
  reader.join();
  close(ends[0]);
  return text;
}

TEST(DumpStacksTest, EveryThreadIsShownWithItsName) {
  base::Guarded<bool> stop;
  base::Guarded<int> ready;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      pthread_setname_np(pthread_self(), "waits-here");
      ready.With([](int& count) { ++count; });
      stop.WaitUntil(Deadline::In(kSoon), [](bool it) { return it; });
    });
  }
  ASSERT_TRUE(ready.WaitUntil(Deadline::In(kSoon), [](int count) { return count == 3; }));
  int answered = 0;
  for (int round = 0; round < 2; ++round) {
    const std::string text = StacksNow(&answered);
    EXPECT_GE(answered, 4);
    std::size_t named = 0;
    for (auto at = text.find("(waits-here)"); at != std::string::npos; at = text.find("(waits-here)", at + 1)) ++named;
    EXPECT_EQ(named, 3u) << text;
    EXPECT_THAT(text, testing::HasSubstr("libc.so"));
  }
  stop.With([](bool& it) { it = true; });
  for (auto& thread : threads) thread.join();
}

TEST(DumpStacksTest, ThreadThatDoesNotAnswerIsSaidSo) {
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
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  answered = DumpStacks(ends[1], Deadline::In(Milliseconds(300)));
  close(ends[1]);
  std::string text(100'000, '\0');
  text.resize(std::max<ssize_t>(0, read(ends[0], text.data(), text.size())));
  close(ends[0]);
  EXPECT_GE(answered, 1);
  EXPECT_THAT(text, testing::HasSubstr("did not answer"));
  stop.With([](bool& it) { it = true; });
  deaf.join();
}

}  // namespace
}  // namespace autodidact::process
