// docs/metrics.md names what a run measures, and nothing else.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "tests/paths.h"

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

std::string TextOf(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// What the pattern's first group finds.
Names Find(const std::string& text, const std::regex& pattern) {
  Names names;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), pattern); it != std::sregex_iterator(); ++it) {
    names.insert((*it)[1]);
  }
  return names;
}

// The first column of the page's table.
Names OnThePage() {
  std::ifstream page(autodidact::tests::SourceFolder() / "docs/metrics.md");
  static const std::regex name("`([^`]+)`");
  Names names;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| `")) names.merge(Find(line.substr(0, line.find('|', 1)), name));
  }
  return names;
}

// The sources of what is measured during a run.
std::string Sources() {
  std::string text;
  for (const char* folder : {"learner", "judge_service", "launch/train", "launch/wiring"}) {
    for (const auto& entry : fs::directory_iterator(autodidact::tests::SourceFolder() / folder)) {
      if (entry.path().extension() == ".cc") text += TextOf(entry.path());
    }
  }
  for (const char* file : {"common/schema/validate.h", "evaluation/watch.cc"}) {
    text += TextOf(autodidact::tests::SourceFolder() / file);
  }
  return text;
}

TEST(MetricsPageTest, NamesWhatIsMeasuredAndNothingElse) {
  const Names page = OnThePage();
  ASSERT_GT(page.size(), 50u);
  const std::string sources = Sources();
  for (const std::string& name : page) {
    EXPECT_NE(sources.find('"' + name + '"'), std::string::npos) << name << " is on the page, and nothing writes it";
  }
  Names folders;
  for (const std::string& name : page) folders.insert(name.substr(0, name.find('/')));
  Names written = Find(sources, std::regex(R"re(metrics\["([^"]+)"\])re"));
  for (const std::string& name : Find(sources, std::regex(R"re("([a-z_]+/[a-z_/]+)")re"))) {
    if (folders.contains(name.substr(0, name.find('/')))) written.insert(name);
  }
  for (const std::string& name : written) EXPECT_TRUE(page.contains(name)) << name << " is not on docs/metrics.md";
}

}  // namespace
