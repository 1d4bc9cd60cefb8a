#include "launch/config/run_config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "tests/launch/config_folder.h"
#include "tests/paths.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

class ConfigTest : public testing::Test {
 protected:
  fs::path Write(const std::string& text) {
    return folder_.Write("config.yaml", folder_.Filled("model: FOLDER/model\n" + text));
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

  ConfigFolder folder_;
};

TEST_F(ConfigTest, DefaultsArePapersWhereTheyAreKnown) {
  const RunConfig config = ReadRunConfig(Write(""), {});
  EXPECT_EQ(config.train.trainer.optimizer.learning_rate, 5e-7);
  EXPECT_EQ(config.train.trainer.loss.beta, 1e-3);
  EXPECT_EQ(config.train.num_generations, 8);
  EXPECT_EQ(config.train.trainer.loss.epsilon, 0.2);
}

TEST_F(ConfigTest, AKeyThatIsGivenTwiceIsAnErrorWithItsLine) {
  const std::string message = ErrorOf("train: {max_steps: 1}\nseed: 1\ntrain: {max_steps: 2}\n");
  EXPECT_NE(message.find("config.yaml:4: train: got it twice, first in "), std::string::npos) << message;
  EXPECT_NE(ErrorOf("train: {max_steps: 1, max_steps: 2}\n").find("train.max_steps"), std::string::npos);
}

TEST_F(ConfigTest, NumbersThatMeanNothingAreErrors) {
  for (const char* key : {"seed", "train.epsilon", "train.warmup_steps", "train.save_steps", "train.max_grad_norm",
                          "train.adam_beta2", "engine.cache_tokens", "threads.learner", "data.limit", "eval.steps"}) {
    EXPECT_NE(ErrorOf("", {std::string(key) + "=-1"}).find(key), std::string::npos) << key;
  }
}

TEST_F(ConfigTest, WhatIsGivenByAnOverrideIsNamedByItAndHasNoLineOfTheFile) {
  const std::string message = ErrorOf("", {"train.learning_rate=nan"});
  EXPECT_EQ(message.find("config.yaml:"), std::string::npos) << message;
  EXPECT_NE(message.find("--set train.learning_rate=nan: train.learning_rate: got \"nan\", expected a number"),
            std::string::npos)
      << message;
}

TEST_F(ConfigTest, OneDocumentInUtf8IsAConfig) {
  EXPECT_NE(ErrorOf("name: \xe9\n").find("UTF-8"), std::string::npos);
  EXPECT_NE(ErrorOf("---\nseed: 2\n").find("several YAML documents"), std::string::npos);
}

// yaml-cpp takes it for one empty document after another, without end.
TEST_F(ConfigTest, WhatNoDocumentBeginsWithIsRefused) {
  for (const char* text : {",output: out\nmodel: base\n", "]\n", "}: x\n"}) {
    try {
      ReadRunConfig(folder_.Write("config.yaml", text), {});
      ADD_FAILURE() << "accepted: " << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      EXPECT_NE(error.message().find("config.yaml"), std::string::npos) << error.message();
    }
  }
}

TEST_F(ConfigTest, ProgramsHaveNoMajorityAndNoVerifier) {
  EXPECT_EQ(ReadRunConfig(Write("answer: {comparator: code, code: {jobs: 3}}\n"), {}).answer.code.judge.jobs, 3);
  EXPECT_NE(ErrorOf("answer: {comparator: code}\nestimator: majority\n").find("majority"), std::string::npos);
  EXPECT_NE(ErrorOf("answer: {comparator: code, verifier: [x]}\n").find("answer.verifier"), std::string::npos);
  EXPECT_NE(ErrorOf("answer: {comparator: maths}\n").find("expected one of exact, math, code"), std::string::npos);
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
  EXPECT_NE(ErrorOf("train: 7\n").find("expected a section"), std::string::npos);
  EXPECT_NE(ErrorOf("data: {shuffle: maybe}\n").find("expected true or false"), std::string::npos);
  EXPECT_NE(ErrorOf("rollout: {stop: x}\n").find("expected a list"), std::string::npos);
}

TEST_F(ConfigTest, ValuesOutOfRangeAndUnknownNamesAreErrors) {
  EXPECT_NE(ErrorOf("train: {num_generations: 1}\n").find("train.num_generations"), std::string::npos);
  EXPECT_NE(ErrorOf("train: {loss_type: ppo}\n").find("expected one of grpo, dapo"), std::string::npos);
  EXPECT_NE(ErrorOf("estimator: oracle\n").find("estimator"), std::string::npos);
  EXPECT_NE(ErrorOf("rollout: {top_p: 1.5}\n").find("rollout.top_p"), std::string::npos);
  EXPECT_NE(ErrorOf("anchor: {instruction: hello}\n").find("{candidates}"), std::string::npos);
}

TEST_F(ConfigTest, AMissingFileIsAnErrorThatNamesKeyAndPath) {
  const std::string message = ErrorOf("data: {train: nowhere.jsonl}\n");
  EXPECT_NE(message.find("data.train"), std::string::npos);
  EXPECT_NE(message.find("nowhere.jsonl"), std::string::npos);
  EXPECT_THROW(ReadRunConfig(folder_.path() / "absent.yaml", {}), base::Error);
}

TEST_F(ConfigTest, YamlThatDoesNotParseIsAnErrorWithItsLine) {
  EXPECT_NE(ErrorOf("train: {max_steps: 1\n").find("config.yaml:"), std::string::npos);
}

TEST_F(ConfigTest, OverridesReplaceKeysOfAnyDepth) {
  const RunConfig config = ReadRunConfig(
      Write("train: {max_steps: 3}\n"),
      {"train.max_steps=9", "train.importance_sampling.mode=truncate", "eval.group_sizes=[2, 4]", "name=other"});
  EXPECT_EQ(config.train.max_steps, 9);
  EXPECT_EQ(config.train.trainer.loss.importance_sampling.mode, learner::CorrectionMode::kTruncate);
  EXPECT_EQ(config.eval.group_sizes, (std::vector<std::int64_t>{2, 4}));
  EXPECT_EQ(config.name, "other");
  EXPECT_NE(ErrorOf("", {"train.max_step=9"}).find("did you mean max_steps?"), std::string::npos);
  EXPECT_NE(ErrorOf("", {"train.max_steps"}).find("KEY=VALUE"), std::string::npos);
}

TEST_F(ConfigTest, TheResolvedConfigReadsBackAsItself) {
  RunConfig config =
      ReadRunConfig(Write("train: {learning_rate: 3e-5, beta: 0.1}\nanchor: {separator: \"\\n\\n\"}\n"), {});
  const fs::path resolved = folder_.Write("resolved.yaml", ToYaml(config));
  EXPECT_EQ(ToYaml(ReadRunConfig(resolved, {})), ToYaml(config));
}

// The children of a run under mpirun read it, and people do.
TEST_F(ConfigTest, TheResolvedConfigReadsBackWithoutAWarning) {
  const fs::path resolved = folder_.Write("resolved.yaml", ToYaml(ReadRunConfig(Write("train: {beta: 0.1}\n"), {})));
  testing::internal::CaptureStdout();
  ReadRunConfig(resolved, {});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  testing::internal::CaptureStdout();
  ReadRunConfig(resolved, {"train.importance_sampling.clip_max=77"});
  EXPECT_NE(testing::internal::GetCapturedStdout().find("clip_max: has no effect"), std::string::npos);
}

TEST_F(ConfigTest, TemplateVariablesAreAnyMapping) {
  const std::string text =
      "prompt: {template_variables: {enable_thinking: false, n: 3, x: 0.5, s: \"3\", l: [a, null]}}\n";
  const RunConfig config = ReadRunConfig(Write(text), {"prompt.template_variables.more=true"});
  EXPECT_EQ(config.prompt.chat.variables,
            R"({"enable_thinking":false,"n":3,"x":0.5,"s":"3","l":["a",null],"more":true})");
  const fs::path resolved = folder_.Write("resolved.yaml", ToYaml(config));
  EXPECT_EQ(ReadRunConfig(resolved, {}).prompt.chat.variables, config.prompt.chat.variables);
  EXPECT_EQ(ReadRunConfig(Write("prompt: {template_variables: {}}\n"), {}).prompt.chat.variables, "");
  EXPECT_NE(ErrorOf("prompt: {template_variables: [1]}\n").find("template_variables: got a list, expected a mapping"),
            std::string::npos);
  EXPECT_NE(ErrorOf("prompt: {format: chatml, template_variables: {a: 1}}\n").find("prompt.template_variables"),
            std::string::npos);
}

TEST_F(ConfigTest, ATemplateIsAFileAndStandsAlone) {
  EXPECT_NE(ErrorOf("prompt: {template: /nowhere/t.jinja}\n").find("/nowhere/t.jinja"), std::string::npos);
  const std::string file = (folder_.path() / "data.jsonl").string();
  EXPECT_EQ(ReadRunConfig(Write("prompt: {template: " + file + "}\n"), {}).prompt.chat.file, file);
  EXPECT_NE(ErrorOf("prompt: {format: chatml, template: " + file + "}\n").find("expected one of them"),
            std::string::npos);
}

// The keys of a rubric run with a judge model of its own.
constexpr const char* kRubricRun = "answer: {extractor: whole}\njudge:\n  kind: rubric\n  model: {folder: JUDGE}\n";

TEST_F(ConfigTest, ARubricRunNeedsAJudgeOfItsOwn) {
  const auto run = [&](const fs::path& judge) {
    std::string text = kRubricRun;
    return text.replace(text.find("JUDGE"), 5, judge.string());
  };
  EXPECT_EQ(ReadRunConfig(Write(run(folder_.path() / "judge")), {}).rubric.min_criteria, 5);
  fs::create_directory_symlink(folder_.path() / "model", folder_.path() / "alias");
  for (const char* same : {"model", "alias"}) {
    const std::string message = ErrorOf(run(folder_.path() / same));
    EXPECT_NE(message.find("judge.allow_same_model"), std::string::npos) << message;
    EXPECT_NO_THROW(ReadRunConfig(Write(run(folder_.path() / same)), {"judge.allow_same_model=true"}));
  }
  EXPECT_NE(ErrorOf(run(folder_.path() / "judge"), {"answer.extractor=boxed"}).find("answer.extractor"),
            std::string::npos);
  EXPECT_NE(ErrorOf(run(folder_.path() / "judge"), {"rubric.format=yaml"}).find("rubric.format"), std::string::npos);
  EXPECT_NE(ErrorOf(run(folder_.path() / "judge"), {"rubric.max_criteria=4"}).find("rubric.max_criteria"),
            std::string::npos);
  EXPECT_NE(ErrorOf(run(folder_.path() / "judge"), {"judge.instruction=\"{response}\""}).find("{criterion}"),
            std::string::npos);
  EXPECT_NE(ErrorOf(run(folder_.path() / "none")).find("judge.model.folder"), std::string::npos);
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

TEST_F(ConfigTest, AllErrorsOfAFileAreShownInTheOrderOfItsLines) {
  const std::string message = ErrorOf(
      "train:\n  max_steps: soon\n  lr: 1e-6\nrollout: {top_p: 95}\ndata: {train: nowhere.jsonl}\n", {"seed=-1"});
  std::size_t last = 0;
  for (const char* part :
       {"config.yaml: 5 errors", "config.yaml:3: train.max_steps: got \"soon\"",
        "config.yaml:4: train.lr: got an unknown key, expected a key of train: did you mean learning_rate?",
        "config.yaml:5: rollout.top_p: got 95", "config.yaml:6: data.train: got \"nowhere.jsonl\"",
        "--set seed=-1: seed: got -1"}) {
    const std::size_t at = message.find(part);
    ASSERT_NE(at, std::string::npos) << part << " in\n" << message;
    EXPECT_GE(at, last) << message;
    last = at;
  }
}

TEST_F(ConfigTest, AKeyThatIsWrongIsToldOfOnce) {
  const std::string message = ErrorOf("engine: {max_rows: 0}\n");
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST_F(ConfigTest, EpsilonHighFollowsEpsilonUnlessItIsGiven) {
  EXPECT_EQ(ReadRunConfig(Write("train: {epsilon: 0.1}\n"), {}).train.trainer.loss.epsilon_high, 0.1);
  EXPECT_EQ(ReadRunConfig(Write("train: {epsilon: 0.1, epsilon_high: 0.28}\n"), {}).train.trainer.loss.epsilon_high,
            0.28);
}

TEST_F(ConfigTest, TheCollectiveTimeoutFollowsALongerStepUnlessItIsGiven) {
  EXPECT_EQ(ReadRunConfig(Write("timeouts: {step: 2000}\n"), {}).timeouts.collective, 2000);
  ErrorOf("timeouts: {step: 2000, collective: 1000}\n");
}

TEST_F(ConfigTest, AConfigOfThreeLinesAsksForAnAnswerInTheFormThatIsExtracted) {
  const auto file = folder_.Write(
      "three.yaml", folder_.Filled("name: three\nmodel: FOLDER/model\ndata: {train: FOLDER/data.jsonl}\n"));
  const RunConfig config = ReadRunConfig(file, {});
  EXPECT_EQ(config.answer.extractor, answers::Extractor::kBoxed);
  EXPECT_EQ(config.answer.comparator, Comparison::kMathematics);
  for (const std::string& text : {config.prompt.text, config.anchor.prompt.instruction}) {
    EXPECT_NE(text.find("\\boxed{}"), std::string::npos) << text;
  }
  EXPECT_NE(config.anchor.prompt.instruction.find("{candidates}"), std::string::npos);
  EXPECT_NE(config.anchor.prompt.instruction.find(config.anchor.prompt.heading), std::string::npos);
  EXPECT_FALSE(config.anchor.prompt.heading.empty());
  // Candidates and answer fit into the model's context beside each other.
  EXPECT_LE(4 * config.rollout.max_new_tokens + config.anchor.sampling.max_new_tokens, 512);
}

TEST_F(ConfigTest, TheDefaultTextsFollowTheExtractorAndGiveWayToTheConfigs) {
  EXPECT_NE(ReadRunConfig(Write("answer: {extractor: hashes}\n"), {}).prompt.text.find("####"), std::string::npos);
  EXPECT_EQ(ReadRunConfig(Write("answer: {extractor: whole}\n"), {}).prompt.text, "{prompt}");
  EXPECT_EQ(ReadRunConfig(Write("answer: {comparator: code}\n"), {}).prompt.text, "{prompt}");
  const RunConfig own =
      ReadRunConfig(Write("prompt: {text: \"Q: {prompt}\"}\nanchor: {instruction: \"{candidates} =>\"}\n"), {});
  EXPECT_EQ(own.prompt.text, "Q: {prompt}");
  EXPECT_EQ(own.anchor.prompt.instruction, "{candidates} =>");
  EXPECT_EQ(own.anchor.prompt.heading, "");
  EXPECT_EQ(own.anchor.prompt.candidate, "{text}");
}

TEST_F(ConfigTest, AModelOfSymbolsIsAskedNothingInWords) {
  const auto file = folder_.Write(
      "three.yaml", folder_.Filled("name: three\nmodel: " + (tests::SourceFolder() / "configs/demo/base").string() +
                                   "\ndata: {train: FOLDER/data.jsonl}\n"));
  const RunConfig config = ReadRunConfig(file, {});
  EXPECT_EQ(config.prompt.text, "{prompt}");
  EXPECT_EQ(config.anchor.prompt.instruction, "{candidates}");
  EXPECT_EQ(config.anchor.prompt.separator, " ");
  EXPECT_EQ(config.answer.extractor, answers::Extractor::kWholeText);
}

}  // namespace
}  // namespace autodidact::launch
