#include "process/stacks.h"

#include <dirent.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.h"
#include "base/log.h"
#include "process/descriptor.h"

namespace autodidact::process {
namespace {

constexpr int kMaxFrames = 64;

// What the signal handler fills in. It is reached by a global because a handler has no other way to find anything.
struct Sample {
  std::atomic<int> wanted{0};  // the thread whose turn it is; 0: nobody's
  std::atomic<int> depth{-1};  // frames that are there; -1: not answered yet
  std::array<void*, kMaxFrames> frames{};
};
Sample sample;

void TakeSample(int /*signal*/) {
  const int saved = errno;
  int self = static_cast<int>(syscall(SYS_gettid));
  // A thread that answers too late finds that it is no longer its turn.
  if (sample.wanted.compare_exchange_strong(self, 0)) sample.depth = backtrace(sample.frames.data(), kMaxFrames);
  errno = saved;
}

std::vector<int> Threads() {
  std::vector<int> threads;
  DIR* folder = opendir("/proc/self/task");
  if (folder == nullptr) return threads;
  while (const dirent* entry = readdir(folder)) {
    if (const int id = std::atoi(entry->d_name)) threads.push_back(id);
  }
  closedir(folder);
  return threads;
}

// A file of the thread's folder under /proc, its first 4 KiB; empty where the thread is gone.
std::string ThreadFile(int thread, const char* file) {
  const int fd = open(base::Format("/proc/self/task/{}/{}", thread, file).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::array<char, 4096> text{};
  // No fault point: it tells of other faults.
  const ssize_t got = read(fd, text.data(), text.size());
  close(fd);
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

std::string ThreadName(int thread) {
  const std::string name = ThreadFile(thread, "comm");
  return name.empty() ? "?" : name.substr(0, name.size() - 1);
}

bool Blocks(int thread, int signal) {
  constexpr std::string_view kKey = "SigBlk:\t";
  const std::string status = ThreadFile(thread, "status");
  const auto at = status.find(kKey);
  return at != std::string::npos && (std::strtoull(&status[at + kKey.size()], nullptr, 16) >> (signal - 1) & 1) != 0;
}

void Put(int fd, const std::string& text) {
  // No fault point: it tells of other faults.
  [[maybe_unused]] const auto written = write(fd, text.data(), text.size());
}

bool AskThread(int thread, int signal, base::Deadline deadline) {
  sample.depth = -1;
  sample.wanted = thread;
  if (syscall(SYS_tgkill, getpid(), thread, signal) != 0) return false;
  while (sample.depth < 0 && !deadline.Passed()) {
    const timespec pause{0, 200'000};
    nanosleep(&pause, nullptr);
  }
  int expected = thread;
  if (sample.wanted.compare_exchange_strong(expected, 0)) return false;  // withdrawn: it never looked
  while (sample.depth < 0) sched_yield();                                // it has begun, and needs no lock to finish
  return true;
}

}  // namespace

int DumpStacks(int fd, base::Deadline deadline) {
  static std::mutex one_at_a_time;
  std::lock_guard lock(one_at_a_time);
  // The first call of backtrace loads a library, which a signal handler must not do.
  std::array<void*, kMaxFrames> here{};
  backtrace(here.data(), kMaxFrames);
  const int signal = SIGRTMAX - 1;
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = TakeSample;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, &before);
  const std::vector<int> threads = Threads();
  int answered = 0;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    Put(fd, base::Format("thread {} ({})\n", threads[i], ThreadName(threads[i])));
    // The time that is left is shared out, so that one thread cannot take all of it.
    const auto share = base::Deadline::In(deadline.Left() / static_cast<int>(threads.size() - i));
    if (Blocks(threads[i], signal)) {
      Put(fd, "  cannot answer: it blocks the signal\n");
    } else if (AskThread(threads[i], signal, share)) {
      backtrace_symbols_fd(sample.frames.data(), sample.depth, fd);
      ++answered;
    } else {
      Put(fd, "  did not answer\n");
    }
  }
  // A late signal must still find a handler: its default would end the process.
  if (before.sa_handler == SIG_DFL) return answered;
  sigaction(signal, &before, nullptr);
  return answered;
}

void LogStacks(base::Deadline deadline) {
  // In memory, since whoever reads a pipe would be a thread that has to be waited for.
  const Descriptor memory(memfd_create("stacks", MFD_CLOEXEC));
  if (memory.get() < 0) return base::LogError("no stacks: {}", std::strerror(errno));
  DumpStacks(memory.get(), deadline);
  std::string text;
  std::array<char, 4096> part{};
  ssize_t got = 0;
  while ((got = pread(memory.get(), part.data(), part.size(), static_cast<off_t>(text.size()))) > 0) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  base::LogError("what each thread of this process is doing:");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) base::LogError("{}", line);
}

}  // namespace autodidact::process
