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
  EXPECT_EQ(rows[0].prompt.messages[0], (schema::ChatMessage{"system", "s"}));
  EXPECT_EQ(rows[0].prompt.messages[1].content, "u");
}

TEST(RowsTest, MessagesOfMoreThanARoleAndATextAreKeptWhole) {
  const std::string call =
      R"({"role":"assistant","content":null,"tool_calls":[{"name":"f","arguments":{"b":1,"a":2}}]})";
  const std::string parts = R"({"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]})";
  const auto rows = ReadRows(Write("whole.jsonl", "{\"messages\": [" + parts + ", " + call +
                                                      R"(, {"role": "tool", "content": "3"}], "tools": [{}]})"));
  const auto& messages = rows[0].prompt.messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0], (schema::ChatMessage{"user", "xy", parts}));
  EXPECT_EQ(messages[1], (schema::ChatMessage{"assistant", "", call}));
  EXPECT_EQ(messages[2], (schema::ChatMessage{"tool", "3"}));
  EXPECT_EQ(json::Dump(ToJson(messages[1])), call);
  EXPECT_NE(rows[0].prompt.columns.find("\"tools\""), std::string::npos);
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
  EXPECT_NE(
      RowError("{\"prompt\": \"a\"}\n\n[1]").find("bad.jsonl:3: found a list of 1; expected one JSON object a line"),
      std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\"").find("bad.jsonl:1: column "), std::string::npos);
  EXPECT_NE(RowError("{\"x\": 1}")
                .find("bad.jsonl:1: no prompt: the row has 'x'; expected one of the keys 'prompt' | 'question'"),
            std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": 5}").find("the key 'prompt' holds the number 5"), std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"\"}").find("is empty"), std::string::npos);
  EXPECT_NE(RowError("{\"promt\": \"a\", \"n\": 1}").find("the row has 'promt' | 'n';"), std::string::npos);
  EXPECT_NE(RowError("{}").find("the row has none;"), std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\", \"id\": \"x\"}\n{\"prompt\": \"b\", \"id\": \"x\"}")
                .find("bad.jsonl:2: duplicate id 'x', first seen in line 1"),
            std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\", \"id\": \"2\"}\n{\"prompt\": \"b\"}").find("duplicate id '2'"),
            std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\", \"id\": 1.5}").find("the key 'id' holds the number 1.5"), std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\", \"answer\": {}}").find("the key 'answer' holds an object"),
            std::string::npos);
  EXPECT_NE(RowError("{\"messages\": []}").find("list of messages is empty"), std::string::npos);
  EXPECT_NE(RowError("{\"messages\": [{\"role\": \"usr\", \"content\": \"\"}]}").find("message 1: the role is 'usr'"),
            std::string::npos);
  EXPECT_NE(RowError("{\"messages\": [{\"role\": \"user\"}]}").find("'content' is missing"), std::string::npos);
  EXPECT_NE(RowError("\n\n").find("holds no rows"), std::string::npos);
  EXPECT_NE(MessageOf([] { ReadRows("/nowhere/rows.jsonl"); }).find("/nowhere/rows.jsonl: no such file"),
            std::string::npos);
}

Strings LabelsOf(const std::string& bytes) {
  Strings labels;
  for (const Row& row : ReadRows(Write("labels.jsonl", bytes))) {
    labels.insert(labels.end(), row.answers.begin(), row.answers.end());
  }
  return labels;
}

TEST(RowsTest, IntegersOfAnyLengthStayWhatTheyAre) {
  EXPECT_EQ(LabelsOf("{\"prompt\": \"p\", \"answer\": 18446744073709551616}\n"
                     "{\"prompt\": \"p\", \"answers\": [-123456789012345678901234567890, 7]}"),
            (Strings{"18446744073709551616", "-123456789012345678901234567890", "7"}));
  const auto rows = ReadRows(Write("ids.jsonl",
                                   "{\"id\": 123456789012345678901234567890, \"prompt\": \"p\", \"n\": [1e-400, "
                                   "99999999999999999999.5]}\n"
                                   "{\"id\": 123456789012345678901234567891, \"prompt\": \"p\"}"));
  EXPECT_EQ(rows[0].prompt.id, "123456789012345678901234567890");
  EXPECT_EQ(rows[1].prompt.id, "123456789012345678901234567891");
  EXPECT_EQ(rows[0].prompt.columns,
            R"({"id":123456789012345678901234567890,"prompt":"p","n":[1e-400,99999999999999999999.5]})");
  EXPECT_NE(RowError("{\"prompt\": \"p\", \"id\": 1.00000000000000000000001}").find("bad.jsonl:1: the key 'id'"),
            std::string::npos);
}

TEST(RowsTest, OtherLabelsAreWhatTheirJsonSays) {
  EXPECT_EQ(LabelsOf("{\"prompt\": \"p\", \"answer\": [true, -0, 42.0, 1e3, 0.1, 3.14159265358979323846, 2.5e-320]}"),
            (Strings{"true", "0", "42.0", "1000.0", "0.1", "3.141592653589793", "2.5e-320"}));
  EXPECT_EQ(LabelsOf("\xEF\xBB\xBF{\"prompt\": \"p\", \"answer\": \"x\\u0000y\"}\r\n"
                     "\xEF\xBB\xBF{\"prompt\": null, \"question\": \"p\", \"answer\": \"\\ud83d\\ude00\"}"),
            (Strings{std::string("x\0y", 3), "\xF0\x9F\x98\x80"}));
}

