#include "data/rows.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "base/error.h"
#include "base/rng.h"
#include "tests/paths.h"

namespace autodidact::data {
namespace {

std::filesystem::path Write(const std::string& name, const std::string& bytes) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("autodidact_rows_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / name, std::ios::binary) << bytes;
  return folder / name;
}

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

std::string RowError(const std::string& bytes) {
  return MessageOf([&] { ReadRows(Write("bad.jsonl", bytes)); });
}

using Strings = std::vector<std::string>;

TEST(RowsTest, FirstKeyThatARowHasCounts) {
  const auto rows = ReadRows(Write("keys.jsonl",
                                   "{\"question\": \"q\", \"input\": \"i\", \"answer\": \"a\", \"solution\": \"s\"}\n"
                                   "\n  \r\n"
                                   "{\"problem\": \"p\", \"unique_id\": \"u\", \"label\": 7}\r\n"
                                   "{\"prompt\": \"r\", \"id\": 12, \"extra\": {\"x\": [1]}}"));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].prompt.text, "q");
  EXPECT_EQ(rows[0].prompt.id, "1");
  EXPECT_EQ(rows[0].answers, Strings{"a"});
  EXPECT_EQ(rows[1].prompt.id, "u");
  EXPECT_EQ(rows[1].answers, Strings{"7"});
  EXPECT_EQ(rows[2].prompt.id, "12");
  EXPECT_EQ(rows[2].prompt.columns, R"({"prompt":"r","id":12,"extra":{"x":[1]}})");
  EXPECT_TRUE(rows[2].answers.empty());
}

TEST(RowsTest, AnswersAreGatheredWithoutRepeats) {
  const auto rows = ReadRows(Write("answers.jsonl", R"({"prompt": "p", "answer": "b", "answers": ["a", "b", 3, 0.5]})"
                                                    "\n"
                                                    R"({"prompt": "p", "answer": ["x", "y"]})"
                                                    "\n"
                                                    R"({"prompt": "p", "answer": null})"));
  EXPECT_EQ(rows[0].answers, (Strings{"b", "a", "3", "0.5"}));
  EXPECT_EQ(rows[1].answers, (Strings{"x", "y"}));
  EXPECT_TRUE(rows[2].answers.empty());
}

TEST(RowsTest, MessagesAreReadWithTheirRoles) {
  const auto rows = ReadRows(Write(
      "messages.jsonl",
      R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "u"}]}]})"));
  ASSERT_EQ(rows[0].prompt.messages.size(), 2u);
  EXPECT_TRUE(rows[0].prompt.text.empty());
  EXPECT_EQ(rows[0].prompt.messages[1], (schema::ChatMessage{"user", "u"}));
}

TEST(RowsTest, KeysAreConfigurable) {
  RowKeys keys;
  keys.prompt = {"frage"};
  keys.answer = {"antwort"};
  const auto rows = ReadRows(Write("own.jsonl", R"({"frage": "f", "antwort": "a", "prompt": "no"})"), keys);
  EXPECT_EQ(rows[0].prompt.text, "f");
  EXPECT_EQ(rows[0].answers, Strings{"a"});
}

TEST(RowsTest, EachBadRowIsOneErrorWithFileAndLine) {
  EXPECT_NE(RowError("{\"prompt\": \"a\"}\n\n[1]").find("bad.jsonl:3: found a list of 1, expected one JSON object"),
            std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\"").find("bad.jsonl:1: column "), std::string::npos);
  EXPECT_NE(RowError("{\"x\": 1}").find("bad.jsonl:1: no prompt; expected one of the keys 'prompt' | 'question'"),
            std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": 5}").find("the key 'prompt' holds the number 5"), std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"\"}").find("is empty"), std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\", \"id\": \"x\"}\n{\"prompt\": \"b\", \"id\": \"x\"}")
                .find("bad.jsonl:2: duplicate id 'x', first seen in line 1"),
            std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\", \"id\": \"2\"}\n{\"prompt\": \"b\"}").find("duplicate id '2'"),
            std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\", \"id\": 1.5}").find("the key 'id' holds the number 1.5"), std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\", \"answer\": {}}").find("the key 'answer' holds an object"),
            std::string::npos);
  EXPECT_NE(RowError("{\"messages\": []}").find("list of messages is empty"), std::string::npos);
  EXPECT_NE(RowError("{\"messages\": [{\"role\": \"tool\", \"content\": \"\"}]}").find("message 1: the role is 'tool'"),
            std::string::npos);
  EXPECT_NE(RowError("{\"messages\": [{\"role\": \"user\"}]}").find("'content' is missing"), std::string::npos);
  EXPECT_NE(RowError("\n\n").find("holds no rows"), std::string::npos);
  EXPECT_NE(MessageOf([] { ReadRows("/nowhere/rows.jsonl"); }).find("/nowhere/rows.jsonl: no such file"),
            std::string::npos);
}

