#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/error.h"
#include "golden.h"

namespace autodidact::model {
namespace {

using testing::HasSubstr;

// A folder of its own that is removed at the end.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    folder_ = std::filesystem::path(testing::TempDir()) /
              (std::string("config_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  ModelConfig Read(const std::string& text) {
    std::ofstream(folder_ / "config.json") << text;
    return ReadModelConfig(folder_);
  }
  std::string ErrorOf(const std::string& text) {
    try {
      Read(text);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      return error.message();
    }
    return "no error";
  }
  // A small Llama with further members, each like ", \"key\": value".
  static std::string Llama(const std::string& more) {
    return R"({"model_type": "llama", "vocab_size": 48, "hidden_size": 32, "intermediate_size": 40,
               "num_hidden_layers": 2, "num_attention_heads": 4)" +
           more + "}";
  }

  std::filesystem::path folder_;
};

TEST_F(ConfigTest, Llama31OfTransformers4IsRead) {
  const ModelConfig config = Read(R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false,
    "attention_dropout": 0.0, "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "hidden_act": "silu",
    "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 131072,
    "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
    "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 8.0,
    "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"},
    "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
    "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 128256})");
  EXPECT_EQ(config.model_type, "llama");
  EXPECT_EQ(config.head_dim, 128);
  EXPECT_TRUE(config.rope.llama3);
  EXPECT_EQ(config.rope.theta, 500000.0);
  EXPECT_EQ(config.eos_token_ids, (std::vector<std::int32_t>{128001, 128008, 128009}));
  EXPECT_EQ(config.dtype, "bfloat16");
  EXPECT_EQ(ParameterCount(config), 8'030'261'248);
}

TEST_F(ConfigTest, Gemma3WithVisionGivesItsTextPartWithTheDefaultsOfTransformers) {
  const ModelConfig config = Read(R"({"architectures": ["Gemma3ForConditionalGeneration"], "boi_token_index": 255999,
    "eoi_token_index": 256000, "eos_token_id": [1, 106], "image_token_index": 262144, "initializer_range": 0.02,
    "mm_tokens_per_image": 256, "model_type": "gemma3", "text_config": {"hidden_size": 2560,
    "intermediate_size": 10240, "model_type": "gemma3_text", "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0,
    "rope_type": "linear"}, "sliding_window": 1024}, "torch_dtype": "bfloat16", "transformers_version": "4.50.0.dev0",
    "vision_config": {"hidden_size": 1152}})");
  EXPECT_EQ(config.model_type, "gemma3_text");
  EXPECT_EQ(config.num_heads, 8);
  EXPECT_EQ(config.num_kv_heads, 4);
  EXPECT_EQ(config.head_dim, 256);
  EXPECT_EQ(config.vocab_size, 262208);
  EXPECT_TRUE(config.tie_word_embeddings);
  EXPECT_EQ(config.rope.theta, 1e6);
  EXPECT_EQ(config.rope.linear_factor, 8.0);
  EXPECT_EQ(config.local_rope.theta, 1e4);
  EXPECT_EQ(config.local_rope.linear_factor, 1.0);
  EXPECT_EQ(config.sliding_window, 1024);
  EXPECT_TRUE(config.is_sliding[0]);
  EXPECT_FALSE(config.is_sliding[5]);
  EXPECT_FALSE(config.is_sliding[11]);
  EXPECT_EQ(config.attention_scale, 1.0 / 16);
  EXPECT_EQ(config.eos_token_ids, (std::vector<std::int32_t>{1, 106}));
  EXPECT_EQ(config.dtype, "bfloat16");
}

TEST_F(ConfigTest, Qwen25KeepsItsWindowOffUnlessAskedFor) {
  const std::string start = R"({"model_type": "qwen2", "vocab_size": 48, "hidden_size": 32, "intermediate_size": 40,
    "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "sliding_window": 16,
    "max_window_layers": 1, "use_sliding_window": )";
  const ModelConfig off = Read(start + "false}");
  EXPECT_EQ(off.sliding_window, 0);
  EXPECT_TRUE(off.attention_bias);
  const ModelConfig on = Read(start + "true}");
  EXPECT_EQ(on.sliding_window, 16);
  EXPECT_EQ(on.is_sliding, (std::vector<bool>{false, true, true}));
}

