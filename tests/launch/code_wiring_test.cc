#include "launch/wiring/code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "process/sandbox.h"

namespace autodidact::launch {
namespace {

data::Row HalfRow(std::vector<std::string> answers) {
  data::Row row;
  row.prompt.id = "half";
  row.prompt.text = "def half(x):\n";
  row.prompt.columns = R"({"entry_point": "half"})";
  row.answers = std::move(answers);
  return row;
}

TEST(JudgingByTestsTest, AProgramMeetsItsCriterionWhenItPassesAllTestsOfTheRow) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  const auto judging = JudgingByTests({});
  schema::JudgeRequest request;
  request.ticket = 4;
  request.target = *judging.label(HalfRow({"assert half(4) == 2", "assert half(3) == 1"}));
  request.responses = {"```python\ndef half(x):\n    return x // 2\n```", "```python\ndef half(x):\n    return 2\n```",
                       "    return x // 2"};
  request.lengths = {1, 1, 1};
  const auto replies = judging.judge({request});
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].ticket, 4u);
  ASSERT_EQ(replies[0].verdicts.size(), 3u);
  const std::vector<schema::VerdictKind> expected = {schema::VerdictKind::kMet, schema::VerdictKind::kNotMet,
                                                     schema::VerdictKind::kMet};
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(replies[0].verdicts[i].rollout, i);
    EXPECT_EQ(replies[0].verdicts[i].criterion, 0u);
    EXPECT_EQ(replies[0].verdicts[i].kind, expected[i]) << i;
  }
}

TEST(JudgingByTestsTest, ARowWithoutTestsIsRefused) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  try {
    JudgingByTests({}).label(HalfRow({}));
    FAIL() << "it was taken";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    EXPECT_THAT(error.message(), testing::HasSubstr("row half"));
  }
}

TEST(CheckTestsTest, RowsWhoseTestsTestNothingAreRefusedByName) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  RunConfig config;
  config.answer.comparator = "code";
  CheckTests(config, {HalfRow({"assert half(4) == 2"}), HalfRow({})}, "rows.jsonl");
  try {
    CheckTests(config, {HalfRow({"assert half(4) == 2"}), HalfRow({"def check(c):\n    pass", "half(4)"})},
               "rows.jsonl");
    FAIL() << "they were taken";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    EXPECT_THAT(error.message(), testing::HasSubstr("rows.jsonl: of 2 rows with tests, 1 say"));
    EXPECT_THAT(error.message(), testing::HasSubstr("row half: the tests test nothing"));
  }
  config.answer.comparator = "exact";
  CheckTests(config, {HalfRow({"pass"})}, "rows.jsonl");
}

}  // namespace
}  // namespace autodidact::launch
