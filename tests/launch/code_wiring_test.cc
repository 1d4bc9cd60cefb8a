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

TEST(ScoringByTestsTest, AProgramIsRightWhenItPassesAllTestsOfTheRow) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  const auto scoring = ScoringByTests({});
  const auto scores = scoring.scorer->ScoreAll(
      {evaluation::MakeJudgeRequest(4, *scoring.target(HalfRow({"assert half(4) == 2", "assert half(3) == 1"})),
                                    {"```python\ndef half(x):\n    return x // 2\n```",
                                     "```python\ndef half(x):\n    return 2\n```", "    return x // 2"})});
  ASSERT_EQ(scores.size(), 1u);
  ASSERT_EQ(scores[0].size(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(scores[0][i].value, i == 1 ? 0.0 : 1.0) << scores[0][i].reason;
    ASSERT_EQ(scores[0][i].verdicts.size(), 1u);
    EXPECT_EQ(scores[0][i].verdicts[0].rollout, i);
  }
}

TEST(ScoringByTestsTest, ARowWithoutTestsIsRefused) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  try {
    ScoringByTests({}).target(HalfRow({}));
    FAIL() << "it was taken";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    EXPECT_THAT(error.message(), testing::HasSubstr("row half"));
  }
}

TEST(ScoringByTestsTest, NoProgramIsStartedAfterAStop) {
  std::stop_source stop;
  const auto run = RunnerOfPrograms({}, stop.get_token());
  stop.request_stop();
  try {
    run({.code = "assert half(4) == 2", .entry_point = {}, .prompt = {}}, {"x"});
    FAIL() << "it was run";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kRetryLater);
  }
}

TEST(CheckTestsTest, RowsWhoseTestsTestNothingAreRefusedByName) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  RunConfig config;
  config.answer.comparator = Comparison::kCode;
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
  config.answer.comparator = Comparison::kExact;
  CheckTests(config, {HalfRow({"pass"})}, "rows.jsonl");
}

}  // namespace
}  // namespace autodidact::launch
