// The parts of a tokenizer.json on small files made here.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "json/json.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

using Ids = std::vector<TokenId>;
using json::Json;

std::filesystem::path Folder() {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("autodidact_text_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  return folder;
}

Tokenizer Load(const std::string& text) {
  const auto file = Folder() / "tokenizer.json";
  std::ofstream(file, std::ios::binary) << text;
  return Tokenizer(file);
}

std::string ErrorOf(const std::string& text) {
  try {
    Load(text);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput) << error.message();
    return error.message();
  }
  return "no error";
}

// A word-level file over a few letters; `parts` overrides or adds top-level members.
std::string WordLevel(const std::string& parts, const std::string& vocab) {
  return R"({"added_tokens": [], )" + parts + R"("model": {"type": "WordLevel", "unk_token": "?", "vocab": )" + vocab +
         "}}";
}

std::string Spelled(const Tokenizer& tokenizer, const std::string& text) {
  std::string spelled;
  for (const TokenId id : tokenizer.Encode(text)) spelled += "[" + tokenizer.TokenOf(id) + "]";
  return spelled;
}

// Every piece of the pre-tokenizer becomes a visible token.
std::string Pieces(const std::string& pre_tokenizer, const std::string& text, const std::vector<std::string>& words) {
  Json vocab;
  for (const std::string& word : words) vocab[word] = vocab.size();
  return Spelled(Load(WordLevel("\"pre_tokenizer\": " + pre_tokenizer + ",", json::Dump(vocab))), text);
}

TEST(PreTokenizerTest, SplitBehavioursTreatTheMatchesAsNamed) {
  const auto split = [](const std::string& behavior) {
    return R"({"type": "Split", "pattern": {"String": "-"}, "behavior": ")" + behavior + "\", \"invert\": false}";
  };
  const std::vector<std::string> words = {"a", "b", "-", "a-", "-b", "--"};
  EXPECT_EQ(Pieces(split("Isolated"), "a--b", words), "[a][-][-][b]");
  EXPECT_EQ(Pieces(split("Removed"), "a--b", words), "[a][b]");
  EXPECT_EQ(Pieces(split("MergedWithPrevious"), "a--b", words), "[a-][-][b]");
  EXPECT_EQ(Pieces(split("MergedWithNext"), "a--b", words), "[a][-][-b]");
  EXPECT_EQ(Pieces(split("Contiguous"), "a--b", words), "[a][--][b]");
}

TEST(PreTokenizerTest, InvertedPatternKeepsTheMatches) {
  EXPECT_EQ(Pieces(R"({"type": "Split", "pattern": {"Regex": "\\d+"}, "behavior": "Removed", "invert": true})", "a12b3",
                   {"12", "3"}),
            "[12][3]");
}

TEST(PreTokenizerTest, BuiltInSplitters) {
  EXPECT_EQ(Pieces(R"({"type": "Digits", "individual_digits": true})", "ab12", {"ab", "1", "2"}), "[ab][1][2]");
  EXPECT_EQ(Pieces(R"({"type": "Digits", "individual_digits": false})", "ab12", {"ab", "12"}), "[ab][12]");
  EXPECT_EQ(Pieces(R"({"type": "Whitespace"})", "ab, c", {"ab", ",", "c"}), "[ab][,][c]");
  EXPECT_EQ(Pieces(R"({"type": "WhitespaceSplit"})", " ab, \u3000c", {"ab,", "c"}), "[ab,][c]");
  EXPECT_EQ(Pieces(R"({"type": "Punctuation"})", "a.b", {"a", ".", "b"}), "[a][.][b]");
  EXPECT_EQ(Pieces(R"({"type": "CharDelimiterSplit", "delimiter": "/"})", "a/b", {"a", "b"}), "[a][b]");
  EXPECT_EQ(Pieces(R"({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Digits",
                      "individual_digits": true}]})",
                   "a1 b", {"a", "1", "b"}),
            "[a][1][b]");
}

