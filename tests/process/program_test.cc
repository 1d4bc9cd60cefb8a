#include "process/program.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace autodidact::process {
namespace {

namespace fs = std::filesystem;

TEST(ProgramTest, NameWithASlashIsAPath) {
  EXPECT_EQ(ProgramFile("/opt/a/../bin/x"), "/opt/bin/x");
  EXPECT_EQ(ProgramFile("./x y"), (fs::current_path() / "x y").string());
}

TEST(ProgramTest, NameWithoutASlashIsLookedForInPath) {
  const std::string before = std::getenv("PATH");
  const fs::path folder = fs::path(testing::TempDir()) / "program_test";
  fs::create_directories(folder / "a" / "tool");
  fs::create_directories(folder / "b");
  std::ofstream(folder / "b" / "tool") << "#!/bin/sh\n";
  fs::permissions(folder / "b" / "tool", fs::perms::owner_all);
  std::ofstream(folder / "b" / "text") << "no program\n";
  setenv("PATH", ((folder / "a").string() + "::" + (folder / "b").string()).c_str(), 1);
  EXPECT_EQ(ProgramFile("tool"), (folder / "b" / "tool").string());
  EXPECT_THROW(ProgramFile("text"), base::Error);
  EXPECT_THROW(ProgramFile("nothing"), base::Error);
  setenv("PATH", before.c_str(), 1);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace autodidact::process
