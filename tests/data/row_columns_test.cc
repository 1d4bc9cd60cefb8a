#include "data/row_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace autodidact::data {
namespace {

using testing::HasSubstr;

std::string VariablesOf(const std::string& row) {
  return RowVariables(json::Parse(row, "row"), "a.jsonl:3");
}

schema::Prompt WithRow(const std::string& columns) {
  return {.id = "q1", .text = "x", .messages = {}, .columns = columns};
}

TEST(RowColumnsTest, WhatARowGivesTheTemplateIsFound) {
  EXPECT_EQ(VariablesOf(R"({"prompt": "tools", "tools": []})"), "");
  EXPECT_EQ(VariablesOf(R"({"tools": [{"b": 1, "a": 2}], "chat_template_kwargs": {"enable_thinking": false}, "x": 1})"),
            R"({"tools":[{"b":1,"a":2}],"enable_thinking":false})");
}

TEST(RowColumnsTest, VariablesThatAreNoObjectAreRefusedByPlace) {
  try {
    VariablesOf(R"({"chat_template_kwargs": [1]})");
    FAIL() << "they were taken";
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("a.jsonl:3"));
    EXPECT_THAT(error.message(), HasSubstr("chat_template_kwargs"));
  }
}

TEST(RowColumnsTest, AColumnIsReadAsWhatItShouldBe) {
  const auto prompt = WithRow(R"row({"entry_point": "f", "n": 1, "inputs": ["f(1)", "f(2)"], "mixed": ["a", 1]})row");
  EXPECT_EQ(RowText(prompt, "entry_point"), "f");
  EXPECT_EQ(RowText(prompt, "none"), std::nullopt);
  EXPECT_THROW(RowText(prompt, "n"), base::Error);
  EXPECT_EQ(RowTexts(prompt, "inputs"), (std::vector<std::string>{"f(1)", "f(2)"}));
  for (const char* column : {"none", "n", "mixed", "entry_point"}) {
    EXPECT_EQ(RowTexts(prompt, column), std::nullopt) << column;
  }
}

TEST(RowColumnsTest, APromptLeavesWithoutItsRow) {
  EXPECT_EQ(WithoutRow(WithRow(R"({"answer": "4"})")), WithRow(""));
}

}  // namespace
}  // namespace autodidact::data
