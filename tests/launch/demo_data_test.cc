#include "launch/commands/demo_data.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "json/json.h"
#include "launch/commands/commands.h"

namespace autodidact::launch {
namespace {

TEST(DemoDataTest, ALetterAfterAVowelIsSpelledByItsOtherName) {
  EXPECT_EQ(SpellWord("banaabe"), (std::vector<std::string>{"bob", "adam", "nina", "adam", "anna", "bea", "erik"}));
}

TEST(DemoDataTest, WordsDependOnTheWalkAlone) {
  base::RandomWalk one({.seed = 4}), two({.seed = 4});
  for (int i = 0; i < 100; ++i) {
    const std::string word = MakeWord(one);
    EXPECT_EQ(std::ssize(word), kWordLength);
    EXPECT_EQ(word, MakeWord(two));
  }
}

class DemoFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  DemoDataCommand In(const std::filesystem::path& folder, std::int64_t seed = 0) const {
    return {.folder = folder, .seed = seed, .labelled = 3, .unlabelled = 2, .dev = 2, .reconcile = 2};
  }
  std::string Refusal(const DemoDataCommand& command) const {
    try {
      RunDemoData(command);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      return error.message();
    }
    return "not refused";
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("demo_data_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(DemoFilesTest, TheirOwnFilesAreWrittenAnew) {
  RunDemoData(In(folder_));
  const std::string first = json::ReadFile(folder_ / "labelled.jsonl");
  EXPECT_NO_THROW(RunDemoData(In(folder_, 7)));
  EXPECT_NE(json::ReadFile(folder_ / "labelled.jsonl"), first);
}

TEST_F(DemoFilesTest, FilesOfOthersStayAndNothingIsWrittenBesideThem) {
  for (const char* name : {"dev.jsonl", "labelled.jsonl", "reconcile.jsonl"}) {
    const std::string mine = "{\"id\":\"1\",\"prompt\":\"mine\",\"answer\":\"7\"}\n";
    json::WriteFile(folder_ / name, mine);
    EXPECT_NE(Refusal(In(folder_)).find(name), std::string::npos) << name;
    EXPECT_EQ(json::ReadFile(folder_ / name), mine);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
    std::filesystem::remove(folder_ / name);
  }
  json::WriteFile(folder_ / "reconcile.jsonl", "{\"candidates\":[\"a\",\"b\"],\"answer\":\"a\"}\n");
  EXPECT_NE(Refusal(In(folder_)).find("reconcile.jsonl: holds something that demo-data did not write"),
            std::string::npos);
}

TEST_F(DemoFilesTest, AFolderThatCannotBeMadeIsBadInput) {
  json::WriteFile(folder_ / "file", "x");
  EXPECT_NE(Refusal(In(folder_ / "file")).find("it is a file"), std::string::npos);
  EXPECT_NE(Refusal(In(folder_ / "file/inside")).find("expected a folder"), std::string::npos);
  EXPECT_NE(Refusal(In("")).find("folder: got \"\""), std::string::npos);
}

}  // namespace
}  // namespace autodidact::launch
