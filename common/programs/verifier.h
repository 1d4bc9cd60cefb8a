// An outside program that compares answers in the place of a comparator.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"
#include "process/child.h"

namespace autodidact::programs {

struct VerifierConfig {
  std::vector<std::string> command;    // the program and its arguments
  base::Milliseconds timeout{10'000};  // of each comparison
};

// Speaks JSON lines with the program, which runs for as long as it answers: {"gold", "answer"} goes to its stdin, and
// one line with {"equal": true or false}, perhaps with a "reason", comes from its stdout. It is started at the first
// comparison; one that is late, ends, or answers something else or more is killed, and started anew for the next one;
// the failure shows the last line of its stderr. Thread-safe: one comparison at a time.
class Verifier {
 public:
  explicit Verifier(VerifierConfig config);
  ~Verifier();
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  // Blocks until the answer or the deadline. Fails (kRetryLater) when nothing is known: never "unequal" for want of an
  // answer.
  base::Outcome<bool> Equal(std::string_view gold, std::string_view answer);

  // How often it was started.
  std::uint64_t starts() const;

 private:
  base::Outcome<bool> Ask(const std::string& line);
  base::Outcome<bool> GiveUp(const std::string& reason, base::ErrorKind kind = base::ErrorKind::kRetryLater);

  const VerifierConfig config_;
  mutable std::mutex mutex_;
  std::unique_ptr<process::Child> child_;
  std::uint64_t starts_ = 0;
};

}  // namespace autodidact::programs
