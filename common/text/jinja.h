// Chat templates rendered by jinja2, in a Python process of its own. Private to the room.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "json/json.h"
#include "process/child.h"
#include "text/chat_source.h"

namespace autodidact::text {

// One process for one template, as transformers sets jinja2 up: an immutable sandboxed environment, trim_blocks,
// lstrip_blocks, loop controls, {% generation %}, raise_exception, strftime_now, and its own tojson. The process lives
// as long as this object, gets requests over a pipe, and is bounded in memory, output and time; one that dies is
// started anew. It is in the sandbox of process/sandbox.h where this machine has one and the Python is the system's;
// elsewhere jinja2's own sandbox and the kernel's limits must do. Thread-safe: one request at a time.
class Jinja {
 public:
  // Starts it, or shares the one of an equal source. The Python is the source's, else the first that has jinja2 3.1 of
  // /usr/bin/python3 and the python3 of PATH. Error(kBadInput) when there is none, saying what to install, or the
  // template cannot be compiled.
  static std::shared_ptr<const Jinja> For(const ChatSource& source);

  explicit Jinja(ChatSource source);
  Jinja(const Jinja&) = delete;
  Jinja& operator=(const Jinja&) = delete;

  struct Rendered {
    std::string text;
    std::vector<std::string> unread;  // keys of messages that the template did not look at
  };
  // Each chat is an object of variables: "messages", "add_generation_prompt", …; all at the same moment of the clock.
  // Fails (kBadInput) for what the template refuses or takes too long for. Blocks, at most some minutes.
  std::vector<base::Outcome<Rendered>> Render(const std::vector<json::Json>& chats) const;

  // Of jinja2; and the variables that the template reads.
  const std::string& version() const { return version_; }
  bool Asks(const std::string& variable) const;
  bool sandboxed() const { return sandboxed_; }

 private:
  enum class Start { kReady, kNoJinja, kEnded };

  void StartAny();
  Start TryStart(const std::string& python, bool sandboxed);
  std::optional<json::Json> Ask(const json::Json& request) const;

  const ChatSource source_;
  // Written by the constructor only.
  std::string python_;
  bool sandboxed_ = false;
  std::string version_;
  std::vector<std::string> asks_;
  std::string tried_;  // what is wrong with the Pythons that were tried

  mutable std::mutex mutex_;  // of child_, for the length of a request
  mutable std::unique_ptr<process::Child> child_;
};

}  // namespace autodidact::text
