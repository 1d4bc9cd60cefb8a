// How the program ends when it is asked to: by a signal, or because nobody reads its standard output any more.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/deadline.h"

namespace autodidact::process {

// Exit codes, of every command.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitBadInput = 2;
inline constexpr int kExitAlarm = 3;
// After a signal: 128 + its number (SIGHUP 129, SIGINT 130, SIGTERM 143). After a closed pipe: kExitFailed.
int ExitCodeAfter(int signal);

// One per process, made first in main. A request ends the program at once, wherever it is, with its children, unless
// there is work that can be saved: then that work is asked to stop by its token. A second signal always ends at once.
// Thread-safe.
class Ending {
 public:
  // Watches the signals and the reader of standard output (process/signals.h). A standard descriptor that is closed is
  // opened first, such that every use of it fails: no file must come to lie under its number.
  Ending();
  ~Ending();
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

  // While it lives there is something to save: a request is passed on by `stop` instead of ending the program. One at a
  // time. What was requested meanwhile stays requested.
  class Saving {
   public:
    // `promise`: what happens at a request, for people, as in "stopping; a checkpoint of the steps done is written".
    Saving(Ending& ending, std::string promise);
    ~Saving();
    Saving(const Saving&) = delete;
    Saving& operator=(const Saving&) = delete;

   private:
    Ending& ending_;
  };

  // Requested by a request that came while there was something to save.
  std::stop_token stop() const;

  // The first signal that came (SIGPIPE: the closed output), or nothing. A signal goes before a closed output.
  std::optional<int> requested() const;
  // As if the signal had come to this process: another rank was sent it.
  void Request(int signal);

  // What is saved is saved: the program ends with this code when it has not ended by itself by the deadline. Where
  // that would be a fault, the log then says `so_far`, and what the threads are doing.
  void EndBy(base::Deadline deadline, int exit_code, std::string so_far = "");

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace autodidact::process
