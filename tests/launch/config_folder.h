// A folder with what configs name: a model's folder, data, and their broken kin.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace autodidact::launch {

class ConfigFolder {
 public:
  ConfigFolder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(testing::TempDir()) / (std::string(test->test_suite_name()) + "." + test->name());
    std::filesystem::remove_all(path_);
    const std::string config =
        R"({"model_type": "llama", "vocab_size": 32, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
            "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
            "eos_token_id": 1, "hidden_act": "silu"})";
    Write("model/config.json", config);
    Write("judge/config.json", config);
    Write("checkpoint/model/config.json", config);
    Write("broken/config.json", "{\"model_type\": ");
    Write("data.jsonl", "{\"prompt\": \"a\"}\n");
    Write("data.parquet", "PAR1");
    Write("data.csv", "prompt\n");
    std::filesystem::create_directories(path_ / "empty");
  }
  ~ConfigFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path Write(const std::string& name, const std::string& bytes) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }
  // The text with the folder's path for each "FOLDER".
  std::string Filled(std::string text) const {
    const std::string name = "FOLDER";
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
      text.replace(at, name.size(), path_.string());
    }
    return text;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace autodidact::launch