TEST(RowsTest, LabelsAreJoinedById) {
  auto rows = ReadRows(Write("u.jsonl", "{\"prompt\": \"p\", \"id\": \"a\"}\n{\"prompt\": \"q\", \"id\": \"b\"}"));
  JoinAnswers(rows, Write("l.jsonl",
                          "{\"id\": \"b\", \"answers\": [\"1\", \"2\"]}\n{\"id\": \"c\", \"answer\": 5}\n"
                          "{\"id\": \"a\", \"answer\": 3}"));
  EXPECT_EQ(rows[0].answers, Strings{"3"});
  EXPECT_EQ(rows[1].answers, (Strings{"1", "2"}));
  EXPECT_NE(
      MessageOf([&] { JoinAnswers(rows, Write("l.jsonl", "{\"id\": \"a\", \"answer\": 3}")); }).find("for the id 'b'"),
      std::string::npos);
  EXPECT_NE(MessageOf([&] { JoinAnswers(rows, Write("l.jsonl", "{\"id\": \"a\"}")); }).find("l.jsonl:1: no label"),
            std::string::npos);
}

TEST(RowsTest, ReferencesAreJoinedByIdAndTheFailedOnesTakenOut) {
  const std::string prompts =
      "{\"prompt\": \"p\", \"id\": \"a\"}\n{\"prompt\": \"q\", \"id\": \"b\"}\n{\"prompt\": \"r\", \"id\": \"c\"}";
  auto rows = ReadRows(Write("u.jsonl", prompts));
  const LeftOut left_out =
      JoinReferences(rows, Write("r.jsonl",
                                 "{\"id\": \"c\", \"reference\": \"z\"}\n{\"id\": \"d\", \"reference\": \"-\"}\n"
                                 "{\"id\": \"b\", \"failure\": \"none\"}\n{\"id\": \"a\", \"reference\": \"x\"}"));
  EXPECT_EQ(left_out.failed, 1u);
  EXPECT_EQ(left_out.disputed, 0u);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].reference, "x");
  EXPECT_EQ(rows[1].reference, "z");
  rows = ReadRows(Write("u.jsonl", prompts));
  EXPECT_NE(MessageOf([&] {
              JoinReferences(rows, Write("r.jsonl", "{\"id\": \"a\", \"reference\": \"x\"}"));
            }).find("r.jsonl: no reference for the id 'b'"),
            std::string::npos);
  EXPECT_NE(MessageOf([&] { JoinReferences(rows, Write("r.jsonl", "{\"id\": \"a\"}")); }).find("r.jsonl:1"),
            std::string::npos);
}

TEST(RowsTest, ReferencesThatTooFewCandidatesAgreeWithAreTakenOut) {
  const std::string prompts =
      "{\"prompt\": \"p\", \"id\": \"a\"}\n{\"prompt\": \"q\", \"id\": \"b\"}\n{\"prompt\": \"r\", \"id\": \"c\"}";
  const auto file =
      Write("r.jsonl",
            "{\"id\": \"a\", \"reference\": \"x\", \"agreement\": 0.25}\n"
            "{\"id\": \"b\", \"reference\": \"y\", \"agreement\": 0.5}\n{\"id\": \"c\", \"failure\": \"none\"}");
  auto rows = ReadRows(Write("u.jsonl", prompts));
  const LeftOut left_out = JoinReferences(rows, file, 0.5);
  EXPECT_EQ(left_out.failed, 1u);
  EXPECT_EQ(left_out.disputed, 1u);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].reference, "y");
  rows = ReadRows(Write("u.jsonl", "{\"prompt\": \"p\", \"id\": \"a\"}"));
  EXPECT_NE(MessageOf([&] {
              JoinReferences(rows, Write("r.jsonl", "{\"id\": \"a\", \"reference\": \"x\"}"), 0.5);
            }).find("agreement"),
            std::string::npos);
}

