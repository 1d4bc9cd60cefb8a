// Tokenizers made here. tests/golden/check_written_tokenizers.py compares the same files with the `tokenizers` package.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "json/json.h"
#include "text/tokenizer.h"

namespace autodidact::text {
namespace {

using Ids = std::vector<TokenId>;
using Strings = std::vector<std::string>;

const TokenizerSpec kSpec{.special_tokens = {"<pad>", "<bos>", "<eos>"}, .bos_token = "<bos>"};

// A folder of its own under AUTODIDACT_WRITTEN_TOKENIZERS, where that is set: for the script.
std::filesystem::path Folder(const std::string& name) {
  const char* kept = std::getenv("AUTODIDACT_WRITTEN_TOKENIZERS");
  const auto parent = kept != nullptr ? std::filesystem::path(kept)
                                      : std::filesystem::path(testing::TempDir()) /
                                            ("autodidact_written_" + std::to_string(::getpid()));
  std::filesystem::create_directories(parent / name);
  return parent / name;
}

void WriteExpectations(const Tokenizer& tokenizer, const Strings& texts, const std::filesystem::path& folder) {
  std::ofstream out(folder / "expected.jsonl");
  for (const std::string& text : texts) {
    const Ids ids = tokenizer.Encode(text);
    out << json::Dump({text, ids, tokenizer.Decode(ids)}) << '\n';
  }
}

TEST(SymbolTokenizerTest, EachSymbolIsATokenAndDecodingJoinsBySpaces) {
  const auto folder = Folder("symbols");
  WriteSymbolTokenizer(kSpec, {"AA", "B", "é", "|", "B"}, folder / "tokenizer.json");
  const Tokenizer tokenizer(folder);
  EXPECT_EQ(tokenizer.vocab_size(), 7);
  const Ids ids = tokenizer.Encode("B AA é <eos>");
  EXPECT_EQ(ids, (Ids{1, 4, 3, 5, 2}));
  EXPECT_EQ(tokenizer.Decode(ids), "B AA é");
  EXPECT_EQ(tokenizer.Decode(ids, false), "<bos> B AA é <eos>");
  EXPECT_EQ(tokenizer.Encode("B  AA", false), (Ids{4, 3}));
  EXPECT_THROW(tokenizer.Encode("C"), base::Error);
  WriteExpectations(tokenizer, {"B AA é | <eos>", "", " B ", "B<eos>AA"}, folder);
}

TEST(SymbolTokenizerTest, UnknownSymbolsBecomeUnkWhereItIsASpecialToken) {
  const auto folder = Folder("symbols_unk");
  WriteSymbolTokenizer({.special_tokens = {"<unk>"}, .bos_token = ""}, {"A"}, folder / "tokenizer.json");
  const Tokenizer tokenizer(folder);
  EXPECT_EQ(tokenizer.Encode("A Z A"), (Ids{1, 0, 1}));
  WriteExpectations(tokenizer, {"A Z A"}, folder);
}

TEST(SymbolTokenizerTest, StreamedTextEqualsTheWhole) {
  const auto folder = Folder("symbols_stream");
  WriteSymbolTokenizer(kSpec, {"AA", "B"}, folder / "tokenizer.json");
  const Tokenizer tokenizer(folder);
  StreamDecoder decoder(tokenizer);
  EXPECT_EQ(decoder.Push(1), "");
  EXPECT_EQ(decoder.Push(3), "AA");
  EXPECT_EQ(decoder.Push(4), " B");
  EXPECT_EQ(decoder.Push(2), "");
  EXPECT_EQ(decoder.Finish(), "");
}

TEST(SymbolTokenizerTest, ConfigNamesTheSpecialTokens) {
  const auto folder = Folder("symbols_config");
  WriteSymbolTokenizer(kSpec, {"A"}, folder / "tokenizer.json");
  const json::Json config = json::ParseFile(folder / "tokenizer_config.json");
  EXPECT_EQ(config["bos_token"], "<bos>");
  EXPECT_EQ(config["eos_token"], "<eos>");
  EXPECT_EQ(config["pad_token"], "<pad>");
  EXPECT_FALSE(config.contains("unk_token"));
}

TEST(SymbolTokenizerTest, ASpecThatIsNotConsistentIsRefused) {
  const auto file = Folder("refused") / "tokenizer.json";
  EXPECT_THROW(WriteSymbolTokenizer({.special_tokens = {"<a>"}, .bos_token = "<b>"}, {}, file), base::Error);
  EXPECT_THROW(WriteSymbolTokenizer({.special_tokens = {"<a>", "<a>"}, .bos_token = ""}, {}, file), base::Error);
  EXPECT_THROW(WriteSymbolTokenizer(kSpec, {"a b"}, file), base::Error);
  EXPECT_THROW(WriteSymbolTokenizer(kSpec, {""}, file), base::Error);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(BpeTrainerTest, JoinsTheMostFrequentPairsFirst) {
  const auto folder = Folder("bpe_small");
  TrainBpeTokenizer(kSpec, {"low low low lower lowest"}, 3 + 256 + 3, folder / "tokenizer.json");
  const Tokenizer tokenizer(folder);
  EXPECT_EQ(tokenizer.vocab_size(), 262);
  EXPECT_EQ(tokenizer.TokenOf(259), "lo");
  EXPECT_EQ(tokenizer.TokenOf(260), "low");
  EXPECT_EQ(tokenizer.TokenOf(261), "Ġlow");
  EXPECT_EQ(tokenizer.Encode("low low"), (Ids{1, 260, 261}));
}

TEST(BpeTrainerTest, EveryTextSurvivesTheRoundTrip) {
  const auto folder = Folder("bpe");
  Strings texts;
  for (int i = 0; i < 50; ++i)
    texts.push_back("The " + std::to_string(i * 37) + "th word isn't like the others: é日本.");
  TrainBpeTokenizer(kSpec, texts, 400, folder / "tokenizer.json");
  const Tokenizer tokenizer(folder);
  const Strings samples = {"The words aren't 1234 like  this\n\n", "日本 🙂 é", "", "<eos> <bos>x", "\t a"};
  for (const std::string& text : samples) {
    EXPECT_EQ(tokenizer.Decode(tokenizer.Encode(text, false), false), text);
  }
  EXPECT_LT(tokenizer.Encode("the others").size(), 6u);
  WriteExpectations(tokenizer, samples, folder);
}

TEST(BpeTrainerTest, TrainingTwiceGivesTheSameBytes) {
  const Strings texts = {"some words, some more words, and some numbers 11 22 33", "words again"};
  const auto one = Folder("bpe_one") / "tokenizer.json", two = Folder("bpe_two") / "tokenizer.json";
  TrainBpeTokenizer(kSpec, texts, 300, one);
  TrainBpeTokenizer(kSpec, texts, 300, two);
  EXPECT_EQ(json::ReadFile(one), json::ReadFile(two));
}

TEST(BpeTrainerTest, AVocabularyTooSmallForTheBytesIsRefused) {
  EXPECT_THROW(TrainBpeTokenizer(kSpec, {"a"}, 258, Folder("refused") / "tokenizer.json"), base::Error);
}

}  // namespace
}  // namespace autodidact::text
