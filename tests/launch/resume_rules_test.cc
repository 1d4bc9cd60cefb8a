#include "launch/train/resume_rules.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "json/json.h"
#include "launch/wiring/wiring.h"
#include "model/folder.h"
#include "tests/learner/tiny_model.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

class ResumeRulesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("resume_rules_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    MakeModel("model", 1);
    config_.model = (folder_ / "model").string();
    config_.data.train = "a.jsonl";
  }
  void TearDown() override { fs::remove_all(folder_); }

  void MakeModel(const std::string& name, std::uint64_t seed) {
    const fs::path model = folder_ / name;
    fs::create_directories(model);
    model::SaveModel(*learner::TinyModel(seed), at::kFloat, model, {});
    json::WriteFile(model / "tokenizer.json", "{\"version\": \"1.0\"}");
    json::WriteFile(model / "tokenizer_config.json", R"({"chat_template": "{{ x }}", "name_or_path": "here"})");
  }
  data::RunFacts Facts(const RunConfig& config) const {
    return FactsOf(config, prompts_, supervision_, *model::LoadModel(config.model, at::kFloat, at::kCPU));
  }
  // The changes of a config, or of what it reads, to that of the test.
  Changes To(const RunConfig& other) const { return Compare(Facts(config_), Facts(other)); }

  fs::path folder_;
  RunConfig config_;
  std::vector<schema::Prompt> prompts_ = {{.id = "1", .text = "one", .messages = {}},
                                          {.id = "2", .text = "two", .messages = {}}};
  std::vector<schema::Supervision> supervision_ = {{}, {}};
};

using Strings = std::vector<std::string>;

TEST_F(ResumeRulesTest, EveryKeyOfTheConfigHasTheRuleOfItsDescription) {
  const auto keys = KeysOf(RunConfig{});
  EXPECT_GT(keys.size(), 100u);
  for (const auto& [key, value] : keys) {
    EXPECT_TRUE(RuleOf(key)) << key;
  }
  EXPECT_EQ(RuleOf("train.num_generations"), OnResume::kMustStay);
  EXPECT_EQ(RuleOf("train.beta"), OnResume::kMayChange);
  EXPECT_EQ(RuleOf("data.train"), OnResume::kByContent);
  EXPECT_EQ(RuleOf("timeouts.step"), OnResume::kMayChange);
  EXPECT_EQ(RuleOf("prompt.template_variables.enable_thinking"), OnResume::kMustStay);
  EXPECT_FALSE(RuleOf("train.unheard_of"));
  EXPECT_FALSE(RuleOf("unheard_of"));
  EXPECT_FALSE(RuleOf(""));
}

TEST_F(ResumeRulesTest, EveryPathOfTheConfigIsComparedByContentOrMayChange) {
  RunConfig config = config_;
  config.data = {.train = "t", .references = "r", .labels = "l"};
  config.eval.data = "e";
  config.prompt.chat.file = "c";
  config.judge.model.folder = "j";
  Strings keys;
  for (const auto& [key, path] : FilesRead(config)) {
    keys.push_back(key);
    EXPECT_NE(RuleOf(key), OnResume::kMustStay) << key;
  }
  EXPECT_EQ(keys, (Strings{"model", "data.train", "data.references", "data.labels", "eval.data", "prompt.template",
                           "judge.model.folder"}));
}

TEST_F(ResumeRulesTest, NothingChangedIsNothingToSay) {
  const Changes changes = To(config_);
  EXPECT_EQ(changes.refused, Strings{});
  EXPECT_EQ(changes.allowed, Strings{});
}

TEST_F(ResumeRulesTest, WhatMayChangeIsNamedWithBothValues) {
  RunConfig other = config_;
  other.train.trainer.optimizer.learning_rate = 1e-3;
  other.train.max_steps = 20;
  other.train.save_steps = 7;
  other.threads.actor = 3;
  other.placement.ranks = {"learner", "actor", "judge"};
  other.timeouts.step = 60;
  other.network.address = "10.0.0.1";
  const Changes changes = To(other);
  EXPECT_EQ(changes.refused, Strings{});
  EXPECT_EQ(changes.allowed,
            (Strings{"network.address: auto → 10.0.0.1", "placement.ranks: [] → [learner, actor, judge]",
                     "threads.actor: 0 → 3", "timeouts.step: 600 → 60", "train.learning_rate: 5e-07 → 0.001",
                     "train.max_steps: 1000 → 20", "train.save_steps: 100 → 7"}));
}

