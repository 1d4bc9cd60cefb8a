// Programs as answers: they are run on tests, or compared by what they do on the same inputs. Only in a sandbox.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/names.h"
#include "process/sandbox.h"

namespace autodidact::programs {

struct CodeConfig {
  std::string python = "python3";  // the interpreter, in /usr/bin when it has no slash
  process::SandboxLimits limits;
};

enum class CodeEnd {
  kPassed,         // every test held
  kFailed,         // a test did not hold, or the program raised, exited or does not parse
  kTimedOut,       // wall time or processor time
  kResourceLimit,  // memory, processes, files or output
  kInvalid,        // the tests test nothing, or fail by themselves: they say nothing about any program
  kUnavailable,    // not run: nothing is known about the program, so it has no reward
};
// "passed", "failed", "timed_out", "resource_limit", "invalid", "unavailable".
const char* Name(CodeEnd end);

struct CodeOutcome {
  CodeEnd end = CodeEnd::kUnavailable;
  std::string reason;  // one line; empty when passed
};

// A Python program and its tests, in the ways that people write them: asserts, a function check(candidate), functions
// and classes as pytest and unittest find them, a list of asserts, pairs of input and output (README.md).
struct CodeTask {
  std::string program;      // an answer: the program, or a text with the program in it
  std::string tests;        // Python, or JSON of a list or an object
  std::string entry_point;  // the function that is asked for; empty: the tests call by themselves
  std::string prompt;       // where it is the start of a program, its imports and helpers stand before the answer's
};

// Runs the tests on the program. They run in another process than the program, which answers calls by values of plain
// types (docs/decisions/0013); nothing of the verdict is within the program's reach.
CodeOutcome RunTests(const CodeConfig& config, const CodeTask& task);

// Why each task's tests say nothing about any program; an empty text for tests that do, and where that cannot be told.
// The programs do not count. Blocks for about 50 ms and a few more for each task.
std::vector<std::string> FaultsOfTests(const CodeConfig& config, const std::vector<CodeTask>& tasks);

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
constexpr auto NamesOf(InputKind) {
  return base::NameTable<InputKind, 2>{{{InputKind::kCalls, "calls"}, {InputKind::kStdin, "stdin"}}};
}

// Values are written so that equal ones look equal: sets and keys sorted, floats to 12 digits, objects by their class's
// name and their attributes. What has none (a function) equals nothing. Of a long output a sum takes the place of its
// end.
Behaviour RunInputs(const CodeConfig& config, InputKind kind, const std::string& program,
                    const std::vector<std::string>& inputs);

// The parts of an answer in code: what stands in its fenced blocks, behind any </think>.
struct CodeText {
  struct Block {
    std::string mark;  // the first word behind the opening fence, in small letters
    std::string text;
  };
  std::string whole;          // the text itself
  std::vector<Block> blocks;  // without those marked "inputs"
  // The lines of the last block marked "inputs" (```inputs), without empty ones; a line may be a JSON string.
  std::vector<std::string> inputs;
};
CodeText ReadCodeText(std::string_view text);

}  // namespace autodidact::programs
