// tokenize, generate and score: many rows at once, and rows that cannot be answered.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/e2e/tool.h"

namespace autodidact::e2e {
namespace {

TEST(RowsTest, ARowGivesTheSameWhateverOtherRowsThereAre) {
  const std::string first = "{\"prompt\": \"b e a =\"}\n{\"messages\": [{\"role\": \"user\", \"content\": \"n a\"}]}\n";
  std::string all = first;
  for (int i = 0; i < 20; ++i) all += "{\"ids\": [1, 5, 6, 7]}\n";
  const std::vector<std::string> arguments = {"generate", "base", "--n", "2", "--seed", "7", "--max-new-tokens", "8"};
  const auto few = FeedTool(arguments, first);
  const auto many = FeedTool(arguments, all);
  ASSERT_TRUE(few.status.ok()) << few.err;
  ASSERT_TRUE(many.status.ok()) << many.err;
  EXPECT_EQ(std::count(few.out.begin(), few.out.end(), '\n'), 4);
  EXPECT_EQ(std::count(many.out.begin(), many.out.end(), '\n'), 44);
  EXPECT_EQ(many.out.substr(0, few.out.size()), few.out);
}

TEST(RowsTest, RowsBeforeABadOneAreAnsweredAndTheBadOneIsNamed) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> commands = {
      {{"tokenize", "base"}, "{\"text\": \"b e\"}"},
      {{"generate", "base", "--max-new-tokens", "4"}, "{\"prompt\": \"b e\"}"},
      {{"score", "base"}, "{\"prompt\": \"b e\", \"completion\": \"a\"}"}};
  for (const auto& [arguments, good] : commands) {
    for (const char* bad :
         {"{\"prompt\":", "[]", "{\"other\": 1}", "{\"text\": 3, \"prompt\": 3, \"completion\": \"a\"}",
          "{\"text\": \"??\", \"prompt\": \"??\", \"completion\": \"a\"}"}) {
      const auto result = FeedTool(arguments, good + "\n\n" + bad + "\n" + good + "\n");
      EXPECT_EQ(result.status.code, 2) << result.err;
      EXPECT_NE(result.err.find("standard input:3: "), std::string::npos) << bad << "\n" << result.err;
      EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1) << bad << "\n" << result.out;
    }
  }
}

TEST(RowsTest, IdsThatTheModelHasNotAreNamed) {
  for (const char* ids : {"[1, 99999]", "[-1, 2]", "[1.5, 2]", "\"1 2\"", "[99999999999, 1]"}) {
    for (const char* command : {"generate", "score"}) {
      const auto result = FeedTool({command, "base"}, std::string("{\"ids\": ") + ids + "}\n");
      EXPECT_EQ(result.status.code, 2) << result.err;
      EXPECT_NE(result.err.find("standard input:1: the key 'ids'"), std::string::npos) << result.err;
      EXPECT_EQ(result.out, "");
    }
  }
}

TEST(RowsTest, FlagsOutOfRangeAreRefused) {
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{{"--temperature", "-1"},
                                                                                     {"--temperature", "nan"},
                                                                                     {"--top-p", "2"},
                                                                                     {"--n", "0"},
                                                                                     {"--dtype", "int8"},
                                                                                     {"--device", "tpu"}}) {
    auto arguments = flags;
    arguments.insert(arguments.begin(), {"generate", "base"});
    EXPECT_EQ(FeedTool(arguments, "").status.code, 2) << flags[0];
  }
}

}  // namespace
}  // namespace autodidact::e2e
