#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "json/json.h"
#include "tests/paths.h"

namespace autodidact::text {
namespace {

using Ids = std::vector<TokenId>;

// The parts between separators; what follows the last one counts, even if it is empty.
std::vector<std::string> SplitFile(const std::filesystem::path& file, std::string_view separator) {
  const std::string bytes = json::ReadFile(file);
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end; (end = bytes.find(separator, begin)) != std::string::npos; begin = end + separator.size()) {
    parts.push_back(bytes.substr(begin, end - begin));
  }
  parts.push_back(bytes.substr(begin));
  return parts;
}

std::vector<Ids> ReadIds(const std::filesystem::path& file) {
  std::vector<Ids> rows;
  for (const std::string& line : SplitFile(file, "\n")) {
    std::istringstream numbers(line);
    Ids& ids = rows.emplace_back();
    for (TokenId id; numbers >> id;) ids.push_back(id);
  }
  return rows;
}

struct Vectors {
  const char* folder;
  const char* name;
};

class TokenizerVectorsTest : public testing::TestWithParam<Vectors> {};

TEST_P(TokenizerVectorsTest, IdsEqualThePublishedOnes) {
  const auto data = tests::DataFolder() / "tokenizers";
  if (!std::filesystem::exists(data)) GTEST_SKIP() << data << " is not here; set AUTODIDACT_DATA";
  const Tokenizer tokenizer(data / GetParam().folder);
  const auto texts = SplitFile(data / (std::string(GetParam().name) + ".inp"), "\n__ggml_vocab_test__\n");
  const auto expected = ReadIds(data / (std::string(GetParam().name) + ".out"));
  ASSERT_EQ(texts.size(), 47u);
  ASSERT_EQ(expected.size(), 47u);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(tokenizer.Encode(texts[i], false), expected[i]) << "text " << i << ": " << json::Dump(texts[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Families, TokenizerVectorsTest,
                         testing::Values(Vectors{"llama3", "llama-bpe"}, Vectors{"qwen3", "qwen2"},
                                         Vectors{"gpt2", "gpt-2"}, Vectors{"llama2", "llama-spm"}),
                         [](const auto& info) { return std::string(info.param.folder); });

}  // namespace
}  // namespace autodidact::text
