// Comparison with the `tokenizers` package on the texts that tests/golden/tokenizer_goldens.py writes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/format.h"
#include "json/json.h"
#include "text/tokenizer.h"

namespace autodidact::text {
namespace {

using Ids = std::vector<TokenId>;

struct Case {
  std::string text;
  Ids ids;
  std::string decoded;
  std::string decoded_with_special;
};

std::string Stream(const Tokenizer& tokenizer, const Ids& ids) {
  StreamDecoder decoder(tokenizer);
  std::string text;
  for (const TokenId id : ids) text += decoder.Push(id);
  return text + decoder.Finish();
}

// Of one core, so that a busy machine does not matter.
double Seconds(const std::function<void()>& action) {
  const std::clock_t begin = std::clock();
  action();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

std::string Shown(const Ids& ids) {
  std::string text;
  for (const TokenId id : ids) text += std::to_string(id) + " ";
  return text;
}

void Compare(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  const json::Json head = json::Parse(line, file.string());
  std::vector<Case> cases;
  while (std::getline(in, line)) {
    const json::Json row = json::Parse(line, file.string());
    cases.push_back({row[0], row[1].get<Ids>(), row[2], row[3]});
  }
  std::unique_ptr<Tokenizer> tokenizer;
  const double load = Seconds([&] { tokenizer = std::make_unique<Tokenizer>(head["tokenizer"].get<std::string>()); });
  int encode = 0, decode = 0, stream = 0;
  for (const Case& c : cases) {
    const Ids ids = tokenizer->Encode(c.text);
    if (ids != c.ids && ++encode <= 5) {
      ADD_FAILURE() << json::Dump(c.text) << "\n expected " << Shown(c.ids) << "\n found    " << Shown(ids);
    }
    if (const std::string text = tokenizer->Decode(c.ids); text != c.decoded && ++decode <= 5) {
      ADD_FAILURE() << "decoded " << json::Dump(text) << "\nexpected " << json::Dump(c.decoded);
    }
    decode += tokenizer->Decode(c.ids, false) != c.decoded_with_special;
    stream += Stream(*tokenizer, c.ids) != c.decoded;
  }
  EXPECT_EQ(encode, 0) << file;
  EXPECT_EQ(decode, 0) << file;
  EXPECT_EQ(stream, 0) << file;
  const auto timed = head["timed"].get<std::size_t>();
  const Tokenizer fresh(head["tokenizer"].get<std::string>());
  const double seconds = Seconds([&] {
    for (std::size_t i = 0; i < timed; ++i) fresh.Encode(cases[i].text);
  });
  const double bytes = head["bytes"].get<double>();
  const double package = head["seconds"].get<double>();
  std::cout << base::Format(
      "{}: {} texts, {} differ in their ids; loads in {:.2f} s; encodes {:.1f} MB/s, the package {:.1f}: {:.1f} times "
      "as "
      "fast\n",
      file.stem().string(), cases.size(), encode, load, bytes / seconds / 1e6, bytes / package / 1e6,
      package / seconds);
}

TEST(TokenizerParityTest, EqualsTheTokenizersPackage) {
  const char* folder = std::getenv("AUTODIDACT_TOKENIZER_GOLDENS");
  if (folder == nullptr) GTEST_SKIP() << "AUTODIDACT_TOKENIZER_GOLDENS is not set; see tests/golden";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) Compare(entry.path());
}

}  // namespace
}  // namespace autodidact::text
