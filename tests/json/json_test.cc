#include "json/json.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "base/error.h"
#include "base/rng.h"

namespace autodidact::json {
namespace {

std::string MessageOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    return error.message();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

std::filesystem::path Scratch(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("autodidact_json_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  return folder / name;
}

TEST(JsonTest, KeepsTheOrderOfKeys) {
  EXPECT_EQ(Dump(Parse(R"({"z": 1, "a": [true, null, 1.5], "m": "x"})", "here")),
            R"({"z":1,"a":[true,null,1.5],"m":"x"})");
}

TEST(JsonTest, RepeatedKeyKeepsItsLastValue) {
  EXPECT_EQ(Dump(Parse(R"({"a":1,"a":2})", "here")), R"({"a":2})");
}

TEST(JsonTest, ParseErrorNamesThePlace) {
  const std::string message = MessageOf([] { Parse("{\"a\": tru}", "rows.jsonl:7"); });
  EXPECT_TRUE(message.starts_with("rows.jsonl:7: column 10: ")) << message;
}

TEST(JsonTest, FileErrorNamesTheLine) {
  std::ofstream(Scratch("bad.json")) << "{\n\"a\": 1,\n\"b\": x\n}";
  const std::string message = MessageOf([] { ParseFile(Scratch("bad.json")); });
  EXPECT_NE(message.find("bad.json:3: column 6: "), std::string::npos) << message;
}

TEST(JsonTest, MissingFileAndFolderAreNamed) {
  EXPECT_NE(MessageOf([] { ParseFile(Scratch("none.json")); }).find("none.json: no such file"), std::string::npos);
  EXPECT_NE(MessageOf([] { ParseFile(Scratch("")); }).find("is a folder"), std::string::npos);
}

TEST(JsonTest, InvalidUtf8IsRefusedWhenReadAndReplacedWhenWritten) {
  MessageOf([] { Parse("\"a\xff\"", "here"); });
  EXPECT_EQ(Dump(Json(std::string("a\xff"))), "\"a\xEF\xBF\xBD\"");
}

TEST(JsonTest, DeepNestingIsRefused) {
  const std::string deep(100000, '[');
  EXPECT_NE(MessageOf([&] { Parse(deep, "here"); }).find("nested deeper"), std::string::npos);
  const std::string allowed = std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']');
  EXPECT_EQ(Dump(Parse(allowed, "here")), allowed);
}

TEST(JsonTest, NumbersThatAreNotFiniteBecomeNull) {
  EXPECT_EQ(Dump(Json(std::numeric_limits<double>::quiet_NaN())), "null");
  EXPECT_EQ(Dump(Json(std::numeric_limits<double>::infinity())), "null");
}

TEST(JsonTest, GettersSayWhatWasFoundAndExpected) {
  const Json object = Parse(R"({"s": "x", "n": 1.5, "i": 3, "big": 18446744073709551615})", "here");
  EXPECT_EQ(GetString(object, "s", "here"), "x");
  EXPECT_EQ(GetNumber(object, "i", "here"), 3.0);
  EXPECT_EQ(GetInteger(object, "i", "here"), 3);
  EXPECT_EQ(MessageOf([&] { GetString(object, "n", "row"); }),
            "row: the key 'n' holds the number 1.5, expected a string");
  EXPECT_EQ(MessageOf([&] { GetInteger(object, "n", "row"); }),
            "row: the key 'n' holds the number 1.5, expected an integer");
  MessageOf([&] { GetInteger(object, "big", "row"); });
  EXPECT_EQ(MessageOf([&] { GetNumber(object, "x", "row"); }), "row: the key 'x' is missing, expected a number");
  MessageOf([&] { GetNumber(Json(1), "x", "row"); });
}

TEST(JsonTest, WriteFileReplacesTheWholeFile) {
  WriteFile(Scratch("whole.json"), "first, and longer");
  WriteFile(Scratch("whole.json"), "second");
  EXPECT_EQ(ReadFile(Scratch("whole.json")), "second");
  MessageOf([] { WriteFile(Scratch("no/such/folder/x"), "x"); });
}

TEST(JsonTest, MutatedTextNeverCrashes) {
  const std::string seed = R"({"id": "a", "list": [1, -2.5e3, {"x": "\u00e9\ud83d\ude00"}], "t": true, "n": null})";
  base::RandomWalk random({.seed = 1});
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    for (std::uint64_t edit = random.Below(4) + 1; edit > 0; --edit) {
      text[random.Below(text.size())] = static_cast<char>(random.Below(256));
    }
    if (random.Below(4) == 0) text.resize(random.Below(text.size()));
    try {
      Dump(Parse(text, "fuzz"));
    } catch (const base::Error& error) {
      ASSERT_EQ(error.kind(), base::ErrorKind::kBadInput);
    }
  }
}

}  // namespace
}  // namespace autodidact::json
