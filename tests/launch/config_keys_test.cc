// The descriptions of the configs: no key without a rule, a default that obeys it, and a sentence about it.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "base/error.h"
#include "launch/config/describe_run.h"
#include "launch/config/describe_sft.h"
#include "tests/launch/config_folder.h"

namespace autodidact::launch {
namespace {

std::string ErrorOf(const std::function<void()>& read) {
  try {
    read();
  } catch (const base::Error& error) {
    return error.message();
  }
  return {};
}

bool IsNumber(const KeyInfo& key) {
  return key.expected.find("number") != std::string::npos;
}

TEST(ConfigKeysTest, EveryKeyHasASentenceAndNoNameIsThereTwice) {
  for (const auto& keys : {RunKeys(), SftKeys()}) {
    std::map<std::string, int> names;
    for (const KeyInfo& key : keys) {
      EXPECT_EQ(++names[key.name], 1) << key.name;
      EXPECT_GT(key.help.size(), 5u) << key.name;
      EXPECT_FALSE(key.expected.empty()) << key.name;
    }
  }
  EXPECT_GT(RunKeys().size(), 100u);
}

TEST(ConfigKeysTest, EveryDefaultObeysItsRule) {
  const ConfigFolder folder;
  const auto run = folder.Write("run.yaml", ToYaml(RunConfig{.model = (folder.path() / "model").string()}));
  EXPECT_EQ(ErrorOf([&] { ReadRunConfig(run, {"rollout.max_completion_length=256"}); }), "");
  SftConfig sft{.output = "out", .data = {{.file = (folder.path() / "data.jsonl").string()}}};
  EXPECT_EQ(ErrorOf([&] { ReadSftConfig(folder.Write("sft.yaml", ToYaml(sft)), {}); }), "");
}

// 2^62, 2^32 + 2, 1e300 and their kin: what does not fit into the types behind the keys never gets there.
TEST(ConfigKeysTest, EveryNumberIsBoundedWhereItIsRead) {
  const ConfigFolder folder;
  const auto run = folder.Write("run.yaml", folder.Filled("model: FOLDER/model\n"));
  const auto sft = folder.Write("sft.yaml", folder.Filled("output: out\ndata: [{file: FOLDER/data.jsonl}]\n"));
  const auto expect_refused = [&](const std::filesystem::path& file, std::string name, const KeyInfo& key, auto read) {
    if (const auto list = name.find("[]"); list != std::string::npos) name.replace(list, 2, "[0]");
    const bool of_list = key.expected.starts_with("a list");
    for (const std::string value : {"1e300", "-1e300", "4611686018427387904", "4294967298", "-4294967298", "nan", "inf",
                                    "99999999999999999999999", "-1000001"}) {
      if (name == "seed" && value[0] >= '0' && value[0] <= '9' && value.size() < 20 && value[1] != 'e') continue;
      if (name == "engine.cache_tokens" && value == "4294967298") continue;  // 2^32 tokens of a large machine
      const std::string override = name + "=" + (of_list ? "[" + value + "]" : value);
      EXPECT_NE(ErrorOf([&] {
                  read(file, std::vector<std::string>{override});
                }).find(name + (of_list ? "[0]" : "") + ": got"),
                std::string::npos)
          << override;
    }
  };
  for (const KeyInfo& key : RunKeys()) {
    if (IsNumber(key)) expect_refused(run, key.name, key, [](const auto& f, const auto& o) { ReadRunConfig(f, o); });
  }
  for (const KeyInfo& key : SftKeys()) {
    if (IsNumber(key)) expect_refused(sft, key.name, key, [](const auto& f, const auto& o) { ReadSftConfig(f, o); });
  }
}

}  // namespace
}  // namespace autodidact::launch