TEST(RowsTest, PairsTakeACompletionOrAnswers) {
  const auto pairs = ReadPairs(Write("pairs.jsonl",
                                     "{\"prompt\": \"p\", \"completion\": \"c\", \"answer\": \"a\"}\n"
                                     "{\"prompt\": \"q\", \"answers\": [\"x\", \"y\"]}\n"
                                     "{\"prompt\": \"r\", \"answer\": \"z\"}"));
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].completions, Strings{"c"});
  EXPECT_EQ(pairs[1].completions, (Strings{"x", "y"}));
  EXPECT_EQ(pairs[2].completions, Strings{"z"});
  EXPECT_NE(MessageOf([] { ReadPairs(Write("p.jsonl", "{\"prompt\": \"p\"}")); }).find("p.jsonl:1: no completion"),
            std::string::npos);
}

TEST(RowsTest, PairsTakeTheReferenceOfWhatSynthesizeWrote) {
  const auto pairs = ReadPairs(
      Write("refs.jsonl",
            "{\"id\": \"a\", \"prompt\": \"p\", \"completions\": [\"x\", \"y\"], \"reference\": \"s\", \"answers\": "
            "[\"s\"]}\n"
            "{\"id\": \"b\", \"prompt\": \"q\", \"completions\": [\"x\"], \"failure\": \"no heading\"}\n"
            "{\"id\": \"c\", \"prompt\": [{\"role\": \"user\", \"content\": \"u\"}], \"completions\": [\"x\"], "
            "\"reference\": \"l\\u001em\"}\n"));
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].prompt.text, "p");
  EXPECT_EQ(pairs[0].completions, Strings{"s"});
  EXPECT_EQ(pairs[1].prompt.messages.size(), 1u);
  EXPECT_EQ(pairs[1].completions, (Strings{"l", "m"}));
}

TEST(RowsTest, SharedDataSetsAreRead) {
  const auto data = tests::DataFolder();
  if (!std::filesystem::exists(data)) GTEST_SKIP() << data << " is not here; set AUTODIDACT_DATA";
  const auto gsm8k = ReadRows(data / "gsm8k/test.jsonl");
  ASSERT_EQ(gsm8k.size(), 1319u);
  EXPECT_NE(gsm8k[0].answers.at(0).find("#### "), std::string::npos);
  const auto math = ReadRows(data / "math500/test.jsonl");
  ASSERT_EQ(math.size(), 500u);
  EXPECT_EQ(math[0].answers.size(), 1u);
  EXPECT_EQ(ReadRows(data / "humaneval/HumanEval.jsonl").at(0).prompt.id, "HumanEval/0");
  const auto health = ReadRows(data / "healthbench/subset_union.jsonl");
  ASSERT_EQ(health.size(), 420u);
  EXPECT_FALSE(health[0].prompt.messages.empty());
  auto words = ReadRows(data / "cmudict/unlabelled.jsonl");
  ASSERT_EQ(words.size(), 84659u);
  JoinAnswers(words, data / "cmudict/unlabelled_truth.jsonl");
  EXPECT_FALSE(words.back().answers.empty());
  EXPECT_EQ(ReadPairs(data / "cmudict/labelled.jsonl").size(), 18305u);
}

TEST(RowsTest, MutatedRowsNeverCrash) {
  const std::string seed =
      "{\"id\": \"a\", \"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"answers\": [1, \"b\"]}\n"
      "{\"id\": \"b\", \"prompt\": \"\\u00e9\", \"answer\": null}\n";
  base::RandomWalk random({.seed = 2});
  for (int round = 0; round < 500; ++round) {
    std::string bytes = seed;
    for (std::uint64_t edit = random.Below(5) + 1; edit > 0; --edit) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    try {
      ReadRows(Write("fuzz.jsonl", bytes));
    } catch (const base::Error& error) {
      ASSERT_EQ(error.kind(), base::ErrorKind::kBadInput) << error.message();
    }
  }
}

}  // namespace
}  // namespace autodidact::data
