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

}  // namespace
}  // namespace autodidact::process