TEST(RowsTest, FilesThatAreNoJsonLinesAreNamed) {
  EXPECT_NE(RowError("\xFF\xFE{").find("bad.jsonl:1: the file is UTF-16"), std::string::npos);
  EXPECT_NE(RowError("\x1F\x8B\x08").find("bad.jsonl:1: the file is compressed by gzip"), std::string::npos);
  EXPECT_NE(RowError("PAR1").find("bad.jsonl:1: the file is a Parquet file"), std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"a\"}\r{\"prompt\": \"b\"}\r").find("bad.jsonl:1: column "), std::string::npos);
  EXPECT_NE(RowError("[{\"prompt\": \"a\"},\n{\"prompt\": \"b\"}]").find("bad.jsonl:1: "), std::string::npos);
  EXPECT_NE(
      RowError("{\"prompt\": \"a\", \"prompt\": \"b\"}").find("bad.jsonl:1: an object has the key 'prompt' twice"),
      std::string::npos);
}

TEST(RowsTest, AnEmptyLabelIsABadRowWhereALabelIsNeeded) {
  const auto message = [](const std::string& answer) {
    const std::string row = "{\"prompt\": \"p\", \"answer\": \"x\"}\n{\"prompt\": \"q\"" + answer + "}";
    const auto rows = ReadRows(Write("empty.jsonl", row));
    return MessageOf([&] { RequireLabels(rows, "eval"); });
  };
  const auto tells = [&](const std::string& answer, const std::string& what) {
    const std::string told = message(answer);
    EXPECT_NE(told.find("empty.jsonl:2: " + what), std::string::npos) << told;
  };
  tells("", "no label; expected one of the keys 'answer' | ");
  tells(", \"answer\": null", "the key 'answer' holds null, expected a label, which eval needs");
  tells(", \"label\": \"\"", "the key 'label' holds an empty text");
  tells(", \"answer\": \" \\t\"", "the key 'answer' holds an empty text");
  tells(", \"answer\": []", "the key 'answer' holds an empty list");
  tells(", \"answers\": [\"x\", \"\"]", "the key 'answers' holds an empty text");
  EXPECT_NE(RowError("{\"prompt\": \"p\", \"answer\": [\"x\", null]}").find("holds null in a list"), std::string::npos);
  EXPECT_NE(RowError("{\"prompt\": \"p\", \"answer\": [[\"x\"]]}").find("holds a list of 1 in a list"),
            std::string::npos);
  auto rows = ReadRows(Write("u.jsonl", "{\"prompt\": \"p\", \"id\": \"a\"}"));
  EXPECT_NE(MessageOf([&] {
              JoinAnswers(rows, Write("l.jsonl", "{\"id\": \"a\", \"answer\": \"\"}"));
            }).find("l.jsonl:1: the key 'answer' holds an empty text"),
            std::string::npos);
  JoinAnswers(rows, Write("l.jsonl", "\n{\"id\": \"a\", \"answer\": null, \"answers\": [5]}"));
  RequireLabels(rows, "eval");
  EXPECT_TRUE(rows[0].where.ends_with("l.jsonl:2"));
}

TEST(RowsTest, AnEmptyCompletionIsABadRow) {
  EXPECT_NE(MessageOf([] {
              ReadPairs(Write("p.jsonl", "{\"prompt\": \"p\", \"completion\": \"\"}"));
            }).find("p.jsonl:1: the key 'completion' holds an empty text"),
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

std::string FromBase64(const std::string& text) {
  static const std::string kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string::npos) break;
    bits = bits << 6 | static_cast<unsigned>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

TEST(RowsTest, HandedFilesGiveTheirLabelsOrAreRefusedWithFileAndLine) {
  std::ifstream cases(tests::CasesFolder() / "12-jsonl-rows/cases.jsonl");
  if (!cases) GTEST_SKIP() << tests::CasesFolder() << " is not here; set AUTODIDACT_CASES";
  for (std::string line; std::getline(cases, line);) {
    const json::Json item = json::Parse(line, "cases");
    const std::string id = item.at("id");
    if (id.starts_with("role_")) continue;  // which roles there are is the chat template's matter
    // A key twice is refused: nobody can know which one was meant.
    const bool refused = item.at("expected_labels").is_null() || id.starts_with("duplicate_");
    const auto file = Write("case.jsonl", FromBase64(item.at("file_base64")));
    json::Json labels = json::Json::array();
    try {
      const auto rows = ReadRows(file);
      RequireLabels(rows, "eval");
      for (const Row& row : rows) labels.push_back(row.answers);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      EXPECT_TRUE(refused) << id << ": " << error.message();
      const bool named = error.message().find("case.jsonl:") != std::string::npos;
      EXPECT_TRUE(named) << id << ": " << error.message();
      continue;
    }
    EXPECT_FALSE(refused) << id;
    EXPECT_TRUE(refused || labels == item.at("expected_labels")) << id << ": " << labels;
  }
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
