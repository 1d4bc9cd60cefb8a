#include "process/output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"

namespace autodidact::process {
namespace {

std::string ReadFile(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

void WriteFile(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

namespace fs = std::filesystem;

fs::path Scratch(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / "output_test";
  fs::create_directories(folder);
  fs::remove(folder / name);
  fs::remove(folder / (name + ".partial"));
  return folder / name;
}

base::ErrorKind KindOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return base::ErrorKind::kBug;
}

TEST(OutputTest, AFileHasItsNameOnceItIsFinished) {
  const fs::path file = Scratch("whole");
  Output out(file);
  out.Write("first\n");
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(ReadFile(out.partial()), "first\n");
  out.Write("second\n");
  out.Finish();
  EXPECT_EQ(ReadFile(file), "first\nsecond\n");
  EXPECT_FALSE(fs::exists(out.partial()));
}

TEST(OutputTest, OneThatIsNotFinishedKeepsTheOldFileAndItsOwnPart) {
  const fs::path file = Scratch("old");
  WriteFile(file, "old");
  const fs::path partial = [&] {
    Output out(file);
    out.Write("new");
    return out.partial();
  }();
  EXPECT_EQ(ReadFile(file), "old");
  EXPECT_EQ(ReadFile(partial), "new");
}

TEST(OutputTest, AFullDeviceIsAFailureAndStaysADevice) {
  EXPECT_EQ(KindOf([] { Output("/dev/full").Write("x"); }), base::ErrorKind::kRetryLater);
  Output null("/dev/null");
  null.Write("x");
  null.Finish();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(OutputTest, AFolderThatIsNotThereOrAFileThatIsAFolderIsBadInput) {
  EXPECT_EQ(KindOf([] { Output(Scratch("no") / "such/file"); }), base::ErrorKind::kBadInput);
  EXPECT_EQ(KindOf([] { Output(fs::path(testing::TempDir())); }), base::ErrorKind::kBadInput);
}

// What refuses these outputs beside these inputs; empty: nothing.
std::string Refusal(const NamedPaths& outputs, const NamedPaths& inputs) {
  try {
    RequireOutputs(outputs, inputs);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    return error.message();
  }
  return {};
}

class RequireOutputsTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "model");
    WriteFile(folder_ / "rows.jsonl", "rows");
    WriteFile(folder_ / "model/config.json", "{}");
    fs::create_symlink("rows.jsonl", folder_ / "link.jsonl");
    fs::create_hard_link(folder_ / "rows.jsonl", folder_ / "hard.jsonl");
    fs::create_directory_symlink("model", folder_ / "other");
  }
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("require_outputs_" + std::to_string(getpid()));
};

TEST_F(RequireOutputsTest, AFileThatIsReadIsNotWrittenByAnyNameOfIt) {
  const NamedPaths read = {{"data.train", folder_ / "rows.jsonl"}, {"model", folder_ / "model"}};
  for (const char* name : {"rows.jsonl", "./rows.jsonl", "link.jsonl", "hard.jsonl", "model/../rows.jsonl"}) {
    const std::string message = Refusal({{"--out", folder_ / name}}, read);
    EXPECT_NE(message.find("data.train: "), std::string::npos) << name << ": " << message;
    EXPECT_NE(message.find("--out "), std::string::npos) << message;
  }
  for (const char* name : {"model/config.json", "other/config.json"}) {
    EXPECT_NE(Refusal({{"--json", folder_ / name}}, read).find("(model: "), std::string::npos) << name;
  }
  for (const char* name : {"new.jsonl", "model/eval.json", "rows.json"}) {
    EXPECT_EQ(Refusal({{"--out", folder_ / name}}, read), "") << name;
  }
}

// The rows are kept in FILE.partial until all are there.
TEST_F(RequireOutputsTest, WhatIsReadIsNotThePartOfAnOutput) {
  fs::copy_file(folder_ / "rows.jsonl", folder_ / "out.jsonl.partial");
  EXPECT_NE(Refusal({{"--out", folder_ / "out.jsonl"}}, {{"--data", folder_ / "out.jsonl.partial"}}), "");
}

TEST_F(RequireOutputsTest, TwoOutputsAreTwoFiles) {
  EXPECT_NE(Refusal({{"--json", folder_ / "x"}, {"--records", folder_ / "model/../x"}}, {})
                .find("is the same file as --json"),
            std::string::npos);
  EXPECT_EQ(Refusal({{"--json", folder_ / "x"}, {"--records", folder_ / "y"}}, {}), "");
  EXPECT_EQ(Refusal({{"--json", ""}, {"--records", ""}}, {{"--data", ""}}), "");
}

TEST_F(RequireOutputsTest, WhatCannotBeWrittenIsToldByItsName) {
  EXPECT_NE(Refusal({{"--json", folder_ / "no/x"}}, {}).find("--json "), std::string::npos);
  EXPECT_NE(Refusal({{"--json", folder_ / "model"}}, {}).find("it is a folder"), std::string::npos);
  EXPECT_NE(Refusal({{"--json", folder_ / "rows.jsonl/x"}}, {}), "");
  EXPECT_EQ(Refusal({{"--json", "/dev/null"}, {"--records", "/dev/null"}}, {}), "") << "devices hold nothing";
}

}  // namespace
}  // namespace autodidact::process
