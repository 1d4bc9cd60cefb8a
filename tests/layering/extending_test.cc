// docs/extending.md, held to what it promises: the five exercises of it, as patches, apply to the tree and touch no
// more files than the document names.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "tests/paths.h"

namespace {

namespace fs = std::filesystem;

bool HasGit() {
  return std::system("git --version > /dev/null 2>&1") == 0;
}

// The files that a patch writes, without those that a command generates.
std::set<std::string> FilesOf(const fs::path& patch) {
  std::ifstream stream(patch);
  const std::string mark = "+++ b/";
  std::set<std::string> files;
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(mark)) continue;
    const std::string file = line.substr(mark.size(), line.find('\t') - mark.size());
    if (file != "docs/config.md") files.insert(file);
  }
  return files;
}

TEST(ExtendingTest, EachExerciseAppliesAndTouchesNoMoreFilesThanTheDocumentNames) {
  if (!HasGit()) GTEST_SKIP() << "git is not here";
  const fs::path source = autodidact::tests::SourceFolder();
  const std::map<std::string, std::size_t> most_files = {
      {"family", 2}, {"estimator", 3}, {"judge_backend", 4}, {"loss", 2}, {"key", 3}};
  for (const auto& [name, most] : most_files) {
    const fs::path patch = source / "tests/extending" / (name + ".patch");
    const std::string command = "cd '" + source.string() + "' && git apply --check '" + patch.string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << name;
    const auto files = FilesOf(patch);
    EXPECT_GT(files.size(), 0u) << name;
    EXPECT_LE(files.size(), most) << name;
  }
}

}  // namespace
