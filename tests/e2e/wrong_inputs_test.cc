// Wrong command lines and rows, through the program: tests/launch/wrong_inputs/README.md says how they are graded.
#include <gtest/gtest.h>

#include "tests/e2e/tool.h"
#include "tests/launch/wrong_inputs/grade.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

TEST(WrongInputsTest, EachEndsWithExitCodeTwoAndIsToldOf) {
  const auto rows = ReadLines(tests::SourceFolder() / "tests/launch/wrong_inputs/command_lines.jsonl");
  double sum = 0;
  for (const json::Json& row : rows) {
    const auto result = FeedTool(row["arguments"].get<std::vector<std::string>>(), row.value("input", ""));
    EXPECT_EQ(result.status.code, 2) << row.dump() << "\n" << result.err;
    sum += tests::GradeOf(row, result.out + result.err);
  }
  EXPECT_GE(rows.size(), 25u);
  EXPECT_GE(sum / static_cast<double>(rows.size()), 2.7);
}

TEST(SamplingExtremesTest, GiveTokensOrAnErrorAndNeverANullLogProbability) {
  const std::vector<std::vector<std::string>> extremes = {{"--temperature", "1e-4"},
                                                          {"--temperature", "1e-6"},
                                                          {"--temperature", "1e-6", "--top-p", "0.9"},
                                                          {"--temperature", "1e-6", "--repetition-penalty", "1000"},
                                                          {"--temperature", "1e-10", "--top-p", "0.9"},
                                                          {"--temperature", "1e-38"},
                                                          {"--temperature", "1e-40"},
                                                          {"--temperature", "1e-45"},
                                                          {"--temperature", "1e-50"},
                                                          {"--temperature", "1e-38", "--top-p", "0.9"},
                                                          {"--temperature", "1e39"},
                                                          {"--temperature", "1e6"},
                                                          {"--temperature", "1e6", "--top-k", "1"},
                                                          {"--top-p", "0"},
                                                          {"--top-p", "1e-6"},
                                                          {"--top-k", "16777216"},
                                                          {"--min-p", "1"},
                                                          {"--repetition-penalty", "1e-3"}};
  for (const auto& options : extremes) {
    std::vector<std::string> arguments = {"generate", "base", "--max-new-tokens", "3"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto result = FeedTool(arguments, "{\"prompt\": \"b e a =\"}\n");
    EXPECT_TRUE(result.status.code == 0 || result.status.code == 2) << testing::PrintToString(options) << result.err;
    EXPECT_EQ(result.status.code == 0, result.out.find("\"logprobs\":[") != std::string::npos) << result.out;
    EXPECT_EQ(result.out.find("null"), std::string::npos) << testing::PrintToString(options) << result.out;
  }
}

}  // namespace
}  // namespace autodidact::e2e
