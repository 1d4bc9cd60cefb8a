#include "data/row_rubric.h"

#include <gtest/gtest.h>

#include "tests/paths.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "data/rows.h"

namespace autodidact::data {
namespace {

schema::Prompt WithColumns(const std::string& columns) {
  return {.id = "q1", .text = "x", .messages = {}, .columns = columns};
}

TEST(RowRubricTest, ReadsCriteriaWithTheirPoints) {
  const auto rubric = RowRubric(WithColumns(
      R"({"rubrics": [{"criterion": "says a", "points": 7, "tags": ["x"]}, {"criterion": "says b", "points": -2.5}]})"));
  EXPECT_EQ(rubric, (std::vector<schema::Criterion>{{"says a", 7}, {"says b", -2.5}}));
}

TEST(RowRubricTest, ARowWithoutAFullRubricHasNone) {
  for (const char* columns : {"", "{}", R"({"rubrics": null})", R"({"rubrics": []})",
                              R"({"rubrics": [{"criterion": "a", "points": 1}], "_rubric_kind": "consensus_only"})"}) {
    EXPECT_TRUE(RowRubric(WithColumns(columns)).empty()) << columns;
  }
  EXPECT_FALSE(
      RowRubric(WithColumns(R"({"rubrics": [{"criterion": "a", "points": 1}], "_rubric_kind": "full"})")).empty());
}

TEST(RowRubricTest, AMalformedRubricIsAnErrorThatNamesRowAndCriterion) {
  for (const char* columns :
       {R"({"rubrics": "a"})", R"({"rubrics": [1]})", R"({"rubrics": [{"criterion": "a"}]})",
        R"({"rubrics": [{"criterion": "a", "points": "1"}]})", R"({"rubrics": [{"criterion": "", "points": 1}]})"}) {
    try {
      RowRubric(WithColumns(columns));
      ADD_FAILURE() << "accepted: " << columns;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      EXPECT_NE(error.message().find("q1"), std::string::npos) << error.message();
    }
  }
}

TEST(RowRubricTest, HealthBenchLoadsWithItsRubrics) {
  const std::filesystem::path file = tests::DataFolder() / "healthbench" / "subset_union.jsonl";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there";
  RowKeys keys;
  keys.id = {"prompt_id"};
  const auto rows = ReadRows(file, keys);
  EXPECT_EQ(rows.size(), 420u);
  std::size_t full = 0, criteria = 0, negative = 0;
  for (const Row& row : rows) {
    EXPECT_FALSE(row.prompt.messages.empty());
    const auto rubric = RowRubric(row.prompt);
    full += !rubric.empty();
    criteria += rubric.size();
    for (const schema::Criterion& criterion : rubric) negative += criterion.points < 0;
  }
  EXPECT_EQ(full, 311u);
  EXPECT_EQ(criteria, 3822u);  // 4,040 in all, two in each of the 109 rows that are not full
  EXPECT_EQ(negative, 1199u);
}

}  // namespace
}  // namespace autodidact::data
