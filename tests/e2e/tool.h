// Runs the program as a user does, on a base model that is made once per build.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "json/json.h"
#include "process/child.h"

namespace autodidact::e2e {

struct ToolResult {
  process::ExitStatus status;
  std::string out;
  std::string err;
};

// The program with these arguments, from a working folder. Fails the test when it does not end within five minutes.
ToolResult RunTool(const std::vector<std::string>& arguments, const std::filesystem::path& working_directory = {});

// RunTool in BaseFolder() with these lines on its standard input, within a minute.
ToolResult FeedTool(const std::vector<std::string>& arguments, const std::string& input);

// Any command, the program being tests::ProgramFile().
process::ChildOptions ToolOptions(std::vector<std::string> argv, const std::filesystem::path& working_directory);

// A folder of the running test's own, emptied.
std::filesystem::path TestFolder();

// Small files of the demo's task and a base model trained on them for a few seconds, made by the program itself on
// first use: base/ (the model), data/*.jsonl and train.yaml.
const std::filesystem::path& BaseFolder();

// Every line of a JSONL file.
std::vector<json::Json> ReadLines(const std::filesystem::path& file);
// How many lines of a file, which may be being written, are complete; 0 where there is none.
std::size_t LinesSoFar(const std::filesystem::path& file);

}  // namespace autodidact::e2e