TEST_F(ConfigTest, StopIdsOfTheGenerationConfigAreAdded) {
  std::ofstream(folder_ / "generation_config.json") << R"({"eos_token_id": [7, 9]})";
  EXPECT_EQ(Read(Llama(R"(, "eos_token_id": 7)")).eos_token_ids, (std::vector<std::int32_t>{7, 9}));
}

TEST_F(ConfigTest, UnknownKeyThatSaysSomethingIsAnError) {
  const std::string error = ErrorOf(Llama(R"(, "residual_multiplier": 0.22)"));
  EXPECT_THAT(error, HasSubstr("config.json"));
  EXPECT_THAT(error, HasSubstr("residual_multiplier"));
  EXPECT_THAT(error, HasSubstr("0.22"));
  EXPECT_EQ(ErrorOf(Llama(R"(, "residual_multiplier": null, "other": false)")), "no error");
}

TEST_F(ConfigTest, UnsupportedOptionsAreErrorsThatNameThem) {
  EXPECT_THAT(ErrorOf(Llama(R"(, "rope_scaling": {"type": "yarn", "factor": 2.0})")), HasSubstr("llama3"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "attention_bias": true)")), HasSubstr("attention_bias"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "mlp_bias": true)")), HasSubstr("mlp_bias"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "hidden_act": "gelu")")), HasSubstr("\"silu\""));
  EXPECT_THAT(ErrorOf(Llama(R"(, "quantization_config": {"bits": 4})")), HasSubstr("quantization_config"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "torch_dtype": "float8")")), HasSubstr("bfloat16"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "architectures": ["LlamaForSequenceClassification"])")), HasSubstr("supported:"));
  EXPECT_THAT(ErrorOf(R"({"model_type": "mixtral"})"), HasSubstr("Qwen3ForCausalLM"));
}

TEST_F(ConfigTest, WindowThatIsLeftOutIsThatOfTransformersAndNullIsNone) {
  const std::string qwen = R"({"model_type": "qwen3", "vocab_size": 48, "hidden_size": 32, "intermediate_size": 40,
    "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "use_sliding_window": true,
    "max_window_layers": 1)";
  EXPECT_EQ(Read(qwen + "}").sliding_window, 4096);
  EXPECT_EQ(Read(qwen + R"(, "sliding_window": null})").sliding_window, 0);
  EXPECT_THAT(ErrorOf(qwen + R"(, "sliding_window": 0})"), HasSubstr("sliding_window"));
  EXPECT_EQ(Read(R"({"model_type": "gemma3_text"})").sliding_window, 4096);
  EXPECT_THAT(ErrorOf(R"({"model_type": "gemma3_text", "sliding_window": null})"), HasSubstr("sliding_window"));
}

TEST_F(ConfigTest, RopeThatCannotBeIsAnError) {
  EXPECT_THAT(ErrorOf(Llama(R"(, "rope_theta": 0)")), HasSubstr("rope_theta"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "rope_scaling": {"type": "linear", "factor": 0})")), HasSubstr("factor"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "rope_scaling": {"type": "linear", "factor": 2}, "rope_parameters":
                               {"rope_type": "default", "rope_theta": 5})")),
              HasSubstr("rope_scaling"));
}

TEST_F(ConfigTest, TokenIdsBelowZeroAreNoneAndThoseBeyondTheVocabularyAreErrors) {
  const ModelConfig config = Read(Llama(R"(, "pad_token_id": -1, "eos_token_id": [-1, 2])"));
  EXPECT_EQ(config.pad_token_id, -1);
  EXPECT_EQ(config.eos_token_ids, std::vector<std::int32_t>{2});
  EXPECT_THAT(ErrorOf(Llama(R"(, "eos_token_id": 48)")), HasSubstr("48"));
}

