#include "model/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/error.h"
#include "golden.h"
#include "model/safetensors.h"

namespace autodidact::model {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    folder_ = std::filesystem::path(testing::TempDir()) /
              (std::string("folder_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path File() const { return folder_ / "model.safetensors"; }
  void Write(const std::string& bytes) { std::ofstream(File(), std::ios::binary) << bytes; }
  void WriteHeader(const std::string& header, std::size_t data_bytes) {
    const std::uint64_t size = header.size();
    std::string bytes(sizeof size, '\0');
    std::memcpy(bytes.data(), &size, sizeof size);
    Write(bytes + header + std::string(data_bytes, '\0'));
  }
  std::string ErrorOfFile() {
    return ErrorOf([&] { SafetensorsFile file(File()); });
  }
  static std::string ErrorOf(const std::function<void()>& action) {
    try {
      action();
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      return error.message();
    }
    return "no error";
  }
  // The golden Llama's folder with its weights changed.
  std::string ErrorOfLoading(const std::function<void(Parameters&)>& change) {
    const SharedWeights weights = LoadGolden("llama").weights;
    Parameters parameters = weights->parameters();
    change(parameters);
    std::filesystem::copy_file(GoldenFolder("llama") / "config.json", folder_ / "config.json",
                               std::filesystem::copy_options::overwrite_existing);
    WriteSafetensors(File(), {parameters.begin(), parameters.end()}, at::kFloat);
    return ErrorOf([&] { LoadModel(folder_, at::kFloat, at::kCPU); });
  }

  std::filesystem::path folder_;
};

TEST_F(FolderTest, SavedModelLoadsWithTheSameBits) {
  for (const std::string& name : GoldenNames()) {
    const SharedWeights weights = LoadGolden(name).weights;
    for (const std::int64_t shard_bytes : {std::int64_t{1} << 40, std::int64_t{20'000}}) {
      SaveModel(*weights, at::kFloat, folder_, {}, shard_bytes);
      const SharedWeights back = LoadModel(folder_, at::kFloat, at::kCPU, 7);
      EXPECT_EQ(back->version(), 7u);
      ASSERT_EQ(back->parameters().size(), weights->parameters().size());
      for (const auto& [parameter, tensor] : weights->parameters()) EXPECT_TRUE(back->at(parameter).equal(tensor));
    }
    EXPECT_TRUE(std::filesystem::exists(folder_ / "model.safetensors.index.json"));
    EXPECT_FALSE(std::filesystem::exists(File()));  // the file of the first save would be beside the shards
  }
}

TEST_F(FolderTest, SavingInBfloat16RoundsAndSaysSo) {
  const SharedWeights weights = LoadGolden("llama").weights;
  SaveModel(*weights, at::kBFloat16, folder_, {});
  const SharedWeights back = LoadModel(folder_, at::kFloat, at::kCPU);
  EXPECT_EQ(back->config().dtype, "bfloat16");
  const std::string name = "model.embed_tokens.weight";
  EXPECT_TRUE(back->at(name).equal(weights->at(name).to(at::kBFloat16).to(at::kFloat)));
}

TEST_F(FolderTest, TokenizerFilesAreCarriedOverAndNothingElse) {
  const auto source = folder_ / "source";
  std::filesystem::create_directories(source);
  std::ofstream(source / "tokenizer.json") << "{}";
  std::ofstream(source / "notes.txt") << "x";
  const auto target = folder_ / "deeper" / "target";
  SaveModel(*LoadGolden("llama").weights, at::kFloat, target, source);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(target)) names.push_back(entry.path().filename());
  EXPECT_THAT(names, testing::UnorderedElementsAre("config.json", "model.safetensors", "tokenizer.json"));
}

TEST_F(FolderTest, TextPartOfAWrappedGemmaIsFoundUnderEitherPrefix) {
  const Golden golden = LoadGolden("gemma3");
  const json::Json text = json::ParseFile(GoldenFolder("gemma3") / "config.json");
  std::ofstream(folder_ / "config.json") << json::Dump(
      {{"model_type", "gemma3"}, {"architectures", {"Gemma3ForConditionalGeneration"}}, {"text_config", text}});
  for (const std::string prefix : {"language_model.model.", "model.language_model."}) {
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const auto& [name, tensor] : golden.weights->parameters()) {
      tensors.emplace_back(prefix + name.substr(std::string("model.").size()), tensor);
    }
    tensors.emplace_back("vision_tower.vision_model.head.weight", at::ones({3}));
    tensors.emplace_back("multi_modal_projector.mm_soft_emb_norm.weight", at::ones({3}));
    WriteSafetensors(File(), tensors, at::kFloat);
    const SharedWeights weights = LoadModel(folder_, at::kFloat, at::kCPU);
    for (const auto& [name, tensor] : golden.weights->parameters()) EXPECT_TRUE(weights->at(name).equal(tensor));
  }
}

TEST_F(FolderTest, MissingSurplusAndMisshapenTensorsAreNamed) {
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  EXPECT_THAT(ErrorOfLoading([&](Parameters& p) { p.erase(name); }), AllOf(HasSubstr(name), HasSubstr("missing")));
  EXPECT_THAT(ErrorOfLoading([&](Parameters& p) { p.emplace("model.extra", at::ones({2})); }),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("model.extra")));
  EXPECT_THAT(ErrorOfLoading([&](Parameters& p) {
                p[name] = at::ones({32, 40});
              }),
              AllOf(HasSubstr(name), HasSubstr("[32,40]"), HasSubstr("[40,32]")));
  EXPECT_THAT(ErrorOfLoading([&](Parameters& p) { p[name] = p[name] / 0; }),
              AllOf(HasSubstr(name), HasSubstr("finite")));
  EXPECT_EQ(ErrorOfLoading([](Parameters&) {}), "no error");
}

TEST_F(FolderTest, AHeadBesideTheEmbeddingThatItIsTiedToMustBeTheSame) {
  for (const std::string& name : GoldenNames()) {
    const SharedWeights weights = LoadGolden(name).weights;
    if (!weights->config().tie_word_embeddings) continue;
    SaveModel(*weights, at::kFloat, folder_, {});
    Parameters parameters = weights->parameters();
    at::Tensor& head = parameters["lm_head.weight"];
    head = weights->at("model.embed_tokens.weight").clone();
    WriteSafetensors(File(), {parameters.begin(), parameters.end()}, at::kFloat);
    const SharedWeights back = LoadModel(folder_, at::kFloat, at::kCPU);
    EXPECT_EQ(back->parameters().size(), weights->parameters().size());
    head[1][2] += 1;
    WriteSafetensors(File(), {parameters.begin(), parameters.end()}, at::kFloat);
    EXPECT_THAT(ErrorOf([&] { LoadModel(folder_, at::kFloat, at::kCPU); }),
                AllOf(HasSubstr("lm_head.weight differs"), HasSubstr("tie_word_embeddings")));
    return;
  }
  FAIL() << "no golden model is tied";
}

TEST_F(FolderTest, FolderWithoutWeightsSaysWhatWasLookedFor) {
  std::filesystem::copy_file(GoldenFolder("llama") / "config.json", folder_ / "config.json");
  EXPECT_THAT(ErrorOf([&] { LoadModel(folder_, at::kFloat, at::kCPU); }), HasSubstr("model.safetensors.index.json"));
}

TEST_F(FolderTest, MissingShardIsNamed) {
  SaveModel(*LoadGolden("llama").weights, at::kFloat, folder_, {}, 40'000);
  std::filesystem::remove(folder_ / "model-00002-of-00002.safetensors");
  EXPECT_THAT(ErrorOf([&] { LoadModel(folder_, at::kFloat, at::kCPU); }), HasSubstr("model-00002-of-00002"));
}

TEST_F(FolderTest, EveryTruncationOfAFileIsAnError) {
  WriteSafetensors(File(), {{"a", at::ones({2, 3})}, {"b", at::ones({4})}}, at::kFloat);
  std::stringstream whole;
  whole << std::ifstream(File(), std::ios::binary).rdbuf();
  for (std::size_t size = 0; size < whole.str().size(); ++size) {
    Write(whole.str().substr(0, size));
    EXPECT_THAT(ErrorOfFile(), HasSubstr("model.safetensors")) << size;
  }
}

TEST_F(FolderTest, LyingHeadersAreErrorsThatNameTheTensor) {
  const auto header = [](const char* dtype, const char* shape, const char* offsets) {
    return std::string(R"({"w": {"dtype": ")") + dtype + R"(", "shape": )" + shape + R"(, "data_offsets": )" + offsets +
           "}}";
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {header("F32", "[2]", "[0, 16]"), "lie outside"},
      {header("F32", "[2]", "[8, 0]"), "lie outside"},
      {header("F32", "[3]", "[0, 8]"), "needs 12"},
      {header("F32", "[2147483647, 2147483647, 2147483647]", "[0, 8]"), "needs"},
      {header("F32", "[-2]", "[0, 8]"), "sizes"},
      {header("F32", "2", "[0, 8]"), "shape"},
      {header("I64", "[1]", "[0, 8]"), "I64 is not supported; supported: F32, BF16, F16"},
      {header("F32", "[1]", "[4, 8]"), "begins at byte 4"},
      {header("F32", "[1]", "[0, 4]"), "8 bytes of data"},
      {header("F32", "[2]", "[0]"), "data_offsets"},
      {R"({"w": 3})", "expected an object"},
      {R"({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
           "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})",
       "w is named twice"},
      {R"([])", "no JSON object"},
      {R"({"w": )", "header"},
      {R"({"v": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
           "w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}})",
       "begins at byte 4"}};
  for (const auto& [text, expected] : cases) {
    WriteHeader(text, 8);
    EXPECT_THAT(ErrorOfFile(), AllOf(HasSubstr("model.safetensors"), HasSubstr(expected))) << text;
  }
  WriteHeader(header("F32", "[2]", "[0, 8]"), 8);
  EXPECT_EQ(ErrorOfFile(), "no error");
}

TEST_F(FolderTest, HeaderLongerThanTheFileIsAnError) {
  Write(std::string("\xff\xff\xff\xff\xff\xff\xff\x7f", 8) + "{}");
  EXPECT_THAT(ErrorOfFile(), HasSubstr("truncated"));
}

TEST_F(FolderTest, UnwritableTargetIsAnErrorAndLeavesNothing) {
  std::ofstream(folder_ / "file") << "x";
  EXPECT_THAT(ErrorOf([&] { SaveModel(*LoadGolden("llama").weights, at::kFloat, folder_ / "file", {}); }),
              HasSubstr("cannot save"));
}

}  // namespace
}  // namespace autodidact::model
