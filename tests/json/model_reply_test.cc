#include "json/model_reply.h"

#include <gtest/gtest.h>

#include <string>

#include "base/rng.h"

namespace autodidact::json {
namespace {

// The values found, one line each, or "! " and the fault where there are none.
std::string Found(const std::string& text) {
  const FoundJson found = FindJson(text, "it");
  std::string lines;
  for (const Json& value : found.values) lines += Dump(value) + "\n";
  return found.values.empty() ? "! " + found.fault : lines;
}

TEST(MendedTest, LeavesPlainJsonAsItIs) {
  const std::string text = R"({"a": [1.5, -2, true, null], "b": "NaN ü 😀 \ud83d\ude00 \" \\"})";
  EXPECT_EQ(Mended(text), text);
}

TEST(MendedTest, MakesNullOfWordsForNumbersOutsideOfStrings) {
  EXPECT_EQ(Mended(R"([NaN, Infinity, -Infinity, "NaN"])"), R"([null, null, null, "NaN"])");
}

TEST(MendedTest, ReplacesHalfCharacters) {
  EXPECT_EQ(Mended("\"a\xff\xfe\""), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(
      Mended("\"\xed\xa0\xbd\xc0\x80\xf5\""), "\"" + [] {
        std::string replaced;
        for (int i = 0; i < 6; ++i) replaced += "\xEF\xBF\xBD";
        return replaced;
      }() + "\"");
  EXPECT_EQ(Mended(R"("\ud83d x \ude00 \ud83d\ud83d\ude00")"), R"("\ufffd x \ufffd \ufffd\ud83d\ude00")");
}

TEST(WithoutThoughtsTest, KeepsWhatStandsBehindTheLastThought) {
  EXPECT_EQ(WithoutThoughts("<think>a</think> b"), "b");
  EXPECT_EQ(WithoutThoughts("a</think>\n<think>c</think>\nb"), "b");
  EXPECT_EQ(WithoutThoughts("b <think> and it never ends"), "b");
  EXPECT_EQ(WithoutThoughts("<|channel|>analysis<|message|>hm<|end|><|channel|>final<|message|>b"), "b");
  EXPECT_EQ(WithoutThoughts(" b "), "b");
}

TEST(FindJsonTest, FindsValuesAmongWordsAndFences) {
  EXPECT_EQ(Found("{\"a\": 1}"), "{\"a\":1}\n");
  EXPECT_EQ(Found("See [1]: {\"a\": \"}\"} and so on"), "[1]\n{\"a\":\"}\"}\n");
  EXPECT_EQ(Found("```json\n[{\"a\": 1}]\n```"), "[{\"a\":1}]\n");
  EXPECT_EQ(Found("{\"a\": \"a quoted </think> tag\"}"), "{\"a\":\"a quoted </think> tag\"}\n");
}

TEST(FindJsonTest, TakesNoPartOfWhatIsBroken) {
  EXPECT_EQ(Found(R"({"a": [1], "a": [2]})").substr(0, 1), "!");
  EXPECT_EQ(Found(R"(Here: {"a": [1],})").substr(0, 1), "!");
  EXPECT_EQ(Found(R"({"a": [1})").substr(0, 1), "!");
  EXPECT_EQ(Found("no brackets"), "! ");
}

TEST(FindJsonTest, HostileNestingEndsSoon) {
  std::string text(1 << 20, '[');
  EXPECT_EQ(Found(text).substr(0, 1), "!");
  for (std::size_t i = 1; i < text.size(); i += 2) text[i] = '{';
  EXPECT_EQ(Found(text).substr(0, 1), "!");
}

TEST(FindJsonTest, SurvivesRandomBytes) {
  const std::string right = R"(<think>x</think>Sure: {"a": [1, "\ud83d", NaN, {"b": "ü"}]} [2])";
  base::RandomWalk walk({.seed = 3});
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = right;
    for (std::uint64_t i = walk.Below(5); i < 5; ++i)
      bytes[walk.Below(bytes.size())] = static_cast<char>(walk.Below(256));
    for (const Json& value : FindJson(bytes, "it").values) EXPECT_TRUE(value.is_structured());
  }
}

}  // namespace
}  // namespace autodidact::json
