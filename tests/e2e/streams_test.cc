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

TEST(StreamsTest, AStandardInputThatCannotBeReadIsBadInput) {
  for (const Command& command :
       {Command{{"grade"}, ""}, Command{{"tokenize", "base"}, ""}, Command{{"generate", "base"}, ""}}) {
    for (const char* input : {"exec \"$0\" \"$@\" < /", "exec \"$0\" \"$@\" <&-"}) {
      const auto result = WithOutput({"sh", "-c", input}, command);
      EXPECT_EQ(result.status.Describe(), "exit code 2") << command.arguments.front() << input << "\n" << result.err;
      EXPECT_NE(result.err.find("standard input cannot be read"), std::string::npos) << result.err;
    }
  }
}

// Each verdict would be read as the next line, without an end.
TEST(StreamsTest, WhatACommandWritesIsNotWhatItReads) {
  const fs::path folder = TestFolder();
  const fs::path rows = folder / "rows.jsonl";
  const std::string line = "{\"gold\": \"1\", \"answer\": \"1\", \"text\": \"b\", \"prompt\": \"b\"}\n";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"grade"}, {"tokenize", "base"}, {"generate", "base"}, {"score", "base"}}) {
    std::ofstream(rows) << line;
    const std::string shell = "exec \"$0\" \"$@\" < " + rows.string() + " >> " + rows.string();
    const auto result = WithOutput({"sh", "-c", shell}, {command, ""});
    EXPECT_EQ(result.status.Describe(), "exit code 2") << result.err;
    EXPECT_EQ(json::ReadFile(rows), line);
  }
}

TEST(StreamsTest, AnOutputThatIsAnInputIsRefusedAndTheInputStays) {
  const fs::path folder = TestFolder();
  const fs::path rows = folder / "rows.jsonl";
  const std::string text = "{\"prompt\": \"b e a\", \"answer\": \"bob erik anna\"}\n";
  fs::copy_file(BaseFolder() / "train.yaml", folder / "train.yaml");
  const std::string config = json::ReadFile(folder / "train.yaml");
  std::ofstream(rows) << text;
  fs::create_symlink(rows, folder / "link.jsonl");
  const std::vector<std::string> eval = {"eval",  folder / "train.yaml", "--data", rows,
                                         "--set", "eval.group_sizes=[1]"};
  const std::vector<std::string> synthesize = {"synthesize", folder / "train.yaml", "--data", rows};
  const auto refused = [&](std::vector<std::string> arguments, const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = RunTool(arguments, BaseFolder());
    EXPECT_EQ(result.status.Describe(), "exit code 2") << testing::PrintToString(more) << result.err;
    EXPECT_NE(result.err.find("which is read"), std::string::npos) << result.err;
    EXPECT_EQ(json::ReadFile(rows), text);
    EXPECT_EQ(json::ReadFile(folder / "train.yaml"), config);
  };
  refused(eval, {"--json", rows});
  refused(eval, {"--records", folder / "link.jsonl"});
  refused(eval, {"--json", folder / "train.yaml"});
  refused(eval, {"--json", BaseFolder() / "base/config.json"});
  refused(synthesize, {"--out", rows});
  refused(synthesize, {"--out", folder / "../" / folder.filename() / "rows.jsonl"});

  fs::create_directories(folder / "run");
  std::ofstream(folder / "run/metrics.jsonl") << "{\"step\": 1}\n";
  const auto report = RunTool({"report", folder / "run", "--out", folder / "run/metrics.jsonl"});
  EXPECT_EQ(report.status.Describe(), "exit code 2") << report.err;
  EXPECT_EQ(json::ReadFile(folder / "run/metrics.jsonl"), "{\"step\": 1}\n");
}

}  // namespace
}  // namespace autodidact::e2e