TEST_F(ConfigTest, ImpossibleSizesAreErrors) {
  EXPECT_THAT(ErrorOf(R"({"model_type": "llama", "vocab_size": 48})"), HasSubstr("hidden_size: got nothing"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "num_key_value_heads": 3)")), HasSubstr("no multiple"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "num_key_value_heads": -1)")), HasSubstr("num_key_value_heads"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "num_key_value_heads": "two")")), HasSubstr("num_key_value_heads"));
  EXPECT_THAT(ErrorOf(Llama(R"(, "head_dim": 7)")), HasSubstr("even"));
  EXPECT_THAT(ErrorOf("[1]"), HasSubstr("object"));
}

TEST_F(ConfigTest, WrittenConfigIsReadBackTheSame) {
  for (const std::string& name : GoldenNames()) {
    const ModelConfig config = ReadModelConfig(GoldenFolder(name));
    WriteModelConfig(config, folder_);
    const ModelConfig back = ReadModelConfig(folder_);
    EXPECT_EQ(back.model_type, config.model_type) << name;
    EXPECT_EQ(back.head_dim, config.head_dim) << name;
    EXPECT_EQ(back.num_kv_heads, config.num_kv_heads) << name;
    EXPECT_EQ(back.is_sliding, config.is_sliding) << name;
    EXPECT_EQ(back.sliding_window, config.sliding_window) << name;
    EXPECT_EQ(back.rope.theta, config.rope.theta) << name;
    EXPECT_EQ(back.rope.linear_factor, config.rope.linear_factor) << name;
    EXPECT_EQ(back.rope.llama3, config.rope.llama3) << name;
    EXPECT_EQ(back.local_rope.theta, config.local_rope.theta) << name;
    EXPECT_EQ(back.attention_scale, config.attention_scale) << name;
    EXPECT_EQ(back.tie_word_embeddings, config.tie_word_embeddings) << name;
    EXPECT_EQ(back.rms_norm_eps, config.rms_norm_eps) << name;
    EXPECT_EQ(back.eos_token_ids, config.eos_token_ids) << name;
    EXPECT_EQ(back.dtype, config.dtype) << name;
  }
}

TEST_F(ConfigTest, WhatTheOldStyleCannotSayIsWrittenInTheNewOne) {
  const ModelConfig config = Read(R"({"model_type": "gemma3_text", "query_pre_attn_scalar": 20.5, "rope_parameters": {
    "full_attention": {"rope_type": "linear", "factor": 8, "rope_theta": 1000000},
    "sliding_attention": {"rope_type": "linear", "factor": 2, "rope_theta": 500}}})");
  WriteModelConfig(config, folder_);
  const ModelConfig back = ReadModelConfig(folder_);
  EXPECT_EQ(back.rope.theta, 1e6);
  EXPECT_EQ(back.rope.linear_factor, 8);
  EXPECT_EQ(back.local_rope.theta, 500);
  EXPECT_EQ(back.local_rope.linear_factor, 2);
  EXPECT_NEAR(back.attention_scale, 1 / std::sqrt(20.5), 1e-15);
}

TEST_F(ConfigTest, MissingFolderIsNamed) {
  try {
    ReadModelConfig(folder_ / "nowhere");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("nowhere/config.json"));
  }
}

TEST(InitialParametersTest, AreNormalWithTheGivenSpreadAndRepeatable) {
  ModelConfig config = ReadModelConfig(GoldenFolder("qwen2"));
  config.vocab_size = 1000;
  const Parameters first = InitialParameters(config, 5, 0.05);
  const Parameters second = InitialParameters(config, 5, 0.05);
  const Parameters other = InitialParameters(config, 6, 0.05);
  const std::string name = "model.embed_tokens.weight";
  EXPECT_TRUE(first.at(name).equal(second.at(name)));
  EXPECT_FALSE(first.at(name).equal(other.at(name)));
  EXPECT_NEAR(first.at(name).mean().item<double>(), 0.0, 1e-3);
  EXPECT_NEAR(first.at(name).std().item<double>(), 0.05, 1e-3);
  EXPECT_TRUE(first.at("model.norm.weight").eq(1).all().item<bool>());
  EXPECT_TRUE(first.at("model.layers.0.self_attn.q_proj.bias").eq(0).all().item<bool>());
  EXPECT_EQ(first.size(), ParameterShapes(config).size());
}

}  // namespace
}  // namespace autodidact::model