TEST(PreTokenizerTest, MetaspaceMarksTheWords) {
  const std::vector<std::string> words = {"a", "▁a", "▁b"};
  EXPECT_EQ(
      Pieces(R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true})", "a b", words),
      "[▁a][▁b]");
  EXPECT_EQ(
      Pieces(R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": true})", "a b", words),
      "[a][▁b]");
}

TEST(NormalizerTest, StepsRunInOrder) {
  const auto load = [](const std::string& normalizer) {
    return Load(WordLevel("\"normalizer\": " + normalizer + ",", R"({"?": 0, "é": 1, "xay": 2, "e": 3, "i̇": 4})"));
  };
  EXPECT_EQ(Spelled(load(R"({"type": "NFC"})"), "e\u0301"), "[é]");
  EXPECT_EQ(Spelled(load(R"({"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]})"), "é"),
            "[e]");
  // Every mark is an accent, also those that enclose (U+20E3) or take space (U+0903).
  EXPECT_EQ(Spelled(load(R"({"type": "StripAccents"})"), "e\u0301\u20e3\u0903"), "[e]");
  EXPECT_EQ(Spelled(load(R"({"type": "Sequence", "normalizers": [{"type": "Strip"}, {"type": "Lowercase"},
                             {"type": "Prepend", "prepend": "x"}, {"type": "Replace", "pattern": {"Regex": "[bc]+"},
                             "content": "y"}]})"),
                    "  ABC\u3000"),
            "[xay]");
  EXPECT_EQ(Spelled(load(R"({"type": "Lowercase"})"), "\u0130"), "[i̇]");
}

TEST(AddedTokensTest, LongestIsTakenAndStripFlagsEatSpaces) {
  const std::string added = R"({"added_tokens": [
      {"id": 1, "content": "<a>", "special": true}, {"id": 2, "content": "<a><b>", "special": true},
      {"id": 3, "content": "<l>", "lstrip": true, "special": true},
      {"id": 4, "content": "<r>", "rstrip": true, "special": true},
      {"id": 5, "content": "word", "single_word": true, "special": false, "normalized": false}],
      "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0}}})";
  const Tokenizer tokenizer = Load(added);
  EXPECT_EQ(Spelled(tokenizer, "<a><b><a>"), "[<a><b>][<a>]");
  EXPECT_EQ(Spelled(tokenizer, "x  <l> <r>  x"), "[?][<l>][?][<r>][?]");
  EXPECT_EQ(Spelled(tokenizer, "word-word"), "[word][?][word]");
  EXPECT_EQ(Spelled(tokenizer, "wordy"), "[?]");
  EXPECT_TRUE(tokenizer.IsSpecial(1));
  EXPECT_FALSE(tokenizer.IsSpecial(5));
}

// A SentencePiece-style file: Llama 2's parts over a few pieces and all bytes.
std::string SentencePiece() {
  Json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    vocab[name] = 3 + byte;
  }
  for (const char* piece : {"▁", "a", "b", "▁a", "ab", "▁ab"}) vocab[piece] = vocab.size();
  Json file;
  file["added_tokens"] = Json::parse(R"([{"id": 0, "content": "<unk>", "special": true},
      {"id": 1, "content": "<s>", "special": true}, {"id": 2, "content": "</s>", "special": true}])");
  file["normalizer"] = Json::parse(R"({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
      {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]})");
  file["post_processor"] = Json::parse(R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>",
      "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {"<s>": {"id": "<s>", "ids": [1],
      "tokens": ["<s>"]}}})");
  file["decoder"] = Json::parse(R"({"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"},
      "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1,
      "stop": 0}]})");
  file["model"] = {{"type", "BPE"}, {"unk_token", "<unk>"}, {"fuse_unk", true}, {"byte_fallback", true}};
  file["model"]["vocab"] = vocab;
  file["model"]["merges"] = {"a b", "▁ ab", "▁ a"};
  return json::Dump(file);
}

