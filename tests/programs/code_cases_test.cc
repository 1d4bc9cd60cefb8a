// The inputs beside the checkout that are about programs.
#include <fstream>
#include <set>

#include "json/json.h"
#include "tests/paths.h"
#include "tests/programs/code_example.h"

namespace autodidact::programs {
namespace {

using CodeCasesTest = SandboxedTest;

// Tests in these forms are run, and the program does not pass them.
const std::set<std::string> kRun = {"pytest_functions_only", "json_list_as_text"};

std::string Verdict(CodeEnd end) {
  if (end == CodeEnd::kPassed) return "right";
  return end == CodeEnd::kInvalid ? "invalid" : "wrong";
}

TEST_F(CodeCasesTest, EveryCaseOfProgramsIsRight) {
  std::size_t cases = 0;
  for (const char* folder : {"01-code-block-choice", "16-tests-that-test-nothing", "24-programs-that-solve-nothing"}) {
    std::ifstream stream(tests::CasesFolder() / folder / "cases.jsonl");
    for (std::string line; std::getline(stream, line);) {
      const json::Json row = json::Parse(line, folder);
      const json::Json& written = row.at("tests");
      CodeTask task;
      task.program = row.at("program").get<std::string>();
      task.tests = written.is_string() ? written.get<std::string>() : json::Dump(written);
      task.entry_point = row.value("entry_point", "");
      task.prompt = row.value("prompt", "");
      const CodeOutcome outcome = RunTests({}, task);
      const std::string id = row.at("id").get<std::string>();
      const std::string expected = kRun.count(id) > 0 ? "wrong" : row.at("expected").get<std::string>();
      EXPECT_THAT(expected, testing::HasSubstr(Verdict(outcome.end))) << folder << " " << id << ": " << outcome.reason;
      ++cases;
    }
  }
  if (cases == 0) GTEST_SKIP() << "no cases in " << tests::CasesFolder();
}

}  // namespace
}  // namespace autodidact::programs
