#include "launch/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "launch/training.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("config_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_ / "model");
    std::ofstream(folder_ / "data.jsonl") << R"({"prompt": "a"})"
                                          << "\n";
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path Write(const std::string& text) {
    const fs::path file = folder_ / "config.yaml";
    std::ofstream(file) << "model: " << (folder_ / "model").string() << "\n" << text;
    return file;
  }

  // The message of the error that reading the config gives.
  std::string ErrorOf(const std::string& text, const std::vector<std::string>& overrides = {}) {
    try {
      ReadRunConfig(Write(text), overrides);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      return error.message();
    }
    ADD_FAILURE() << "accepted: " << text;
    return {};
  }

  fs::path folder_;
};

TEST_F(ConfigTest, DefaultsArePapersWhereTheyAreKnown) {
  const RunConfig config = ReadRunConfig(Write(""), {});
  EXPECT_EQ(config.train.learning_rate, 5e-7);
  EXPECT_EQ(config.train.beta, 1e-3);
  EXPECT_EQ(config.train.num_generations, 8);
  EXPECT_EQ(config.train.epsilon, 0.2);
}

TEST_F(ConfigTest, AKeyThatIsGivenTwiceIsAnErrorWithItsLine) {
  const std::string message = ErrorOf("train: {max_steps: 1}\nseed: 1\ntrain: {max_steps: 2}\n");
  EXPECT_NE(message.find("config.yaml:4: train is given twice"), std::string::npos) << message;
  EXPECT_NE(ErrorOf("train: {max_steps: 1, max_steps: 2}\n").find("train.max_steps"), std::string::npos);
}

TEST_F(ConfigTest, NumbersThatMeanNothingAreErrors) {
  for (const char* key : {"seed", "train.epsilon", "train.warmup_steps", "train.save_steps", "train.max_grad_norm",
                          "train.adam_beta2", "engine.cache_tokens", "threads.learner", "data.limit", "eval.steps"}) {
    EXPECT_NE(ErrorOf("", {std::string(key) + "=-1"}).find(key), std::string::npos) << key;
  }
  for (const char* value : {"nan", "inf", "-inf"}) {
    const std::string message = ErrorOf("", {std::string("train.learning_rate=") + value});
    EXPECT_NE(message.find("expected a number"), std::string::npos) << message;
    EXPECT_EQ(message.find("config.yaml:"), message.find("config.yaml: ")) << "no line of the file: " << message;
  }
}

TEST_F(ConfigTest, OneDocumentInUtf8IsAConfig) {
  EXPECT_NE(ErrorOf("name: \xe9\n").find("UTF-8"), std::string::npos);
  EXPECT_NE(ErrorOf("---\nseed: 2\n").find("several YAML documents"), std::string::npos);
}

TEST_F(ConfigTest, ProgramsHaveNoMajorityAndNoVerifier) {
  EXPECT_EQ(ReadRunConfig(Write("answer: {comparator: code, code: {jobs: 3}}\n"), {}).answer.code.jobs, 3);
  EXPECT_NE(ErrorOf("answer: {comparator: code}\nestimator: majority\n").find("majority"), std::string::npos);
  EXPECT_NE(ErrorOf("answer: {comparator: code, verifier: [x]}\n").find("answer.verifier"), std::string::npos);
  EXPECT_NE(ErrorOf("answer: {comparator: maths}\n").find("exact or math"), std::string::npos);
}

TEST_F(ConfigTest, AnUnknownKeyIsAnErrorWithLineAndSuggestion) {
  const std::string message = ErrorOf("train:\n  num_generation: 4\n");
  EXPECT_NE(message.find("config.yaml:3"), std::string::npos) << message;
  EXPECT_NE(message.find("train.num_generation"), std::string::npos) << message;
  EXPECT_NE(message.find("did you mean num_generations?"), std::string::npos) << message;
}

TEST_F(ConfigTest, AWrongTypeSaysWhatWasFoundAndExpected) {
  EXPECT_NE(ErrorOf("train: {max_steps: many}\n").find("got \"many\", expected a whole number"), std::string::npos);
  EXPECT_NE(ErrorOf("train: {max_steps: 1.5}\n").find("expected a whole number"), std::string::npos);
  EXPECT_NE(ErrorOf("train: 7\n").find("expected a mapping"), std::string::npos);
  EXPECT_NE(ErrorOf("data: {shuffle: maybe}\n").find("expected true or false"), std::string::npos);
  EXPECT_NE(ErrorOf("rollout: {stop: x}\n").find("expected a list"), std::string::npos);
}

TEST_F(ConfigTest, ValuesOutOfRangeAndUnknownNamesAreErrors) {
  EXPECT_NE(ErrorOf("train: {num_generations: 1}\n").find("train.num_generations"), std::string::npos);
  EXPECT_NE(ErrorOf("train: {loss_type: ppo}\n").find("expected grpo, dapo"), std::string::npos);
  EXPECT_NE(ErrorOf("estimator: oracle\n").find("estimator"), std::string::npos);
  EXPECT_NE(ErrorOf("rollout: {top_p: 1.5}\n").find("rollout.top_p"), std::string::npos);
  EXPECT_NE(ErrorOf("anchor: {instruction: hello}\n").find("{candidates}"), std::string::npos);
}

TEST_F(ConfigTest, AMissingFileIsAnErrorThatNamesKeyAndPath) {
  const std::string message = ErrorOf("data: {train: nowhere.jsonl}\n");
  EXPECT_NE(message.find("data.train"), std::string::npos);
  EXPECT_NE(message.find("nowhere.jsonl"), std::string::npos);
  EXPECT_THROW(ReadRunConfig(folder_ / "absent.yaml", {}), base::Error);
}