TEST(BpeTest, SentencePieceMergesByRankAndFallsBackToBytes) {
  const Tokenizer tokenizer = Load(SentencePiece());
  EXPECT_EQ(Spelled(tokenizer, "ab a"), "[<s>][▁ab][▁a]");
  EXPECT_EQ(Spelled(tokenizer, "é"), "[<s>][▁][<0xC3>][<0xA9>]");
  EXPECT_EQ(tokenizer.Decode(tokenizer.Encode("ab é a")), "ab é a");
  EXPECT_EQ(tokenizer.Decode(tokenizer.Encode("ab"), false), "<s> ab");
}

TEST(BpeTest, AnInvalidRunOfBytesIsOneReplacementEach) {
  const Tokenizer tokenizer = Load(SentencePiece());
  const Ids ids = {*tokenizer.IdOf("a"), *tokenizer.IdOf("<0xC3>"), *tokenizer.IdOf("<0xC3>"), *tokenizer.IdOf("b")};
  EXPECT_EQ(tokenizer.Decode(ids), "a\uFFFD\uFFFDb");
}

TEST(StreamDecoderTest, NeverSplitsACharacter) {
  const Tokenizer tokenizer = Load(SentencePiece());
  StreamDecoder decoder(tokenizer);
  EXPECT_EQ(decoder.Push(*tokenizer.IdOf("▁ab")), "ab");
  EXPECT_EQ(decoder.Push(*tokenizer.IdOf("<0xC3>")), "");
  EXPECT_EQ(decoder.Push(*tokenizer.IdOf("<0xA9>")), "");
  EXPECT_EQ(decoder.Push(*tokenizer.IdOf("a")), "éa");
  EXPECT_EQ(decoder.Push(*tokenizer.IdOf("</s>")), "");
  EXPECT_EQ(decoder.Push(*tokenizer.IdOf("<0xE2>")), "");
  EXPECT_EQ(decoder.Finish(), "\uFFFD");
}

TEST(StreamDecoderTest, JoinedPiecesEqualTheWholeForRandomIds) {
  const Tokenizer tokenizer = Load(SentencePiece());
  base::RandomWalk random({.seed = 3});
  for (int round = 0; round < 2000; ++round) {
    Ids ids;
    for (std::uint64_t n = random.Below(12); n > 0; --n) {
      ids.push_back(static_cast<TokenId>(random.Below(static_cast<std::uint64_t>(tokenizer.vocab_size() + 2))));
    }
    StreamDecoder decoder(tokenizer);
    std::string text;
    for (const TokenId id : ids) text += decoder.Push(id);
    text += decoder.Finish();
    ASSERT_EQ(text, tokenizer.Decode(ids));
  }
}

TEST(TokenizerTest, WithoutADecoderTokensAreJoinedBySpaces) {
  const Tokenizer tokenizer = Load(WordLevel("", R"({"a": 0, "b": 1})"));
  EXPECT_EQ(tokenizer.Decode(Ids{0, 1, 7}), "a b");
}

TEST(TokenizerTest, APieceThatCannotBeExpressedIsNamed) {
  const Tokenizer tokenizer = Load(WordLevel("", R"({"a": 0})"));
  try {
    tokenizer.Encode("zebra");
    FAIL() << "no error was thrown";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("'zebra'"), std::string::npos);
  }
  EXPECT_THROW(tokenizer.TokenOf(1), base::Error);
  EXPECT_EQ(tokenizer.IdOf("z"), std::nullopt);
}

TEST(TokenizerTest, WhatIsNotSupportedIsNamedWithWhatIs) {
  EXPECT_NE(ErrorOf(WordLevel(R"("normalizer": {"type": "Precompiled"},)", R"({"a": 0})"))
                .find("tokenizer.json: normalizer: type 'Precompiled' is not supported; supported are Sequence, NFC"),
            std::string::npos);
  EXPECT_NE(ErrorOf(WordLevel(R"("pre_tokenizer": {"type": "UnicodeScripts"},)", R"({"a": 0})"))
                .find("pre_tokenizer: type 'UnicodeScripts'"),
            std::string::npos);
  EXPECT_NE(ErrorOf(WordLevel(R"("decoder": {"type": "CTC"},)", R"({"a": 0})")).find("decoder: type 'CTC'"),
            std::string::npos);
  EXPECT_NE(ErrorOf(R"({"model": {"type": "Unigram", "vocab": [["a", -1.5]]}})")
                .find("type 'Unigram' is not supported; supported are BPE, WordLevel"),
            std::string::npos);
}

