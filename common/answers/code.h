// Programs as answers: they are run on tests, or compared by what they do on the same inputs. Only in a sandbox.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "process/sandbox.h"

namespace autodidact::answers {

struct CodeConfig {
  std::string python = "python3";  // the interpreter, in /usr/bin when it has no slash
  process::SandboxLimits limits;
};

enum class CodeEnd {
  kPassed,         // every test held
  kFailed,         // a test did not hold, or the program raised, exited or does not parse
  kTimedOut,       // wall time or processor time
  kResourceLimit,  // memory, processes, files or output
  kUnavailable,    // not run: nothing is known about the program, so it has no reward
};
// "passed", "failed", "timed_out", "resource_limit", "unavailable".
const char* Name(CodeEnd end);

struct CodeOutcome {
  CodeEnd end = CodeEnd::kUnavailable;
  std::string reason;  // one line; empty when passed
};

// A Python program and tests in the manner of HumanEval and MBPP.
struct CodeTask {
  std::string program;
  std::string tests;        // asserts at their top level, or in a function check(candidate)
  std::string entry_point;  // the function that check gets; empty: the tests call by themselves
  std::string prompt;       // put before a program that does not define the entry point itself: a mere continuation
};

// Runs the program, then the tests, in one interpreter. That the tests were reached and held is shown by a word that
// the interpreter is given for this run and reads at the end: leaving early (sys.exit, os._exit) is a failure. A
// program that looks for that word inside of its own interpreter can still find it.
CodeOutcome RunTests(const CodeConfig& config, const CodeTask& task);

// What a program does on each of several inputs.
struct Behaviour {
  CodeOutcome outcome;               // passed: every input was tried, `outputs` has one entry each
  std::vector<std::string> outputs;  // value and printed text in one canonical form, or the exception's type
  std::vector<bool> returned;        // false: an exception
};

enum class InputKind {
  kCalls,  // Python expressions that use what the program defines ("f([1, 2])"), evaluated in order in one interpreter
  kStdin,  // texts, each the stdin of a whole run of the program
};

// Values are written so that equal ones look equal: sets and keys sorted, floats to 12 digits.
Behaviour RunInputs(const CodeConfig& config, InputKind kind, const std::string& program,
                    const std::vector<std::string>& inputs);

// The parts of an answer in code: what stands in its fenced blocks.
struct CodeText {
  std::string program;  // the last block that is not marked "inputs"; the whole text when there is none
  // The lines of the last block marked "inputs" (```inputs), without empty ones; a line may be a JSON string.
  std::vector<std::string> inputs;
};
CodeText ReadCodeText(std::string_view text);

}  // namespace autodidact::answers
