#include "programs/code.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "base/format.h"
#include "json/json.h"
#include "programs/harness.h"
#include "programs/last_line.h"

namespace autodidact::programs {
namespace {

// What reads the compiled harness from stdin and becomes it; the job follows there.
constexpr char kStart[] =
    "import os, marshal\n"
    "def read(size):\n"
    "    data = b''\n"
    "    while len(data) < size:\n"
    "        data += os.read(0, size - len(data))\n"
    "    return data\n"
    "exec(marshal.loads(read(int(read(16)))), {'__name__': 'harness'})\n";
constexpr char kCompile[] =
    "import sys, marshal\n"
    "code = compile(sys.stdin.buffer.read(), 'harness', 'exec')\n"
    "sys.stdout.buffer.write(marshal.dumps(code))\n";
constexpr std::size_t kVerdict = std::size_t{1} << 24;  // bytes of all outcomes and outputs
constexpr std::size_t kShownErrors = 300;               // bytes of an error
constexpr std::size_t kTasksAtATime = 50;

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
  for (const CodeEnd end : {CodeEnd::kPassed, CodeEnd::kTimedOut, CodeEnd::kResourceLimit, CodeEnd::kInvalid}) {
    if (name == Name(end)) return end;
  }
  return CodeEnd::kFailed;
}

std::string WithLength(const std::string& bytes) {
  std::string length = base::Format("{}", bytes.size());
  length.insert(0, 16 - length.size(), '0');
  return length + bytes;
}

process::SandboxRun Interpreter(const CodeConfig& config, const char* code) {
  process::SandboxRun run;
  run.what = "program";
  run.argv = {config.python, "-I", "-S", "-B", "-c", code};
  run.limits.output = kVerdict;
  return run;
}

// The harness, compiled by the interpreter that will run it. Once per interpreter: it takes as long as a small program.
base::Outcome<std::string> CompiledHarness(const CodeConfig& config) {
  static std::mutex mutex;
  static std::map<std::string, std::string> compiled;
  const std::lock_guard lock(mutex);
  if (const auto found = compiled.find(config.python); found != compiled.end()) return found->second;
  process::SandboxRun run = Interpreter(config, kCompile);
  run.input = kHarness;
  const process::SandboxResult result = process::RunInSandbox(run);
  if (result.end == process::SandboxEnd::kExited && result.status.ok()) return compiled[config.python] = result.output;
  std::string reason = result.reason;
  if (result.end == process::SandboxEnd::kExited) {
    reason = config.python + ": " + result.status.Describe() + ": " + LastLine(result.errors).substr(0, kShownErrors);
  }
  return base::Failure{base::ErrorKind::kRetryLater, reason};
}

// What the tests' process said. It alone holds the descriptor that this came by.
std::vector<Behaviour> Read(const process::SandboxResult& result, std::size_t num_jobs) {
  Behaviour all;
  if (result.end != process::SandboxEnd::kExited) {
    all.outcome = {EndOf(result.end), result.reason};
    return std::vector<Behaviour>(num_jobs, all);
  }
  std::vector<Behaviour> behaviours;
  try {
    for (const json::Json& said : json::Parse(result.output, "harness")) {
      Behaviour& behaviour = behaviours.emplace_back();
      behaviour.outcome = {EndNamed(said.at("end").get<std::string>()), said.at("reason").get<std::string>()};
      behaviour.outputs = said.at("outputs").get<std::vector<std::string>>();
      behaviour.returned = said.at("returned").get<std::vector<bool>>();
    }
    if (behaviours.size() != num_jobs) base::ThrowBadInput("not as many outcomes as jobs");
  } catch (const std::exception&) {
    const std::string last = LastLine(result.errors).substr(0, kShownErrors);
    all.outcome = {CodeEnd::kFailed, "the tests' process was ended: " + result.status.Describe()};
    if (!last.empty()) all.outcome.reason += ": " + last;
    // The interpreter itself had no room left.
    if (last.starts_with("MemoryError")) all.outcome = {CodeEnd::kResourceLimit, "memory"};
    behaviours.assign(num_jobs, all);
  }
  return behaviours;
}

std::vector<Behaviour> RunJobs(const CodeConfig& config, const json::Json& job, std::size_t num_jobs) {
  const auto harness = CompiledHarness(config);
  if (!harness.ok()) {
    const CodeOutcome unavailable{CodeEnd::kUnavailable, harness.failure().reason};
    return std::vector<Behaviour>(num_jobs, Behaviour{.outcome = unavailable, .outputs = {}, .returned = {}});
  }
  process::SandboxRun run = Interpreter(config, kStart);
  run.input = WithLength(*harness) + WithLength(json::Dump(job));
  run.limits = config.limits;
  run.limits.output = kVerdict;
  ++run.limits.processes;  // the tests'
  return Read(process::RunInSandbox(run), num_jobs);
}

json::Json BlocksOf(const CodeText& text) {
  json::Json blocks = json::Json::array();
  for (const CodeText::Block& block : text.blocks) blocks.push_back({block.mark, block.text});
  return blocks;
}

json::Json JobOf(const char* kind, const CodeTask& task) {
  const CodeText program = ReadCodeText(task.program);
  return {{"kind", kind},
          {"program", program.whole},
          {"blocks", BlocksOf(program)},
          {"tests", task.tests},
          {"test_blocks", BlocksOf(ReadCodeText(task.tests))},
          {"entry_point", task.entry_point},
          {"prompt", task.prompt},
          {"prompt_blocks", BlocksOf(ReadCodeText(task.prompt))}};
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
    case CodeEnd::kInvalid:
      return "invalid";
    case CodeEnd::kUnavailable:
      return "unavailable";
  }
  return "unknown";
}

CodeOutcome RunTests(const CodeConfig& config, const CodeTask& task) {
  return RunJobs(config, JobOf("tests", task), 1).front().outcome;
}

std::vector<std::string> FaultsOfTests(const CodeConfig& config, const std::vector<CodeTask>& tasks) {
  std::vector<std::string> faults;
  for (std::size_t begin = 0; begin < tasks.size(); begin += kTasksAtATime) {
    const std::size_t count = std::min(kTasksAtATime, tasks.size() - begin);
    json::Json jobs = json::Json::array();
    for (std::size_t i = 0; i < count; ++i) {
      CodeTask task = tasks[begin + i];
      task.program.clear();
      jobs.push_back(JobOf("check", task));
    }
    for (const Behaviour& checked : RunJobs(config, {{"kind", "many"}, {"jobs", jobs}}, count)) {
      faults.push_back(checked.outcome.end == CodeEnd::kInvalid ? checked.outcome.reason : "");
    }
  }
  return faults;
}

Behaviour RunInputs(const CodeConfig& config, InputKind kind, const std::string& program,
                    const std::vector<std::string>& inputs) {
  const CodeText text = ReadCodeText(program);
  const json::Json job = {{"kind", kind == InputKind::kCalls ? "calls" : "stdin"},
                          {"program", text.whole},
                          {"blocks", BlocksOf(text)},
                          {"inputs", inputs}};
  return RunJobs(config, job, 1).front();
}

}  // namespace autodidact::programs
