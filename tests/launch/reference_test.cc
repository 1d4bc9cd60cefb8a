// What the description of the configs says to people and to editors.
#include "launch/config/reference.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/error.h"
#include "json/json.h"
#include "launch/config/sft_config.h"
#include "launch/config/visitor.h"
#include "tests/paths.h"

namespace autodidact::launch {
namespace {

// The schema of one key, found as an editor finds it.
json::Json Find(const json::Json& root, const std::string& name) {
  json::Json at = root;
  std::istringstream parts(name);
  for (std::string part; std::getline(parts, part, '.');) {
    const bool list = part.ends_with("[]");
    if (list) part.resize(part.size() - 2);
    at = at.at("properties").at(part);
    if (list) at = json::Json(at.at("items"));
  }
  return at;
}

TEST(ConfigReferenceTest, ThePageInDocsIsTheDescriptions) {
  std::ifstream in(tests::SourceFolder() / "docs/config.md");
  std::ostringstream page;
  page << in.rdbuf();
  EXPECT_EQ(page.str(), ConfigPage()) << "write it anew: autodidact config --page > docs/config.md";
}

TEST(ConfigReferenceTest, TheSchemaHasEveryKeyWithItsBounds) {
  for (const bool sft : {false, true}) {
    const json::Json schema = json::Parse(ConfigSchema(sft), "schema");
    for (const KeyInfo& key : sft ? SftKeys() : RunKeys()) EXPECT_TRUE(Find(schema, key.name).contains("type"));
    EXPECT_EQ(schema.at("additionalProperties"), false);
  }
  const json::Json run = json::Parse(ConfigSchema(false), "schema");
  EXPECT_EQ(Find(run, "train.num_generations").at("minimum"), 2);
  EXPECT_EQ(Find(run, "train.num_generations").at("type"), "integer");
  EXPECT_EQ(Find(run, "train.beta").at("maximum"), 100);
  EXPECT_EQ(Find(run, "train.kl_in").at("enum"), json::Json::array({"loss", "reward"}));
  EXPECT_EQ(Find(run, "eval.group_sizes").at("type"), "array");
  EXPECT_EQ(Find(run, "eval.group_sizes").at("items").at("type"), "integer");
  EXPECT_EQ(Find(json::Parse(ConfigSchema(true), "schema"), "data[].weight").at("type"), "number");
}

TEST(ConfigReferenceTest, HelpIsFoundByKeySectionLastNameAndOtherProgramsNames) {
  EXPECT_TRUE(KeyHelp("train.beta", false).starts_with("train.beta: 0.001\n"));
  EXPECT_NE(KeyHelp("collapse", false).find("collapse.patience: "), std::string::npos);
  EXPECT_NE(KeyHelp("beta", false).find("train.beta: "), std::string::npos);
  EXPECT_NE(KeyHelp("lr", false).find("train.learning_rate: "), std::string::npos);
  EXPECT_NE(KeyHelp("data", true).find("data[].weight: "), std::string::npos);
  try {
    KeyHelp("train.bata", false);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    EXPECT_NE(error.message().find("train.beta"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace autodidact::launch
