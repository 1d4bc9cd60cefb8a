#include "programs/code.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/format.h"
#include "json/json.h"
#include "tests/paths.h"
#include "tests/programs/code_example.h"

namespace autodidact::programs {
namespace {

using CodeTest = SandboxedTest;

namespace fs = std::filesystem;
using testing::HasSubstr;

CodeOutcome Judge(const std::string& program, const std::string& tests, const CodeConfig& config = {}) {
  return RunTests(config, {.program = program, .tests = tests, .entry_point = "", .prompt = ""});
}

TEST_F(CodeTest, PassesWhenEveryTestHolds) {
  const CodeOutcome outcome =
      Judge("def add(a, b):\n    return a + b\n", "assert add(1, 2) == 3\nassert add(0, 0) == 0\n");
  EXPECT_EQ(outcome.end, CodeEnd::kPassed) << outcome.reason;
}

TEST_F(CodeTest, SaysWhichTestDidNotHold) {
  const CodeOutcome outcome =
      Judge("def add(a, b):\n    return a - b\n", "assert add(0, 0) == 0\nassert add(1, 2) == 3\n");
  EXPECT_EQ(outcome.end, CodeEnd::kFailed);
  EXPECT_THAT(outcome.reason, HasSubstr("tests:2: assert add(1, 2) == 3"));
}

TEST_F(CodeTest, GivesCheckTheEntryPointAndPutsThePromptBeforeAContinuation) {
  const std::string check = "def check(candidate):\n    assert candidate(2) == 4\n";
  CodeTask task{.program = "    return 2 * x\n", .tests = check, .entry_point = "double", .prompt = "def double(x):\n"};
  EXPECT_EQ(RunTests({}, task).end, CodeEnd::kPassed);
  task.program = "def double(x):\n    return x + 2\n";
  EXPECT_EQ(RunTests({}, task).end, CodeEnd::kPassed);
  task.program = "def triple(x):\n    return 3 * x\n";
  task.prompt = "";
  const CodeOutcome outcome = RunTests({}, task);
  EXPECT_EQ(outcome.end, CodeEnd::kFailed);
  EXPECT_THAT(outcome.reason, HasSubstr("double"));
}

TEST_F(CodeTest, ProgramsThatDoNotParseFail) {
  const CodeOutcome outcome = Judge("def f(:\n", "assert f() == 1");
  EXPECT_EQ(outcome.end, CodeEnd::kFailed);
  EXPECT_THAT(outcome.reason, HasSubstr("SyntaxError"));
}

TEST_F(CodeTest, WithoutASandboxThereIsNoResult) {
  process::SandboxRun run;
  run.argv = {"true"};
  run.limits.files = 0;  // bubblewrap refuses a file system without room
  EXPECT_EQ(process::RunInSandbox(run).end, process::SandboxEnd::kUnavailable);
  CodeConfig config;
  config.limits.files = 0;
  EXPECT_EQ(Judge("", "assert f() == 1", config).end, CodeEnd::kUnavailable);
}

// What a program did on inputs.
TEST_F(CodeTest, EqualValuesLookEqual) {
  const std::vector<std::string> calls = {"f()"};
  const auto output = [&](const std::string& value) {
    return RunInputs({}, InputKind::kCalls, "def f():\n    return " + value + "\n", calls).outputs.at(0);
  };
  EXPECT_EQ(output("{3, 1, 2}"), output("set([2, 3, 1])"));
  EXPECT_EQ(output("{'b': 1, 'a': [0.1 + 0.2]}"), output("{'a': [0.3], 'b': 1}"));
  EXPECT_NE(output("[1, 2]"), output("(1, 2)"));
  EXPECT_NE(output("1"), output("'1'"));
  EXPECT_NE(output("1"), output("2"));
  EXPECT_NE(output("print('x')"), output("None"));
}

TEST_F(CodeTest, ExceptionsAreOutputsToo) {
  const Behaviour behaviour =
      RunInputs({}, InputKind::kCalls, "def f(x):\n    return 1 // x\n", {"f(1)", "f(0)", "g("});
  ASSERT_EQ(behaviour.outcome.end, CodeEnd::kPassed) << behaviour.outcome.reason;
  EXPECT_EQ(behaviour.outputs, (std::vector<std::string>{"1\n", "raises ZeroDivisionError", "raises SyntaxError"}));
  EXPECT_EQ(behaviour.returned, (std::vector<bool>{true, false, false}));
}

TEST_F(CodeTest, StdinProgramsArePrintedOutputs) {
  const Behaviour behaviour = RunInputs(
      {}, InputKind::kStdin, "a, b = map(int, input().split())\nif __name__ == '__main__':\n    print(a + b)\n",
      {"1 2\n", "3 4", "x"});
  EXPECT_EQ(behaviour.outputs, (std::vector<std::string>{"3\n", "7\n", "raises ValueError"}));
}

// An answer to a problem of HumanEval.
using AnswerTo = std::string (*)(const json::Json& row);

std::string Solution(const json::Json& row) {
  return row.at("canonical_solution").get<std::string>();
}
std::string WholeProgram(const json::Json& row) {
  return row.at("prompt").get<std::string>() + Solution(row);
}
// Without the prompt's imports and helpers.
std::string AskedFunctionAlone(const json::Json& row) {
  const std::string whole = "\n" + WholeProgram(row);
  const std::string name = "\ndef " + row.at("entry_point").get<std::string>() + "(";
  return "So:\n```python\n" + whole.substr(whole.rfind(name) + 1) + "```\n";
}
std::string FollowedByUsage(const json::Json& row) {
  return "```python\n" + WholeProgram(row) + "```\nUse:\n```python\nprint(" + row.at("entry_point").get<std::string>() +
         "(1))\n```\n";
}
std::string EmptyBody(const json::Json&) {
  return "    pass\n";
}

// Every problem, several at a time.
void RunHumanEval(AnswerTo answer, CodeEnd expected) {
  const fs::path folder = tests::DataFolder();
  std::vector<json::Json> rows;
  std::ifstream stream(folder / "humaneval/HumanEval.jsonl");
  for (std::string line; std::getline(stream, line);) rows.push_back(json::Parse(line, "HumanEval"));
  if (rows.empty()) GTEST_SKIP() << "no humaneval in " << folder;
  ASSERT_EQ(rows.size(), 164u);
  std::vector<CodeOutcome> outcomes(rows.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < rows.size(); i = next++) {
      outcomes[i] = RunTests({}, {.program = answer(rows[i]),
                                  .tests = rows[i].at("test").get<std::string>(),
                                  .entry_point = rows[i].at("entry_point").get<std::string>(),
                                  .prompt = rows[i].at("prompt").get<std::string>()});
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(outcomes[i].end, expected) << rows[i].at("task_id") << ": " << outcomes[i].reason;
  }
}

TEST_F(CodeTest, EverySolutionOfHumanEvalPasses) {
  RunHumanEval(Solution, CodeEnd::kPassed);
}

TEST_F(CodeTest, EverySolutionOfHumanEvalPassesAsAWholeProgram) {
  RunHumanEval(WholeProgram, CodeEnd::kPassed);
}

TEST_F(CodeTest, EverySolutionOfHumanEvalPassesAsTheAskedFunctionAlone) {
  RunHumanEval(AskedFunctionAlone, CodeEnd::kPassed);
}

TEST_F(CodeTest, EverySolutionOfHumanEvalPassesBeforeABlockThatUsesIt) {
  RunHumanEval(FollowedByUsage, CodeEnd::kPassed);
}

TEST_F(CodeTest, EveryEmptyBodyOfHumanEvalFails) {
  RunHumanEval(EmptyBody, CodeEnd::kFailed);
}

// Programs that mean harm, and how each must end. None may pass but those whose harm was without effect.
struct Hostile {
  const char* name;
  const char* program;
  CodeEnd end;
  const char* reason;  // part of it
  int wall = 0;        // ms; 0: as Tight
};

constexpr Hostile kHostile[] = {
    {"fork bomb", "import os\nwhile True:\n    os.fork()\n", CodeEnd::kResourceLimit, "processes"},
    {"fork bomb that catches",
     "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n", CodeEnd::kTimedOut, "",
     3000},
    {"thread bomb",
     "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(99,)).start()\n",
     CodeEnd::kResourceLimit, "processes"},
    {"memory", "x = [bytearray(1 << 20) for _ in range(1 << 20)]\n", CodeEnd::kResourceLimit, "memory"},
    {"memory of many processes",
     "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n        x = b'x' * (100 << 20)\n        "
     "time.sleep(99)\n"
     "time.sleep(99)\n",
     CodeEnd::kResourceLimit, "memory"},
    {"memory of no process", "import os\nos.memfd_create('x')\n", CodeEnd::kFailed, "PermissionError"},
    {"endless loop", "while True:\n    pass\n", CodeEnd::kTimedOut, "processor"},
    {"endless loop that ignores signals",
     "import signal\nfor s in range(1, 32):\n    try:\n        signal.signal(s, signal.SIG_IGN)\n    except (OSError, "
     "ValueError):\n        pass\nwhile True:\n    pass\n",
     CodeEnd::kTimedOut, "processor"},
    {"endless number", "x = 10 ** 10 ** 10\n", CodeEnd::kTimedOut, "", 3000},
    {"endless sleep", "import time\ntime.sleep(10 ** 6)\n", CodeEnd::kTimedOut, "not done", 1000},
    {"endless recursion",
     "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(_=0):\n    return sorted([0], key=f)\nf()\n", CodeEnd::kFailed,
     "signal 11"},
    {"output flood", "while True:\n    print('x' * 1000)\n", CodeEnd::kTimedOut, "processor"},
    {"error flood", "import sys\nwhile True:\n    sys.stderr.write('x' * 1000)\n", CodeEnd::kTimedOut, ""},
    {"much output", "import sys\nfor _ in range(2000):\n    print('x' * 1000)\n    sys.stderr.write('x' * 1000)\n",
     CodeEnd::kPassed, ""},
    {"file flood",
     "n = 0\nwhile True:\n    with open('/tmp/%d' % n, 'wb') as f:\n        f.write(b'x' * (1 << 20))\n    n += 1\n",
     CodeEnd::kResourceLimit, "files"},
    {"one large file", "f = open('/tmp/x', 'wb')\nwhile True:\n    f.write(b'x' * (1 << 20))\n",
     CodeEnd::kResourceLimit, "files"},
    {"reads a file of the system's", "open('/etc/passwd').read()\n", CodeEnd::kFailed, "FileNotFoundError"},
    {"reads by a symbolic link", "import os\nos.symlink('/etc/passwd', '/tmp/x')\nopen('/tmp/x').read()\n",
     CodeEnd::kFailed, "FileNotFoundError"},
    {"writes to the system", "open('/usr/bin/python3', 'ab').write(b'x')\n", CodeEnd::kFailed, "Error"},
    {"writes to the root", "open('/x', 'w').write('x')\n", CodeEnd::kFailed, "Read-only"},
    {"writes to shared memory", "open('/dev/shm/x', 'w').write('x')\n", CodeEnd::kFailed, "Error"},
    {"looks at processes", "open('/proc/1/environ').read()\n", CodeEnd::kFailed, "FileNotFoundError"},
    {"becomes root", "import os\nos.setuid(0)\n", CodeEnd::kFailed, "Error"},
    {"makes namespaces",
     "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.unshare(0x10000000) == 0\n",
     CodeEnd::kFailed, "AssertionError"},
    {"traces", "import ctypes\nassert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0\n", CodeEnd::kFailed, "AssertionError"},
    {"leaves at once", "import sys\nsys.exit(0)\n", CodeEnd::kFailed, "exits"},
    {"leaves without a word", "import os\nos._exit(0)\n", CodeEnd::kFailed, "ended before"},
    {"says that it passed", "import os\nos.write(1, b'{\"word\": \"\", \"end\": \"passed\"}')\nos._exit(0)\n",
     CodeEnd::kFailed, "ended before"},
    {"kills itself", "import os\nos.kill(os.getpid(), 9)\n", CodeEnd::kFailed, "signal 9"},
    {"kills its group", "import os\nos.killpg(0, 9)\n", CodeEnd::kFailed, "signal 9"},
    {"signals its parent and everyone",
     "import os\nfor target in (os.getppid(), 1, -1):\n    for number in (15, 9):\n        try:\n            "
     "os.kill(target, number)\n        except OSError:\n            pass\n",
     CodeEnd::kFailed, "the tests' process was ended"},
    {"leaves a process behind",
     "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(10 ** 6)\n    "
     "os._exit(0)\n",
     CodeEnd::kPassed, ""},
};

// What is asked of them.
constexpr char kOne[] = "def one():\n    return 1\n";

// Children of this process that are alive: as a subreaper it inherits whatever a sandbox leaves behind.
int LiveChildren() {
  int live = 0;
  for (const auto& thread : fs::directory_iterator("/proc/self/task")) {
    std::ifstream file(thread.path() / "children");
    for (pid_t pid = 0; file >> pid;) {
      std::ifstream stat(base::Format("/proc/{}/stat", pid));
      std::string number, name, state;
      stat >> number >> name >> state;
      live += state != "Z" && !state.empty();
    }
  }
  return live;
}

CodeConfig Tight() {
  CodeConfig config;
  config.limits.wall = base::Milliseconds(20'000);
  config.limits.cpu_seconds = 1;
  config.limits.memory = std::size_t{1} << 28;
  return config;
}

TEST_F(CodeTest, HostileProgramsAreContainedAndLeaveNothingBehind) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  for (const Hostile& hostile : kHostile) {
    CodeConfig config = Tight();
    if (hostile.wall > 0) config.limits.wall = base::Milliseconds(hostile.wall);
    const CodeOutcome outcome = Judge(std::string(hostile.program) + kOne, "assert one() == 1", config);
    EXPECT_STREQ(Name(outcome.end), Name(hostile.end)) << hostile.name << ": " << outcome.reason;
    EXPECT_THAT(outcome.reason, HasSubstr(hostile.reason)) << hostile.name;
    EXPECT_EQ(LiveChildren(), 0) << hostile.name;
  }
  EXPECT_GE(std::size(kHostile), 20u);
  while (waitpid(-1, nullptr, WNOHANG) > 0) continue;
}

TEST_F(CodeTest, FilesOfASandboxAreItsOwn) {
  const std::string name = base::Format("/tmp/autodidact_sandbox_{}", getpid());
  const std::string program = "open('" + name + "', 'x').write('x')\n" + kOne;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Judge(program, "assert one() == 1").end, CodeEnd::kPassed);  // new for each run
  EXPECT_FALSE(fs::exists(name));
}

TEST_F(CodeTest, TheNetworkIsOutOfReach) {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(server, 1), 0);
  socklen_t size = sizeof address;
  getsockname(server, reinterpret_cast<sockaddr*>(&address), &size);
  const CodeOutcome outcome =
      Judge(base::Format("import socket\nsocket.create_connection(('127.0.0.1', {}), 5)\n", ntohs(address.sin_port)),
            "assert one() == 1");
  EXPECT_EQ(outcome.end, CodeEnd::kFailed);
  EXPECT_THAT(outcome.reason, HasSubstr("PermissionError"));
  pollfd came{server, POLLIN, 0};
  EXPECT_EQ(poll(&came, 1, 0), 0);
  close(server);
}

TEST_F(CodeTest, NothingOfTheEnvironmentIsInherited) {
  setenv("AUTODIDACT_TEST_SECRET", "1", 1);
  const std::string program = std::string("import os\nassert 'AUTODIDACT_TEST_SECRET' not in os.environ\n") + kOne;
  EXPECT_EQ(Judge(program, "assert one() == 1").end, CodeEnd::kPassed);
}

}  // namespace
}  // namespace autodidact::programs
