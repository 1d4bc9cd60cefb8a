#include "json/json.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "base/error.h"
#include "base/rng.h"
#include "json/strict.h"

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

TEST(JsonStrictTest, RefusesAKeyThatAnObjectRepeats) {
  for (const char* text : {R"({"a":1,"a":2})", R"({"a":[{"b":1,"c":{},"b":1}]})", R"({"a":1,"\u0061":2})"}) {
    const std::string message = MessageOf([&] { ParseStrict(text, "rows.jsonl:7"); });
    EXPECT_TRUE(message.starts_with("rows.jsonl:7: ") && message.ends_with("' twice")) << message;
  }
  EXPECT_EQ(Dump(ParseStrict(R"([{"a":1},{"a":2}])", "here")), R"([{"a":1},{"a":2}])");
}

TEST(JsonStrictTest, NumbersKeepTheirDigits) {
  const std::string many = "-9" + std::string(999, '1');
  const std::string text = R"({"id":123456789012345678901234567890,"x":[18446744073709551616,{"y":)" + many +
                           R"(}],"pi":3.14159265358979323846,"tiny":1.5e-400,"plain":[1,-9223372036854775808,)"
                           R"(18446744073709551615,0.5,0.25],"text":"12345678901234567890123 \" 5"})";
  const Json value = ParseStrict(text, "here");
  EXPECT_EQ(Dump(value), text);
  EXPECT_EQ(SpelledNumber(value["id"]), "123456789012345678901234567890");
  EXPECT_TRUE(IsNumber(value["id"]) && IsInteger(value["id"]));
  EXPECT_TRUE(IsNumber(value["pi"]) && !IsInteger(value["pi"]));
  EXPECT_EQ(GetNumber(value, "pi", "here"), 3.141592653589793);
  EXPECT_TRUE(value["plain"][1].is_number_integer());
  EXPECT_EQ(SpelledNumber(value["plain"][0]), "");
  EXPECT_EQ(MessageOf([&] { GetInteger(value, "id", "row"); }),
            "row: the key 'id' holds the number 123456789012345678901234567890, expected an integer within 64 bits");
  EXPECT_EQ(MessageOf([&] { GetString(value, "id", "row"); }),
            "row: the key 'id' holds the number 123456789012345678901234567890, expected a string");
}

TEST(JsonStrictTest, RefusesWhatParseRefuses) {
  for (const char* text :
       {"012345678901234567890123", "-", "1e400", "[12345678901234567890123 4]", "12345678901234567890123abc", "1.",
        ".5", "+5", "0x10", "NaN", "Infinity", "[1,]", "{\"a\":1}{\"b\":2}", "\"\\ud83d\"", "\"a\tb\"", "'a'", ""}) {
    EXPECT_NE(MessageOf([&] { ParseStrict(text, "here"); }), "") << text;
  }
  const std::string message = MessageOf([] { ParseStrict(R"({"a": 12345678901234567890123, "b": tru})", "here"); });
  EXPECT_TRUE(message.starts_with("here: column 40: ")) << message;
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

TEST(JsonTest, WriteFileWritesADeviceAndALinksTargetInPlace) {
  WriteFile("/dev/null", "x");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  WriteFile(Scratch("target.json"), "old");
  std::filesystem::remove(Scratch("link.json"));
  std::filesystem::create_symlink(Scratch("target.json"), Scratch("link.json"));
  WriteFile(Scratch("link.json"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(Scratch("link.json")));
  EXPECT_EQ(ReadFile(Scratch("target.json")), "new");
}

TEST(JsonTest, AFullDiskIsAFailureAndNotBadInput) {
  try {
    WriteFile("/dev/full", "x");
    FAIL() << "nothing was thrown";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kRetryLater);
    EXPECT_NE(error.message().find("/dev/full: cannot be written: No space left"), std::string::npos)
        << error.message();
  }
}

TEST(JsonTest, MutatedTextNeverCrashes) {
  const std::string seed =
      R"({"id": "a", "list": [1, -2.5e3, 12345678901234567890123, {"x": "\u00e9\ud83d\ude00"}], "t": true, "n": null})";
  base::RandomWalk random({.seed = 1});
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    for (std::uint64_t edit = random.Below(4) + 1; edit > 0; --edit) {
      text[random.Below(text.size())] = static_cast<char>(random.Below(256));
    }
    if (random.Below(4) == 0) text.resize(random.Below(text.size()));
    try {
      Dump(ParseStrict(text, "fuzz"));
      Dump(Parse(text, "fuzz"));
    } catch (const base::Error& error) {
      ASSERT_EQ(error.kind(), base::ErrorKind::kBadInput);
    }
  }
}

}  // namespace
}  // namespace autodidact::json
