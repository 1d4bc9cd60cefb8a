#include "process/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/fault.h"
#include "base/format.h"
#include "process/descriptor.h"

namespace autodidact::process {
namespace {

[[noreturn]] void ThrowCannotStart(const ChildOptions& options, const std::string& step, int error) {
  base::ThrowBadInput(base::Format("process: {}: cannot start '{}': {}: {}", options.what,
                                   options.argv.empty() ? "" : options.argv[0], step, strerror(error)));
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe MakePipe(const ChildOptions& options) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) ThrowCannotStart(options, "pipe", errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor Open(const ChildOptions& options, const std::string& path, int flags) {
  Descriptor file(open(path.c_str(), flags | O_CLOEXEC, 0644));
  if (file.get() < 0) ThrowCannotStart(options, path, errno);
  return file;
}

// Where the program is; the child's PATH decides, as it would in a shell that had it.
std::string FindProgram(const ChildOptions& options) {
  if (options.argv.empty()) base::ThrowBadInput("process: " + options.what + ": no program was named");
  const std::string& name = options.argv[0];
  if (name.find('/') != std::string::npos) return name;
  std::string path = "/usr/local/bin:/usr/bin:/bin";
  for (const auto& variable : options.environment) {
    if (variable.starts_with("PATH=")) path = variable.substr(5);
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string candidate = path.substr(begin, end - begin) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  ThrowCannotStart(options, "PATH=" + path, ENOENT);
}

// Everything the new process needs, laid out before it exists: between vfork and exec nothing may be allocated.
struct Plan {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* working_directory;  // null: ours
  std::array<int, 3> standard;
  pid_t parent;
  int report;  // where errno of a failed step goes
  const std::vector<int>& keep;
  std::optional<uid_t> user;
  bool outlives;
  bool deaf;
};

// By the kernel's calls: the C library's would ask the other threads of the parent to do the same.
bool BecomeUser(uid_t user) {
  return syscall(SYS_setgroups, 0, nullptr) == 0 && syscall(SYS_setresgid, user, user, user) == 0 &&
         syscall(SYS_setresuid, user, user, user) == 0;
}

// Only async-signal-safe calls, since other threads of the parent may hold any lock.
[[noreturn]] void BecomeChild(const Plan& plan) {
  const auto fail = [&] {
    const int error = errno;
    // No fault point: the child may only make system calls.
    [[maybe_unused]] const auto written = write(plan.report, &error, sizeof error);
    _exit(127);
  };
  struct sigaction defaults {};
  defaults.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &defaults, nullptr);
  sigset_t blocked;
  sigemptyset(&blocked);
  if (plan.deaf) {
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
  }
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  if ((plan.outlives ? setsid() : setpgid(0, 0)) < 0) fail();
  if (plan.user && !BecomeUser(*plan.user)) fail();
  if (!plan.outlives) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail();  // a change of the user takes it back
    if (getppid() != plan.parent) _exit(127);           // it died before the request took effect
  }
  // Moved out of the way first, so that no dup2 overwrites one that is needed later.
  std::array<int, 3> moved{};
  for (int i = 0; i < 3; ++i) {
    moved[i] = fcntl(plan.standard[i], F_DUPFD_CLOEXEC, 10);
    if (moved[i] < 0) fail();
  }
  for (int i = 0; i < 3; ++i) {
    if (dup2(moved[i], i) < 0) fail();
  }
  if (plan.working_directory != nullptr && chdir(plan.working_directory) != 0) fail();
  // CLOSE_RANGE_CLOEXEC: the report must stay open until exec has worked.
  if (syscall(SYS_close_range, 3u, ~0u, 1u << 2) != 0) fail();
  for (const int fd : plan.keep) {
    if (fcntl(fd, F_SETFD, 0) != 0) fail();
  }
  execve(plan.program, plan.argv, plan.environment);
  fail();
  _exit(127);
}

// vfork, because fork would copy the page tables of a process that may hold a model. Not inlined: the child runs on
// this frame's stack.
[[gnu::noinline]] pid_t StartWithVfork(const Plan& plan) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  // No fault point: its caller has one.
  const pid_t pid = vfork();
#pragma GCC diagnostic pop
  if (pid == 0) BecomeChild(plan);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const auto& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void SetNonBlocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

Spawned Spawn(const ChildOptions& options) {
  const std::string program = FindProgram(options);
  const auto argv = Pointers(options.argv);
  const auto environment = Pointers(options.environment);
  Pipe input, output, errors;
  Pipe report = MakePipe(options);
  Descriptor child_input, child_output;
  Plan plan{.program = program.c_str(),
            .argv = argv.data(),
            .environment = environment.data(),
            .working_directory = options.working_directory.empty() ? nullptr : options.working_directory.c_str(),
            .standard = {0, 1, 2},
            .parent = getpid(),
            .report = report.write.get(),
            .keep = options.keep,
            .user = options.user,
            .outlives = options.outlives,
            .deaf = options.deaf};
  if (options.feed) {
    input = MakePipe(options);
    plan.standard[0] = input.read.get();
  } else {
    child_input = Open(options, "/dev/null", O_RDONLY);
    plan.standard[0] = child_input.get();
  }
  if (options.output == ChildOptions::Output::kCapture) {
    output = MakePipe(options);
    errors = MakePipe(options);
    plan.standard[1] = output.write.get();
    plan.standard[2] = errors.write.get();
  } else if (options.output == ChildOptions::Output::kFile) {
    child_output = Open(options, options.output_file.string(), O_WRONLY | O_CREAT | O_APPEND);
    plan.standard[1] = plan.standard[2] = child_output.get();
  }

  const pid_t pid = base::FaultFails("process.spawn") ? -1 : StartWithVfork(plan);
  if (pid < 0) ThrowCannotStart(options, "vfork", errno);
  report.write.Reset();
  int error = 0;
  ssize_t got = 0;
  do {
    got = read(report.read.get(), &error, sizeof error);  // ends with exec, which closes the other end
  } while (got < 0 && errno == EINTR);
  Descriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (got == sizeof error || pidfd.get() < 0) {
    if (got != sizeof error) error = errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
    ThrowCannotStart(options, plan.working_directory != nullptr ? program + " in " + plan.working_directory : program,
                     error);
  }
  for (const int fd : {input.write.get(), output.read.get(), errors.read.get()}) {
    if (fd >= 0) SetNonBlocking(fd);
  }
  return {pid, pidfd.Release(), input.write.Release(), output.read.Release(), errors.read.Release()};
}

}  // namespace autodidact::process