TEST_F(ResumeRulesTest, WhatIsSampledAskedAndRewardedMustStay) {
  const std::vector<std::pair<std::string, std::function<void(RunConfig&)>>> changes = {
      {"seed: 0 → 3", [](RunConfig& c) { c.seed = 3; }},
      {"dtype: float32 → bfloat16", [](RunConfig& c) { c.dtype = Dtype::kBFloat16; }},
      {"estimator: synthesis → majority", [](RunConfig& c) { c.estimator = estimators::EstimatorKind::kMajority; }},
      {"data.shuffle: true → false", [](RunConfig& c) { c.data.shuffle = false; }},
      {"prompt.system: (nothing) → Be brief.", [](RunConfig& c) { c.prompt.system = "Be brief."; }},
      {"rollout.temperature: 1 → 0.9", [](RunConfig& c) { c.rollout.temperature = 0.9; }},
      {"rollout.stop: [] → [.]", [](RunConfig& c) { c.rollout.stop_strings = {"."}; }},
      {"anchor.sampling.top_k: 0 → 5", [](RunConfig& c) { c.anchor.sampling.top_k = 5; }},
      {"anchor.candidate: {text} → | {text}", [](RunConfig& c) { c.anchor.prompt.candidate = "| {text}"; }},
      {"answer.comparator: exact → math", [](RunConfig& c) { c.answer.comparator = Comparison::kMathematics; }},
      {"answer.extractor: boxed → whole", [](RunConfig& c) { c.answer.extractor = answers::Extractor::kWholeText; }},
      {"judge.kind: program → rubric",
       [](RunConfig& c) {
         c.judge.judging.kind = judge_service::JudgeKind::kRubric, c.judge.backend = JudgeBackend::kEndpoint;
       }},
      {"rubric.min_criteria: 5 → 2", [](RunConfig& c) { c.rubric.min_criteria = 2; }},
      {"train.num_generations: 8 → 4", [](RunConfig& c) { c.train.num_generations = 4; }},
      {"train.groups_per_step: 32 → 2", [](RunConfig& c) { c.train.groups_per_step = 2; }},
      {"train.loss_type: grpo → dapo", [](RunConfig& c) { c.train.trainer.loss.type = learner::LossType::kDapo; }},
      {"select.choices: [] → [a, b]",
       [](RunConfig& c) {
         c.select.choices = {"a", "b"};
       }},
  };
  for (const auto& [text, change] : changes) {
    RunConfig other = config_;
    change(other);
    const Strings refused = To(other).refused;
    ASSERT_FALSE(refused.empty()) << text;
    EXPECT_NE(std::find(refused.begin(), refused.end(), text), refused.end()) << refused.front();
  }
}

TEST_F(ResumeRulesTest, OtherWeightsAreRefusedAndAMovedFolderIsNot) {
  MakeModel("other", 2);
  fs::copy(folder_ / "model", folder_ / "moved");
  json::WriteFile(folder_ / "moved/tokenizer_config.json", R"({"name_or_path":"there","chat_template":"{{ x }}"})");
  RunConfig other = config_;
  other.model = (folder_ / "moved").string();
  Changes changes = To(other);
  EXPECT_EQ(changes.refused, Strings{});
  ASSERT_EQ(changes.allowed.size(), 1u);
  EXPECT_TRUE(changes.allowed[0].starts_with("model: ")) << changes.allowed[0];
  EXPECT_NE(changes.allowed[0].find("of equal content"), std::string::npos);

  other.model = (folder_ / "other").string();
  changes = To(other);
  ASSERT_EQ(changes.refused.size(), 1u);
  EXPECT_NE(changes.refused[0].find("the weights of the initial model changed"), std::string::npos)
      << changes.refused[0];
  EXPECT_EQ(changes.allowed, Strings{});
}

TEST_F(ResumeRulesTest, AnotherModelUnderTheSameNameIsRefused) {
  const data::RunFacts then = Facts(config_);
  MakeModel("model", 2);
  json::WriteFile(folder_ / "model/tokenizer.json", "{\"version\": \"2.0\"}");
  json::WriteFile(folder_ / "model/chat_template.jinja", "{{ y }}");
  const Changes changes = Compare(then, Facts(config_));
  ASSERT_EQ(changes.refused.size(), 1u);
  for (const char* what : {"model: ", "the weights", "the tokenizer", "the chat template"}) {
    EXPECT_NE(changes.refused[0].find(what), std::string::npos) << changes.refused[0];
  }
}

