// Child processes with deadlines: started, fed, listened to, ended, and never left behind.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"

namespace autodidact::process {

// This process's environment as "NAME=value", without what an MPI launcher or Slurm's step daemon put there: a child
// that inherits it would take itself for a rank.
std::vector<std::string> EnvironmentWithoutMpi();

// True for names that EnvironmentWithoutMpi leaves out: OMPI_*, PMIX_*, PMI_*, PRTE_*, MPI_*, SLURM_PMI*, …
bool IsMpiVariable(const std::string& name);

struct ChildOptions {
  enum class Output {
    kInherit,  // ours
    kFile,     // stdout and stderr, appended to output_file
    kCapture,  // kept in memory, each up to capture_limit bytes
  };
  std::string what;                         // "actor-0", for messages
  std::vector<std::string> argv;            // the program is looked for in PATH when it has no slash
  std::vector<std::string> environment;     // "NAME=value"; nothing is inherited besides
  std::filesystem::path working_directory;  // empty: ours
  Output output = Output::kInherit;
  std::filesystem::path output_file;
  std::size_t capture_limit = 1 << 20;  // what is beyond it is read and dropped
  bool feed = false;                    // a pipe as stdin, for Write; else stdin is empty
  base::Milliseconds grace{5'000};      // of the destructor, between SIGTERM and SIGKILL
  std::vector<int> keep;                // further descriptors that it inherits, under the same numbers
  std::optional<uid_t> user;            // runs as this user and group, without others; only root may ask for it
  // Not killed with us, and in a session of its own, such that signals to our process group do not reach it: it must
  // notice by itself that we are gone, as by the end of its stdin (needs feed; process/lifeline.h).
  bool outlives = false;
  // It starts with SIGINT and SIGTERM blocked, which may be sent to all processes of a job at once: so that they wait
  // until it can take them (process/ending.h), or, of a launcher, that they do not make it end its own children, which
  // were sent them too and have work to save. SIGHUP ends it.
  bool deaf = false;
};

// How a process ended.
struct ExitStatus {
  bool by_signal = false;
  int code = 0;  // the exit code, or the signal's number

  bool ok() const { return !by_signal && code == 0; }
  std::string Describe() const;  // "exit code 3", "killed by signal 9 (Killed)"
  bool operator==(const ExitStatus&) const = default;
};

// One child, in a process group of its own. It inherits no file descriptor besides the three standard ones (and
// `keep`), has the default signal dispositions, and is killed by the kernel when this process dies, however that
// happens (unless it `outlives` us). Thread-safe. A thread inside starts it, moves its bytes and reaps it, so no zombie
// stays.
//
// Lifecycle: running -> ended (its status is known).
class Child {
 public:
  // Error(kBadInput) when the program cannot be started, saying why.
  explicit Child(ChildOptions options);
  // Ends it as Terminate(grace) does.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const;
  const std::string& what() const;

  // Blocks until it has ended, or the deadline passes (nothing). A deadline in the past asks without blocking.
  std::optional<ExitStatus> Wait(base::Deadline deadline) const;

  // Sends a signal to its whole group, if it is still running.
  void Signal(int signal);

  // SIGTERM to its whole group, SIGKILL to what is left after `grace`. Returns when it has been reaped.
  ExitStatus Terminate(base::Milliseconds grace);

  // Queues bytes for its stdin (needs feed). Never blocks; false when it has ended or closed its stdin.
  bool Write(std::string bytes);
  // Closes its stdin once what was queued is written.
  void CloseInput();

  // Captured so far (needs kCapture). Complete once Wait has given a status.
  std::string output() const;
  std::string errors() const;
  // True when more of stdout came than capture_limit allows. What is beyond it of stderr is lost without a sign.
  bool truncated() const;
  // Takes the next line of the captured stdout, without its newline. Blocks until there is one; nothing when the
  // deadline passes or it ended (a last line without newline is given). A line longer than capture_limit is cut.
  std::optional<std::string> ReadLine(base::Deadline deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Ends this process at once with this exit code, from any thread, and with it every child: SIGTERM to each one's group,
// SIGKILL to what is left after a moment. Nothing is unwound, no destructor runs.
[[noreturn]] void EndNow(int exit_code);

}  // namespace autodidact::process
