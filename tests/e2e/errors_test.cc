// Bad input: one clear error that names file, key or row; exit code 2; nothing half-written.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/tool.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

class BadInputTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = TestFolder();
    fs::copy(BaseFolder() / "base", folder_ / "base", fs::copy_options::recursive);
    fs::copy(BaseFolder() / "data", folder_ / "data", fs::copy_options::recursive);
    fs::copy(BaseFolder() / "train.yaml", folder_ / "train.yaml");
  }

  void ExpectRefused(const std::vector<std::string>& words, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"train", "train.yaml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = RunTool(arguments, folder_);
    EXPECT_EQ(result.status.code, 2) << result.err;
    for (const std::string& word : words)
      EXPECT_NE(result.err.find(word), std::string::npos) << word << " in\n" << result.err;
    EXPECT_FALSE(fs::exists(folder_ / "runs")) << "something was written";
  }

  fs::path folder_;
};

TEST_F(BadInputTest, AnUnknownKey) {
  ExpectRefused({"max_step", "did you mean"}, {"--set", "train.max_step=3"});
}

TEST_F(BadInputTest, AWrongType) {
  ExpectRefused({"train.max_steps", "soon"}, {"--set", "train.max_steps=soon"});
}

TEST_F(BadInputTest, AMissingFile) {
  ExpectRefused({"data.train", "nowhere.jsonl"}, {"--set", "data.train=nowhere.jsonl"});
}

TEST_F(BadInputTest, ABadRow) {
  std::ofstream(folder_ / "data/unlabelled.jsonl", std::ios::app) << "{\"prompt\": \n";
  ExpectRefused({"unlabelled.jsonl:301"});
}

TEST_F(BadInputTest, ARowThatTheVocabularyCannotExpress) {
  std::ofstream(folder_ / "data/unlabelled.jsonl", std::ios::app) << "{\"id\": \"odd\", \"prompt\": \"x y ?\"}\n";
  ExpectRefused({"odd"});
}

TEST_F(BadInputTest, ATruncatedSafetensors) {
  fs::resize_file(folder_ / "base/model.safetensors", 5000);
  ExpectRefused({"model.safetensors"});
}

TEST_F(BadInputTest, ALyingSafetensors) {
  std::fstream file(folder_ / "base/model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  std::string header(400, '\0');
  file.read(header.data(), 400);
  const auto at = header.find("\"shape\":[");
  ASSERT_NE(at, std::string::npos);
  file.seekp(static_cast<std::streamoff>(at + 9));
  file.put(header[at + 9] == '9' ? '8' : '9');
  file.close();
  ExpectRefused({"model.safetensors"});
}

TEST_F(BadInputTest, ATokenizerThatDoesNotFitTheModel) {
  auto tokenizer = json::ParseFile(folder_ / "base/tokenizer.json");
  tokenizer["model"]["vocab"]["one-too-many"] = tokenizer["model"]["vocab"].size() + 5;
  json::WriteFile(folder_ / "base/tokenizer.json", tokenizer.dump());
  ExpectRefused({"vocab_size"});
}

TEST_F(BadInputTest, AConfigThatIsNotThere) {
  const auto result = RunTool({"train", "absent.yaml"}, folder_);
  EXPECT_EQ(result.status.code, 2);
  EXPECT_NE(result.err.find("absent.yaml"), std::string::npos) << result.err;
}

TEST_F(BadInputTest, AnUnknownCommand) {
  EXPECT_EQ(RunTool({"trian"}, folder_).status.code, 2);
}

}  // namespace
}  // namespace autodidact::e2e
