#include "data/row_format.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/error.h"
#include "json/json.h"

namespace autodidact::data {
namespace {

std::string ErrorOf(const std::string& line) {
  try {
    ParseRow(line, "f.jsonl:7");
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    return error.message();
  }
  return "it was read";
}

TEST(RowFormatTest, AnObjectIsARow) {
  EXPECT_EQ(json::Dump(ParseRow(" {\"a\": 1} ", "here")), "{\"a\":1}");
}

TEST(RowFormatTest, WhatIsNoRowIsToldWhatItIsAndWhatToDo) {
  const std::pair<const char*, const char*> cases[] = {
      {"[{\"prompt\": \"a\"},", "jq -c '.[]' FILE"},
      {"[\"a\"]", "jq -c '.[]' FILE"},
      {"{", "jq -c . FILE"},
      {"  \"prompt\": \"a\",", "something stands behind"},
      {"{\"prompt\": \"a", "breaks inside a text"},
      {"{\"prompt\": \"a\"}{\"prompt\": \"b\"}", "end the line there"},
      {"{\"prompt\": \"a\"}\r{\"prompt\": \"b\"}", "end the line there"},
      {"{\"prompt\": \"a\",}", "a comma too many"},
      {"{\"prompt\": [1,]}", "a comma too many"},
      {"{'prompt': 'a'}", "double quotes"},
      {"{\"x\": NaN}", "write null, true, false"},
      {"{\"x\": None}", "write null, true, false"},
      {"{\"x\": [1, Infinity]}", "write null, true, false"},
      {"{\"prompt\": \"a\tb\"}", "a tab as \\t"},
      {"{\"prompt\": \"caf\xE9\"}", "save the file as UTF-8"},
      {"{\"prompt\": \"\\ud800\"}", "half a character"},
      {"{\"x\": 1e999}", "in quotes"},
      {"prompt,answer", "to_json(orient=\"records\", lines=True)"},
      {"# rows", "no comments"},
      {"<!DOCTYPE html>", "a page of HTML"},
      {"version https://git-lfs.github.com/spec/v1", "git lfs pull"},
      {"\"a\"", "to_json"},
      {"{prompt: \"a\"}", "double quotes"},
  };
  for (const auto& [line, advice] : cases) {
    const std::string message = ErrorOf(line);
    EXPECT_TRUE(message.starts_with("f.jsonl:7: ")) << message;
    EXPECT_NE(message.find("; expected one JSON object a line: "), std::string::npos) << message;
    EXPECT_NE(message.find(advice), std::string::npos) << line << "\n" << message;
  }
}

TEST(RowFormatTest, AKeyTwiceIsToldWithoutAdviceAboutTheForm) {
  EXPECT_EQ(ErrorOf("{\"a\": 1, \"a\": 2}"),
            "f.jsonl:7: an object has the key 'a' twice; expected each key once: take one of them out");
}

TEST(RowFormatTest, AWordOfPythonInATextIsNoSignOfIt) {
  EXPECT_NE(ErrorOf("{\"prompt\": \"x: None\" oops}").find("; expected one"), std::string::npos);
  EXPECT_EQ(ErrorOf("{\"prompt\": \"x: None\",}").find("write null"), std::string::npos);
}

TEST(RowFormatTest, FilesOfOtherFormatsAreToldHowToBeConverted) {
  for (const char* start : {"BZh91AY",
                            "\xFD"
                            "7zXZ",
                            "ARROW1", "PAR1", "PK\x03\x04", "\x1F\x8B", "\xFF\xFE"}) {
    EXPECT_THROW(RefuseOtherFormats("f", start), base::Error) << start;
  }
  EXPECT_NO_THROW(RefuseOtherFormats("f", "{\"prompt\": \"PAR1\"}"));
}

}  // namespace
}  // namespace autodidact::data