TEST_F(ConfigTest, YamlThatDoesNotParseIsAnErrorWithItsLine) {
  EXPECT_NE(ErrorOf("train: {max_steps: 1\n").find("config.yaml:"), std::string::npos);
}

TEST_F(ConfigTest, OverridesReplaceKeysOfAnyDepth) {
  const RunConfig config = ReadRunConfig(
      Write("train: {max_steps: 3}\n"),
      {"train.max_steps=9", "train.importance_sampling.mode=truncate", "eval.group_sizes=[2, 4]", "name=other"});
  EXPECT_EQ(config.train.max_steps, 9);
  EXPECT_EQ(config.train.importance_sampling.mode, "truncate");
  EXPECT_EQ(config.eval.group_sizes, (std::vector<std::int64_t>{2, 4}));
  EXPECT_EQ(config.name, "other");
  EXPECT_NE(ErrorOf("", {"train.max_step=9"}).find("did you mean max_steps?"), std::string::npos);
  EXPECT_NE(ErrorOf("", {"train.max_steps"}).find("KEY=VALUE"), std::string::npos);
}

TEST_F(ConfigTest, TheResolvedConfigReadsBackAsItself) {
  RunConfig config =
      ReadRunConfig(Write("train: {learning_rate: 3e-5, beta: 0.1}\nanchor: {separator: \"\\n\\n\"}\n"), {});
  const fs::path resolved = folder_ / "resolved.yaml";
  std::ofstream(resolved) << ToYaml(config);
  EXPECT_EQ(ToYaml(ReadRunConfig(resolved, {})), ToYaml(config));
}

TEST_F(ConfigTest, RolesArePlacedLearnersFirst) {
  const RunConfig config = ReadRunConfig(Write(""), {});
  EXPECT_EQ(PlaceRoles(config, 5), (std::vector<std::string>{"learner", "learner", "actor", "anchor", "judge"}));
  EXPECT_THROW(PlaceRoles(config, 3), base::Error);
  RunConfig other = config;
  other.placement.ranks = {"learner", "actor", "judge"};
  EXPECT_THROW(PlaceRoles(other, 3), base::Error);  // synthesis without an anchor
  other.estimator = "majority";
  EXPECT_EQ(PlaceRoles(other, 3).size(), 3u);
  EXPECT_THROW(PlaceRoles(other, 4), base::Error);
}

// The keys of a rubric run with a judge model of its own.
constexpr const char* kRubricRun = "answer: {extractor: whole}\njudge:\n  kind: rubric\n  model: {folder: JUDGE}\n";

TEST_F(ConfigTest, ARubricRunNeedsAJudgeOfItsOwn) {
  fs::create_directories(folder_ / "judge");
  const auto run = [&](const fs::path& judge) {
    std::string text = kRubricRun;
    return text.replace(text.find("JUDGE"), 5, judge.string());
  };
  EXPECT_EQ(ReadRunConfig(Write(run(folder_ / "judge")), {}).rubric.min_criteria, 5);
  fs::create_directory_symlink(folder_ / "model", folder_ / "alias");
  for (const char* same : {"model", "alias"}) {
    const std::string message = ErrorOf(run(folder_ / same));
    EXPECT_NE(message.find("judge.allow_same_model"), std::string::npos) << message;
    EXPECT_NO_THROW(ReadRunConfig(Write(run(folder_ / same)), {"judge.allow_same_model=true"}));
  }
  EXPECT_NE(ErrorOf(run(folder_ / "judge"), {"answer.extractor=boxed"}).find("answer.extractor"), std::string::npos);
  EXPECT_NE(ErrorOf(run(folder_ / "judge"), {"rubric.format=yaml"}).find("rubric.format"), std::string::npos);
  EXPECT_NE(ErrorOf(run(folder_ / "judge"), {"rubric.max_criteria=4"}).find("rubric.max_criteria"), std::string::npos);
  EXPECT_NE(ErrorOf(run(folder_ / "judge"), {"judge.instruction=\"{response}\""}).find("{criterion}"),
            std::string::npos);
  EXPECT_NE(ErrorOf(run(folder_ / "none")).find("judge.model.folder"), std::string::npos);
}

TEST_F(ConfigTest, AnEndpointJudgeNeedsAddressAndModelAndItsKeyIsNeverInTheConfig) {
  const std::string run =
      "answer: {extractor: whole}\njudge:\n  kind: rubric\n  backend: endpoint\n  endpoint:\n    base_url: "
      "http://127.0.0.1:1/v1\n    model: judge\n    api_key_env: JUDGE_KEY_OF_THE_TEST\n";
  const RunConfig config = ReadRunConfig(Write(run), {});
  ::setenv("JUDGE_KEY_OF_THE_TEST", "sk-very-secret", 1);
  EXPECT_EQ(ToYaml(config).find("sk-very-secret"), std::string::npos);
  EXPECT_NE(ToYaml(config).find("JUDGE_KEY_OF_THE_TEST"), std::string::npos);
  for (const char* broken :
       {"judge.endpoint.base_url=localhost:8000", "judge.endpoint.model=", "judge.endpoint.timeout=0",
        "judge.endpoint.concurrency=0", "judge.backend=service", "judge.kind=rubrics"}) {
    ErrorOf(run, {broken});
  }
}

}  // namespace
}  // namespace autodidact::launch