TEST_F(ResumeRulesTest, RowsAreComparedByContentAndOrder) {
  const data::RunFacts then = Facts(config_);
  RunConfig moved = config_;
  moved.data.train = "elsewhere/a.jsonl";
  moved.data.limit = 2;
  EXPECT_EQ(Compare(then, Facts(moved)).refused, Strings{});
  EXPECT_EQ(Compare(then, Facts(moved)).allowed.size(), 2u);

  const auto original = prompts_;
  const std::vector<std::function<void()>> changes = {[&] { std::swap(prompts_[0], prompts_[1]); },
                                                      [&] { prompts_.pop_back(); },
                                                      [&] { prompts_[1].text = "tow"; },
                                                      [&] { prompts_[1].id = "3"; },
                                                      [&] {
                                                        prompts_[1].messages = {{"user", "two"}};
                                                      },
                                                      [&] { prompts_[0].text = "onetwo", prompts_[1].text = ""; }};
  for (const auto& change : changes) {
    prompts_ = original;
    change();
    const Strings same_file = Compare(then, Facts(config_)).refused;
    ASSERT_EQ(same_file.size(), 1u);
    EXPECT_EQ(same_file[0], "data.train: a.jsonl (the rows, or their order changed)");
    const Strings other_file = Compare(then, Facts(moved)).refused;
    ASSERT_EQ(other_file.size(), 1u);
    EXPECT_EQ(other_file[0],
              "data.train: a.jsonl → elsewhere/a.jsonl, data.limit: 0 → 2 (the rows, or their order changed)");
  }
}

TEST_F(ResumeRulesTest, ReferencesAndLabelsAreComparedByContent) {
  RunConfig with = config_;
  with.data.references = "r.jsonl";
  supervision_[0] = schema::MadeReference{"1"};
  const data::RunFacts then = Facts(with);
  supervision_[0] = schema::MadeReference{"2"};
  EXPECT_EQ(Compare(then, Facts(with)).refused, Strings{"data.references: r.jsonl (the references changed)"});
  supervision_[0] = schema::Labels{{"1"}};
  config_.data.labels = "l.jsonl";
  const data::RunFacts labelled = Facts(config_);
  supervision_[0] = schema::Labels{{"2"}};
  EXPECT_EQ(Compare(labelled, Facts(config_)).refused,
            Strings{"data.labels: l.jsonl (the labels, or what else is read of a row changed)"});
}

TEST_F(ResumeRulesTest, AKeyThatTheCheckpointDoesNotKnowHadItsDefault) {
  data::RunFacts then = Facts(config_);
  then.keys.erase("seed");
  then.keys.erase("train.beta");
  EXPECT_EQ(Compare(then, Facts(config_)).refused, Strings{});
  RunConfig other = config_;
  other.seed = 1;
  EXPECT_EQ(Compare(then, Facts(other)).refused, Strings{"seed: 0 → 1"});
  then.keys["rollout.forgotten"] = "7";
  EXPECT_EQ(Compare(then, Facts(config_)).refused, Strings{"rollout.forgotten: 7 → (nothing)"});
}

TEST_F(ResumeRulesTest, LongTextsAreShownWhereTheyDiffer) {
  config_.anchor.prompt.instruction = std::string(200, 'x') + "é einmal {candidates}" + std::string(100, 'y');
  RunConfig other = config_;
  other.anchor.prompt.instruction = std::string(200, 'x') + "é zweimal {candidates}" + std::string(100, 'y');
  const Strings refused = To(other).refused;
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_NE(refused[0].find("einmal"), std::string::npos) << refused[0];
  EXPECT_NE(refused[0].find("zweimal"), std::string::npos) << refused[0];
  EXPECT_LT(refused[0].size(), 200u);
}

TEST_F(ResumeRulesTest, ARefusalNamesEveryChangeAndTheCheckpoint) {
  RunConfig other = config_;
  other.seed = 3;
  other.train.num_generations = 4;
  other.train.trainer.optimizer.learning_rate = 1;
  try {
    RequireSameRun("runs/a/checkpoints/step_000004", Facts(config_), Facts(other));
    FAIL() << "it was taken";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    for (const char* part : {"seed: 0 → 3", "train.num_generations: 8 → 4", "runs/a/checkpoints/step_000004"}) {
      EXPECT_NE(error.message().find(part), std::string::npos) << error.message();
    }
    EXPECT_EQ(error.message().find("learning_rate"), std::string::npos);
  }
  other = config_;
  other.train.trainer.optimizer.learning_rate = 1;
  EXPECT_EQ(RequireSameRun("c", Facts(config_), Facts(other)), Strings{"train.learning_rate: 5e-07 → 1"});
}

}  // namespace
}  // namespace autodidact::launch
