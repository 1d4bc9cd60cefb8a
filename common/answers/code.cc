#include "answers/code.h"

#include <algorithm>
#include <cctype>
#include <random>

#include "answers/code_harness.h"
#include "answers/text_util.h"
#include "base/format.h"
#include "json/json.h"

namespace autodidact::answers {
namespace {

// One run's word: nothing that a program could know beforehand. Not part of any result.
std::string Word() {
  std::random_device random;
  std::string word;
  while (word.size() < 32) word.push_back("0123456789abcdef"[random() % 16]);
  return word;
}

CodeEnd EndOf(process::SandboxEnd end) {
  switch (end) {
    case process::SandboxEnd::kTimedOut:
      return CodeEnd::kTimedOut;
    case process::SandboxEnd::kResourceLimit:
      return CodeEnd::kResourceLimit;
    case process::SandboxEnd::kExited:
      return CodeEnd::kFailed;
    case process::SandboxEnd::kUnavailable:
      break;
  }
  return CodeEnd::kUnavailable;
}

CodeEnd EndNamed(const std::string& name) {
  for (const CodeEnd end : {CodeEnd::kPassed, CodeEnd::kResourceLimit}) {
    if (name == Name(end)) return end;
  }
  return CodeEnd::kFailed;
}

// The last line of what a program wrote: Python's errors end with their message.
std::string LastLine(std::string_view text) {
  text = Trim(text);
  const std::size_t at = text.rfind('\n');
  return std::string(Trim(at == std::string_view::npos ? text : text.substr(at + 1)).substr(0, 300));
}

// What the harness said, if it said it with this run's word. Anything else is the program's doing.
Behaviour Read(const process::SandboxResult& result, const std::string& word, std::size_t num_inputs) {
  Behaviour behaviour;
  if (result.end != process::SandboxEnd::kExited) {
    behaviour.outcome = {EndOf(result.end), result.reason};
    return behaviour;
  }
  json::Json said;
  try {
    said = json::Parse(result.output, "harness");
    if (said.at("word") != word) base::ThrowBadInput("another word");
    behaviour.outcome = {EndNamed(said.at("end").get<std::string>()), said.at("reason").get<std::string>()};
    behaviour.outputs = said.at("outputs").get<std::vector<std::string>>();
    behaviour.returned = said.at("returned").get<std::vector<bool>>();
    if (behaviour.outcome.end == CodeEnd::kPassed && behaviour.outputs.size() != num_inputs) {
      base::ThrowBadInput("not as many outputs as inputs");
    }
  } catch (const std::exception&) {
    const std::string last = LastLine(result.errors);
    behaviour = {};
    behaviour.outcome = {CodeEnd::kFailed, "ended before the tests did: " + result.status.Describe()};
    if (!last.empty()) behaviour.outcome.reason += ": " + last;
    // The interpreter itself had no room left.
    if (last.starts_with("MemoryError")) behaviour.outcome = {CodeEnd::kResourceLimit, "memory"};
  }
  return behaviour;
}

Behaviour RunJob(const CodeConfig& config, const json::Json& job, std::size_t num_inputs) {
  const std::string word = Word();
  const std::string text = json::Dump(job);
  std::string length = base::Format("{}", text.size());
  length.insert(0, 16 - length.size(), '0');
  process::SandboxRun run;
  run.what = "program";
  run.argv = {config.python, "-I", "-S", "-B", "-c", kCodeHarness};
  run.input = length + text + word;
  run.limits = config.limits;
  return Read(process::RunInSandbox(run), word, num_inputs);
}

bool Defines(std::string_view program, const std::string& name) {
  for (const std::string& start : {"def " + name, "class " + name, name + " ="}) {
    for (std::size_t at = program.find(start); at != std::string_view::npos; at = program.find(start, at + 1)) {
      const char after = at + start.size() < program.size() ? program[at + start.size()] : '\n';
      const bool whole = !IsLetter(after) && !IsDigit(after) && after != '_';
      if (whole && (at == 0 || program[at - 1] == '\n' || program.substr(0, at).ends_with("async "))) return true;
    }
  }
  return false;
}

struct Block {
  std::string mark;  // what stands after the opening fence, in small letters
  std::string text;
};

// The fenced blocks; one that is not closed reaches to the end.
std::vector<Block> Blocks(std::string_view text) {
  std::vector<Block> blocks;
  bool open = false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    const std::string_view trimmed = Trim(line);
    if (!trimmed.starts_with("```")) {
      if (open) blocks.back().text.append(line).push_back('\n');
      continue;
    }
    open = !open;
    if (open) {
      std::string mark(Trim(trimmed.substr(3)));
      for (char& c : mark) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      blocks.push_back({std::move(mark), ""});
    }
  }
  return blocks;
}

std::string Input(std::string_view line) {
  if (line.front() != '"') return std::string(line);
  try {
    const json::Json text = json::Parse(line, "input");
    if (text.is_string()) return text.get<std::string>();
  } catch (const base::Error&) {
    // An expression that starts with a string.
  }
  return std::string(line);
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (const std::string_view line = Trim(text.substr(begin, end - begin)); !line.empty())
      lines.push_back(Input(line));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

const char* Name(CodeEnd end) {
  switch (end) {
    case CodeEnd::kPassed:
      return "passed";
    case CodeEnd::kFailed:
      return "failed";
    case CodeEnd::kTimedOut:
      return "timed_out";
    case CodeEnd::kResourceLimit:
      return "resource_limit";
    case CodeEnd::kUnavailable:
      return "unavailable";
  }
  return "unknown";
}

CodeOutcome RunTests(const CodeConfig& config, const CodeTask& task) {
  const bool continues = !task.entry_point.empty() && !Defines(task.program, task.entry_point);
  return RunJob(config,
                {{"kind", "tests"},
                 {"program", continues ? task.prompt + task.program : task.program},
                 {"tests", task.tests},
                 {"entry_point", task.entry_point}},
                0)
      .outcome;
}

Behaviour RunInputs(const CodeConfig& config, InputKind kind, const std::string& program,
                    const std::vector<std::string>& inputs) {
  return RunJob(config,
                {{"kind", kind == InputKind::kCalls ? "calls" : "stdin"}, {"program", program}, {"inputs", inputs}},
                inputs.size());
}

CodeText ReadCodeText(std::string_view text) {
  CodeText found;
  bool has_program = false;
  for (Block& block : Blocks(text)) {
    if (block.mark == "inputs") {
      found.inputs = Lines(block.text);
    } else {
      found.program = std::move(block.text);
      has_program = true;
    }
  }
  if (!has_program) found.program = std::string(text);
  return found;
}

}  // namespace autodidact::answers
