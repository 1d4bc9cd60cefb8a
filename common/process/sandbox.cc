#include "process/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "base/fault.h"
#include "base/format.h"
#include "base/log.h"
#include "process/descriptor.h"
#include "process/syscall_filter.h"

namespace autodidact::process {
namespace {

namespace fs = std::filesystem;

constexpr base::Milliseconds kLook{10};        // between two looks at its memory
constexpr base::Milliseconds kGoneBy{20'000};  // what was killed is gone by then, even on a busy machine
constexpr uid_t kNobody = 65534;
constexpr std::uint32_t kOpenFiles = 64;

// A file in memory, to be read from its start.
int FileWith(const std::string& bytes) {
  const int fd = memfd_create("filter", MFD_CLOEXEC);
  if (fd < 0) return -1;
  if (base::FaultFails("process.sandbox.write") ||
      write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || lseek(fd, 0, SEEK_SET) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

void Append(std::vector<std::string>& argv, std::initializer_list<std::string> more) {
  argv.insert(argv.end(), more);
}

// The system's programs and libraries, where this machine has them.
void AppendSystem(std::vector<std::string>& argv) {
  Append(argv, {"--ro-bind", "/usr", "/usr"});
  for (const char* path : {"/bin", "/sbin", "/lib", "/lib64"}) {
    std::error_code error;
    if (const fs::path target = fs::read_symlink(path, error); !error) {
      Append(argv, {"--symlink", target.string(), path});
    } else if (fs::is_directory(path, error)) {
      Append(argv, {"--ro-bind", path, path});
    }
  }
}

std::vector<std::string> CommandLine(const SandboxRun& run, int filter, int status) {
  const SandboxLimits& limits = run.limits;
  std::vector<std::string> argv = {"bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"};
  Append(argv, {"--uid", base::Format("{}", kNobody), "--gid", base::Format("{}", kNobody), "--hostname", "sandbox"});
  Append(argv, {"--seccomp", base::Format("{}", filter), "--json-status-fd", base::Format("{}", status)});
  Append(argv, {"--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG",
                "C.UTF-8", "--setenv", "PYTHONHASHSEED", "0"});
  AppendSystem(argv);
  const std::string room = base::Format("{}", limits.files);
  Append(argv, {"--dev", "/dev", "--remount-ro", "/dev", "--size", room, "--perms", "0700", "--tmpfs", "/tmp"});
  Append(argv, {"--remount-ro", "/", "--chdir", "/tmp", "--"});
  // Inside of the new user namespace: there the kernel counts the processes of this sandbox alone.
  Append(argv, {"/usr/bin/prlimit", base::Format("--nproc={}", limits.processes),
                base::Format("--as={}", limits.memory), base::Format("--cpu={}", limits.cpu_seconds),
                base::Format("--fsize={}", limits.files), base::Format("--nofile={}", kOpenFiles), "--core=0", "--"});
  argv.insert(argv.end(), run.argv.begin(), run.argv.end());
  return argv;
}

// The pids that /proc says were started by this one. Empty once it is gone.
std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code error;
  const fs::path threads = base::Format("/proc/{}/task", pid);
  for (auto it = fs::directory_iterator(threads, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    std::ifstream file(it->path() / "children");
    for (pid_t child = 0; file >> child;) children.push_back(child);
  }
  return children;
}

// Bytes that a process and all below it hold.
std::size_t Holds(pid_t pid) {
  static const auto kPage = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::size_t total = 0;
  std::vector<pid_t> open = {pid};
  while (!open.empty()) {
    const pid_t next = open.back();
    open.pop_back();
    std::ifstream file(base::Format("/proc/{}/statm", next));
    std::size_t size = 0, resident = 0;
    if (file >> size >> resident) total += resident * kPage;
    for (const pid_t child : ChildrenOf(next)) open.push_back(child);
  }
  return total;
}

// What bubblewrap reports while it runs: two JSON objects, a line each. Reads what has come so far.
class StatusReader {
 public:
  // Takes the pipe's reading end, which must not block.
  explicit StatusReader(int fd) : fd_(fd) {}

  void Look() {
    std::array<char, 512> buffer;
    for (ssize_t got;
         (got = base::FaultFails("process.sandbox.read") ? -1 : read(fd_.get(), buffer.data(), buffer.size())) > 0;) {
      text_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    if (init_.get() < 0) {
      // The first process of its own: when it is gone, so is everything in the sandbox.
      if (const auto pid = Number("\"child-pid\":")) init_.Reset(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
    }
  }
  // True once the program itself was started.
  bool started() const { return Number("\"exit-code\":").has_value(); }

  // Blocks until nothing of the sandbox is left; false when the deadline passes first.
  bool WaitUntilGone(base::Deadline deadline) const {
    if (init_.get() < 0) return true;
    pollfd ended{init_.get(), POLLIN, 0};
    while (poll(&ended, 1, static_cast<int>(deadline.Left().count())) <= 0) {
      if (deadline.Passed()) return false;
    }
    return true;
  }

 private:
  std::optional<long> Number(std::string_view key) const {
    const std::size_t at = text_.find(key);
    if (at == std::string::npos) return std::nullopt;
    return std::strtol(text_.c_str() + at + key.size(), nullptr, 10);
  }

  Descriptor fd_;
  Descriptor init_;
  std::string text_;
};

SandboxResult Without(SandboxEnd end, std::string reason) {
  SandboxResult result;
  result.end = end;
  result.reason = std::move(reason);
  return result;
}

SandboxResult Unavailable(std::string reason) {
  while (!reason.empty() && reason.back() == '\n') reason.pop_back();
  return Without(SandboxEnd::kUnavailable, "no sandbox: " + reason);
}

// Why a run must end before it ends by itself; nothing while it may go on.
std::optional<SandboxResult> Broken(const SandboxLimits& limits, const Child& child, base::Deadline wall) {
  if (Holds(child.pid()) > limits.memory) {
    return Without(SandboxEnd::kResourceLimit, base::Format("memory: more than {} bytes", limits.memory));
  }
  if (wall.Passed()) {
    return Without(SandboxEnd::kTimedOut, base::Format("not done within {} ms", limits.wall.count()));
  }
  return std::nullopt;
}

// Of a program that ended by itself. `status` is bubblewrap's: a signal is told as 128 and its number.
SandboxResult Ended(const SandboxLimits& limits, base::Milliseconds took, ExitStatus status) {
  if (!status.by_signal && status.code > 128) status = {.by_signal = true, .code = status.code - 128};
  // A program that ignores the first signal is killed a second later.
  const bool killed = status == ExitStatus{true, SIGKILL} && took > std::chrono::seconds(limits.cpu_seconds);
  if (status == ExitStatus{true, SIGXCPU} || killed) {
    return Without(SandboxEnd::kTimedOut, base::Format("more than {} s of processor time", limits.cpu_seconds));
  }
  if (status == ExitStatus{true, SIGXFSZ}) {
    return Without(SandboxEnd::kResourceLimit, base::Format("files: more than {} bytes", limits.files));
  }
  SandboxResult result = Without(SandboxEnd::kExited, "");
  result.status = status;
  return result;
}

// `filter` and `status` must stay open until the child is started.
ChildOptions OptionsFor(const SandboxRun& run, int filter, int status) {
  ChildOptions options;
  options.what = run.what;
  options.argv = CommandLine(run, filter, status);
  options.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
  options.working_directory = "/";
  options.output = ChildOptions::Output::kCapture;
  options.capture_limit = run.limits.output;
  options.feed = true;
  options.grace = base::Milliseconds(0);
  options.keep = {filter, status};
  // The kernel counts no processes of root's.
  if (getuid() == 0) options.user = kNobody;
  return options;
}

}  // namespace

SandboxResult RunInSandbox(const SandboxRun& run) {
  Descriptor filter(FileWith(SystemCallFilter()));
  std::array<int, 2> pipe{-1, -1};
  if (filter.get() < 0 || pipe2(pipe.data(), O_CLOEXEC) != 0) return Unavailable("no file descriptor left");
  StatusReader reports(pipe[0]);
  Descriptor report(pipe[1]);
  fcntl(pipe[0], F_SETFL, O_NONBLOCK);

  ChildOptions options = OptionsFor(run, filter.get(), report.get());
  std::optional<SandboxResult> result;
  const auto start = base::Clock::now();
  const base::Deadline wall(start + run.limits.wall);
  try {
    Child child(std::move(options));
    report.Reset();
    child.Write(run.input);
    child.CloseInput();
    std::optional<ExitStatus> status;
    while (!result && !(status = child.Wait(base::Deadline::In(kLook).Min(wall)))) {
      reports.Look();
      result = Broken(run.limits, child, wall);
    }
    if (!status) child.Terminate(base::Milliseconds(0));
    reports.Look();
    if (!result) {
      const auto took = std::chrono::duration_cast<base::Milliseconds>(base::Clock::now() - start);
      result = reports.started() ? Ended(run.limits, took, *status) : Unavailable(child.errors());
    }
    result->output = child.output();
    result->errors = child.errors();
  } catch (const base::Error& error) {
    return Unavailable(error.message());
  }
  if (!reports.WaitUntilGone(base::Deadline::In(kGoneBy))) {
    base::LogError("process: {}: its sandbox was killed but is held in the kernel", run.what);
  }
  return *result;
}

std::unique_ptr<Child> StartInSandbox(const SandboxRun& run) {
  const Descriptor filter(FileWith(SystemCallFilter()));
  const Descriptor reports(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (filter.get() < 0 || reports.get() < 0) base::ThrowBadInput(run.what + ": no file descriptor left");
  auto child = std::make_unique<Child>(OptionsFor(run, filter.get(), reports.get()));
  child->Write(run.input);
  return child;
}

std::string WhyNoSandbox() {
  const SandboxResult result = RunInSandbox({.what = "sandbox check", .argv = {"true"}, .input = {}, .limits = {}});
  if (result.end == SandboxEnd::kExited && result.status.ok()) return "";
  const std::string found = result.reason.empty() ? result.status.Describe() : result.reason;
  return found +
         "; programs run only in a sandbox: install bubblewrap, and let unprivileged users make user namespaces "
         "(sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
         "kernel.apparmor_restrict_unprivileged_userns; in a container its seccomp profile)";
}

}  // namespace autodidact::process
