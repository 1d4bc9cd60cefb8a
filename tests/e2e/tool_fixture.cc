#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/e2e/tool.h"
#include "tests/paths.h"

extern char** environ;

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

void Write(const fs::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

void MakeBase(const fs::path& folder) {
  fs::remove_all(folder);
  fs::create_directories(folder);
  auto result = RunTool({"demo-data", (folder / "data").string(), "--labelled", "400", "--unlabelled", "300", "--dev",
                         "60", "--noise", "0.3"});
  ASSERT_TRUE(result.status.ok()) << result.err;
  Write(folder / "sft.yaml", R"(
output: base
data:
  - {file: data/reconcile.jsonl, weight: 1}
  - {file: data/labelled.jsonl, weight: 2}
extra_symbols: ["=", "|", "=>"]
hidden_size: 32
intermediate_size: 64
num_layers: 2
num_heads: 2
num_kv_heads: 1
max_position_embeddings: 200
rope_theta: 100
initializer_range: 0.05
prompt: {format: plain, text: "{prompt} ="}
anchor: {instruction: "{candidates} =>", candidate: "| {text}", separator: " "}
reconcile: {group_sizes: [1, 2, 4]}
max_steps: 400
batch_size: 32
learning_rate: 1e-2
warmup_steps: 5
threads: 1
)");
  Write(folder / "train.yaml", R"(
model: base
data: {train: data/unlabelled.jsonl}
prompt: {format: plain, text: "{prompt} ="}
rollout: {max_completion_length: 10}
anchor:
  instruction: "{candidates} =>"
  candidate: "| {text}"
  separator: " "
  sampling: {max_completion_length: 10}
answer: {extractor: whole}
train: {max_steps: 4, groups_per_step: 6, num_generations: 4, learning_rate: 1e-3, beta: 0.01, save_steps: 2}
threads: {learner: 1, actor: 1, anchor: 1}
timeouts: {step: 120, collective: 150}
)");
  result = RunTool({"sft", "sft.yaml"}, folder);
  ASSERT_TRUE(result.status.ok()) << result.err;
  Write(folder / "complete", "");
}

}  // namespace

process::ChildOptions ToolOptions(std::vector<std::string> argv, const fs::path& working_directory) {
  process::ChildOptions options;
  options.what = argv.front();
  options.argv = std::move(argv);
  for (char** variable = environ; *variable; ++variable) options.environment.emplace_back(*variable);
  options.working_directory = working_directory;
  options.output = process::ChildOptions::Output::kCapture;
  return options;
}

ToolResult RunTool(const std::vector<std::string>& arguments, const fs::path& working_directory) {
  std::vector<std::string> argv = {tests::ProgramFile()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  process::Child child(ToolOptions(argv, working_directory));
  const auto status = child.Wait(base::Deadline::In(std::chrono::minutes(5)));
  if (!status) ADD_FAILURE() << "no end within five minutes: " << arguments.front();
  return {status ? *status : child.Terminate(std::chrono::seconds(1)), child.output(), child.errors()};
}

ToolResult FeedTool(const std::vector<std::string>& arguments, const std::string& input) {
  std::vector<std::string> argv = {tests::ProgramFile()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto options = ToolOptions(argv, BaseFolder());
  options.feed = true;
  process::Child child(std::move(options));
  child.Write(input);
  child.CloseInput();
  const auto status = child.Wait(base::Deadline::In(std::chrono::minutes(1)));
  EXPECT_TRUE(status) << child.errors();
  return {status ? *status : child.Terminate(std::chrono::seconds(1)), child.output(), child.errors()};
}

fs::path TestFolder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const fs::path folder = fs::path(testing::TempDir()) / (std::string(test->test_suite_name()) + "." + test->name());
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

const fs::path& BaseFolder() {
  static const fs::path folder = [] {
    // Beside the program, made anew when the program is newer. Tests run as processes of their own, so a lock is held.
    const fs::path made = tests::ProgramFile().parent_path() / "e2e-base";
    const int lock = open((made.string() + ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    flock(lock, LOCK_EX);
    if (!fs::exists(made / "complete") ||
        fs::last_write_time(made / "complete") < fs::last_write_time(tests::ProgramFile())) {
      MakeBase(made);
    }
    close(lock);
    return made;
  }();
  return folder;
}

std::vector<json::Json> ReadLines(const fs::path& file) {
  std::vector<json::Json> lines;
  std::istringstream stream(json::ReadFile(file));
  for (std::string line; std::getline(stream, line);) lines.push_back(json::Parse(line, file.string()));
  return lines;
}

std::size_t LinesSoFar(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(stream), {}, '\n'));
}

}  // namespace autodidact::e2e