TEST(TokenizerTest, MalformedFilesAreNamedWithThePlace) {
  EXPECT_NE(ErrorOf("{\"model\":\n {\"vocab\": {\"a\": \"x\"}}}").find("tokenizer.json:"), std::string::npos);
  EXPECT_NE(ErrorOf("{\"model\": {\"vocab\"").find("tokenizer.json:1: column"), std::string::npos);
  EXPECT_NE(ErrorOf("{}").find("the key 'model' is missing"), std::string::npos);
  EXPECT_NE(ErrorOf(WordLevel("", R"({"a": -1})")).find("has the id -1"), std::string::npos);
  EXPECT_NE(ErrorOf(WordLevel("", R"({"a": 99999999999})")).find("has the id 99999999999"), std::string::npos);
  EXPECT_NE(ErrorOf(WordLevel("", R"({"a": 0, "b": 0})")).find("have the same id 0"), std::string::npos);
  EXPECT_NE(ErrorOf(R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}})")
                .find("merges[0]: the token 'ab' is not in the vocabulary"),
            std::string::npos);
  EXPECT_NE(
      ErrorOf(WordLevel(R"("pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Removed"},)",
                        R"({"a": 0})"))
          .find("is not understood"),
      std::string::npos);
}

TEST(TokenizerTest, ThreadsMayShareOne) {
  const Tokenizer tokenizer = Load(SentencePiece());
  const Ids expected = tokenizer.Encode("ab ab é a b ab");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) wrong[t] += tokenizer.Encode("ab ab é a b ab") != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(TokenizerTest, MutatedFilesNeverCrash) {
  const std::string seed = SentencePiece();
  base::RandomWalk random({.seed = 4});
  int loaded = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text = seed;
    for (std::uint64_t edit = random.Below(3) + 1; edit > 0; --edit) {
      // Half of the edits in the parts that are not the vocabulary, which is most of the file.
      const std::size_t bound = random.Below(2) == 0 ? text.size() : std::min<std::size_t>(text.size(), 1100);
      text[random.Below(bound)] = static_cast<char>(random.Below(256));
    }
    try {
      const Tokenizer tokenizer = Load(text);
      ++loaded;
      tokenizer.Decode(tokenizer.Encode("ab a <s> é"));
    } catch (const base::Error& error) {
      ASSERT_EQ(error.kind(), base::ErrorKind::kBadInput) << error.message();
    }
  }
  EXPECT_GT(loaded, 0);
}

TEST(UnicodeTest, InvalidBytesBecomeOneReplacementPerLongestPrefix) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xE2\x82z"), "a\uFFFDz");
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(ReplaceInvalidUtf8("\xF0\x9F\x99"), "\uFFFD");
  EXPECT_EQ(ReplaceInvalidUtf8("\xC0\xAF"), "\uFFFD\uFFFD");
  EXPECT_EQ(IncompleteSuffix("a\xE2\x82"), 2u);
  EXPECT_EQ(IncompleteSuffix("\xE2\x82\xAC"), 0u);
}

TEST(UnicodeTest, NormalFormsAreThoseOfUnicode9) {
  EXPECT_EQ(Normalize("e\u0301", NormalForm::kNfc), "\u00e9");
  EXPECT_EQ(Normalize("\u00e9", NormalForm::kNfd), "e\u0301");
  EXPECT_EQ(Normalize("\ufb01", NormalForm::kNfkc), "fi");
  EXPECT_EQ(Normalize("\ud494\u11a8", NormalForm::kNfc), "\ud495");
  EXPECT_EQ(Normalize("\ud494\u11a7", NormalForm::kNfc), "\ud494\u11a7");
  EXPECT_EQ(Normalize("a\u0345\u0eba\u0334", NormalForm::kNfc), "a\u0345\u0eba\u0334");
}

}  // namespace
}  // namespace autodidact::text
