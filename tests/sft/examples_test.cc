#include "sft/examples.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <sstream>

namespace autodidact::sft {
namespace {

class ReconcileSourceTest : public testing::Test {
 protected:
  ReconcileSourceTest() {
    const auto file = std::filesystem::path(testing::TempDir()) / ("examples_" + std::to_string(getpid()) + ".json");
    text::TokenizerSpec spec;
    spec.special_tokens = {"<pad>", "<bos>", "<eos>"};
    text::WriteSymbolTokenizer(spec, {"a", "b", "c", "d", "e", "f", "|", "=>"}, file);
    tokenizer_ = std::make_unique<text::Tokenizer>(file);
    std::filesystem::remove(file);
  }

  std::vector<std::string> DrawMany(const std::vector<CandidateRow>& rows, const ReconcileRules& rules, int count) {
    const estimators::SynthesisPrompt prompt{
        .instruction = "{candidates} =>", .candidate = "| {text}", .separator = " "};
    const ReconcileSource source(rows, rules, prompt, *tokenizer_, *tokenizer_->IdOf("<eos>"));
    base::RandomWalk walk({.seed = 3, .stream = base::RandomStream::kSft});
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i) {
      const Example example = source.Draw(static_cast<std::size_t>(i) % rows.size(), walk);
      texts.push_back(tokenizer_->Decode(example.prompt, false) + " " + tokenizer_->Decode(example.completion, false));
    }
    return texts;
  }

  std::unique_ptr<text::Tokenizer> tokenizer_;
};

TEST_F(ReconcileSourceTest, OnlyWhatTheCandidatesSupportIsLearned) {
  const std::vector<CandidateRow> rows = {
      {{"a b"}, {"a c"}},                 // nothing ends in c
      {{"a b d", "f b c"}, {"a b c"}},    // from the parts of both
      {{"a b c", "d e f"}, {"a b e f"}},  // nowhere stands e after b
      {{"d"}, {"d"}},
  };
  ReconcileRules rules{.group_sizes = {2}};
  const auto all = DrawMany(rows, rules, 40);
  EXPECT_EQ((std::set<std::string>{all.begin(), all.end()}.size()), 6u);  // two rows in two orders
  rules.max_unsupported = 0;
  for (const std::string& text : DrawMany(rows, rules, 40)) {
    EXPECT_TRUE(text.ends_with("=> a b c <eos>") || text == "<bos> | d => d <eos>") << text;
  }
}

TEST_F(ReconcileSourceTest, ExchangedSymbolsLeaveTheTaskAsItIs) {
  const std::vector<CandidateRow> rows = {{{"a b d", "a b d"}, {"a b c"}}, {{"f"}, {"e f d"}}};
  const std::string plain = DrawMany(rows, {.group_sizes = {2}}, 1).front();
  ASSERT_EQ(plain, "<bos> | a b d | a b d => a b c <eos>");
  std::set<std::string> seen;
  const auto texts = DrawMany(rows, {.group_sizes = {2}, .exchanged = 1.0}, 200);
  for (std::size_t i = 0; i < texts.size(); i += 2) {
    const std::string& text = texts[i];
    seen.insert(text);
    std::map<std::string, std::string> there;
    std::map<std::string, std::string> back;
    std::istringstream tokens(text);
    std::istringstream plain_tokens(plain);
    std::string token;
    for (std::string plain_token; plain_tokens >> plain_token;) {
      ASSERT_TRUE(tokens >> token) << text;
      EXPECT_EQ(there.emplace(plain_token, token).first->second, token) << text;
      EXPECT_EQ(back.emplace(token, plain_token).first->second, plain_token) << text;
    }
    EXPECT_FALSE(tokens >> token) << text;
    for (const char* fixed : {"<bos>", "|", "=>", "<eos>"}) EXPECT_EQ(there[fixed], fixed) << text;
  }
  EXPECT_GT(seen.size(), 20u);
}

}  // namespace
}  // namespace autodidact::sft
