// An output that cannot be written is a failure of every command.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

struct Command {
  std::vector<std::string> arguments;
  std::string input;
};

std::vector<Command> Commands() {
  const std::string text = "{\"text\": \"b e a =\"}\n";
  const std::string prompt = "{\"prompt\": \"b e a =\", \"completion\": \"a\"}\n";
  return {{{"--help"}, ""},
          {{"eval", "--help"}, ""},
          {{"--version"}, ""},
          {{"train", "train.yaml", "--dry-run"}, ""},
          {{"eval", "train.yaml", "--data", "data/dev.jsonl", "--limit", "2", "--set", "eval.group_sizes=[1]"}, ""},
          {{"synthesize", "train.yaml", "--limit", "2"}, ""},
          {{"tokenize", "base"}, text},
          {{"generate", "base", "--max-new-tokens", "2"}, prompt},
          {{"score", "base"}, prompt},
          {{"grade"}, "{\"gold\": \"1\", \"answer\": \"1\"}\n"},
          {{"inspect", "base"}, ""},
          {{"inspect", "base/model.safetensors"}, ""}};
}

// The code with standard output as `shell` sends it, in BaseFolder().
ToolResult WithOutput(const std::vector<std::string>& wrapper, const Command& command) {
  std::vector<std::string> argv = wrapper;
  argv.push_back(tests::ProgramFile());
  argv.insert(argv.end(), command.arguments.begin(), command.arguments.end());
  auto options = ToolOptions(argv, BaseFolder());
  options.feed = true;
  process::Child child(std::move(options));
  child.Write(command.input);
  child.CloseInput();
  const auto status = child.Wait(base::Deadline::In(std::chrono::minutes(2)));
  EXPECT_TRUE(status) << child.errors();
  return {status ? *status : child.Terminate(std::chrono::seconds(1)), child.output(), child.errors()};
}

TEST(StreamsTest, AFullDiskUnderStandardOutputIsAFailure) {
  for (const Command& command : Commands()) {
    const auto result = WithOutput({"sh", "-c", "exec \"$0\" \"$@\" > /dev/full"}, command);
    EXPECT_EQ(result.status.Describe(), "exit code 1") << command.arguments.front() << "\n" << result.err;
    EXPECT_NE(result.err.find("standard output: cannot be written: No space left"), std::string::npos)
        << command.arguments.front() << "\n"
        << result.err;
  }
}

TEST(StreamsTest, AClosedPipeIsAFailureBeforeAnythingIsWritten) {
  const std::string script =
      "import os, subprocess, sys\n"
      "r, w = os.pipe()\n"
      "os.close(r)\n"
      "sys.exit(subprocess.call(sys.argv[1:], stdout=w))\n";
  for (const Command& command : Commands()) {
    const auto result = WithOutput({"python3", "-c", script}, command);
    EXPECT_EQ(result.status.Describe(), "exit code 1") << command.arguments.front() << "\n" << result.err;
    EXPECT_NE(result.err.find("standard output"), std::string::npos) << command.arguments.front() << "\n" << result.err;
  }
}

TEST(StreamsTest, AStandardOutputThatIsNotOpenIsAFailureAndNoFileTakesItsPlace) {
  for (const Command& command :
       {Command{{"tokenize", "base"}, "{\"text\": \"b e\"}\n"}, Command{{"inspect", "base"}, ""}}) {
    const auto result = WithOutput({"sh", "-c", "exec \"$0\" \"$@\" >&-"}, command);
    EXPECT_EQ(result.status.Describe(), "exit code 1") << result.err;
  }
}

TEST(StreamsTest, AFullDiskUnderAFileIsAFailure) {
  const std::vector<std::string> eval = {"eval",    "train.yaml", "--data", "data/dev.jsonl",
                                         "--limit", "2",          "--set",  "eval.group_sizes=[1]"};
  const auto with = [](std::vector<std::string> arguments, const std::string& option) {
    arguments.insert(arguments.end(), {option, "/dev/full"});
    return RunTool(arguments, BaseFolder());
  };
  for (const auto& result :
       {with(eval, "--json"), with(eval, "--records"), with({"synthesize", "train.yaml", "--limit", "2"}, "--out")}) {
    EXPECT_EQ(result.status.Describe(), "exit code 1") << result.err;
    EXPECT_NE(result.err.find("/dev/full: cannot be written: No space left"), std::string::npos) << result.err;
  }
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(StreamsTest, AFileThatCannotBeMadeIsRefusedBeforeTheWork) {
  const fs::path folder = TestFolder();
  std::ofstream(folder / "file") << "x";
  for (const std::string option : {"--json", "--records"}) {
    for (const fs::path& file : {folder / "no/such/folder/x", folder, folder / "file/x"}) {
      const auto result = RunTool({"eval", "train.yaml", "--data", "data/dev.jsonl", option, file}, BaseFolder());
      EXPECT_EQ(result.status.Describe(), "exit code 2") << result.err;
      EXPECT_EQ(result.err.find("rollouts"), std::string::npos) << result.err;
    }
  }
}

}  // namespace
}  // namespace autodidact::e2e
