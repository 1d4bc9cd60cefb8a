#include "launch/config/checks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>

#include "data/run_place.h"
#include "launch/config/placement.h"
#include "learner/grpo.h"
#include "net/interfaces.h"
#include "text/chat.h"

namespace autodidact::launch {
namespace {

using estimators::EstimatorKind;

void CheckDevice(const ConfigChecker& check, const RunConfig& config, Files files) {
  const std::string gpu = "cuda:";
  const std::string& device = config.device;
  const bool numbered = device.starts_with(gpu) && device.size() > gpu.size() && device.size() < gpu.size() + 3 &&
                        device.find_first_not_of("0123456789", gpu.size()) == std::string::npos;
  if (!numbered && device != "cpu" && device != "cuda") {
    check.Fail("device", "got " + Quoted(device) + ", expected cpu, cuda, or cuda:N for that GPU: write one of these");
  } else if (files == Files::kRequired && device != "cpu" && !at::hasCUDA()) {
    check.Fail("device", "got \"" + device +
                             "\", but this build or this machine has no GPU, expected cpu: write device: cpu, or build "
                             "by launch/build.sh cuda");
  }
}

void CheckData(const ConfigChecker& check, const RunConfig& config, Files files) {
  if (files == Files::kRequired) {
    if (!config.data.train.empty()) check.JsonLines("data.train", config.data.train);
    if (!config.data.labels.empty()) check.JsonLines("data.labels", config.data.labels);
    if (!config.data.references.empty()) check.JsonLines("data.references", config.data.references);
    if (!config.eval.data.empty()) check.JsonLines("eval.data", config.eval.data);
  }
  if (!config.data.references.empty() && (config.judge.by_rubric() || config.answer.programs())) {
    check.Fail("data.references",
               "got a file, expected none, since only answers can be compared with it, neither rubrics nor programs: "
               "leave it out");
  }
  if (config.data.references.empty() && config.data.min_agreement > 0) {
    check.Fail("data.min_agreement", base::Format("got {}, expected 0, since there is no data.references whose "
                                                  "agreement could be read: name that file, or leave this out",
                                                  config.data.min_agreement));
  }
  if (config.eval.steps > 0 && config.eval.data.empty()) {
    check.Warn("eval.steps", "has no effect, since there is no eval.data: name a labelled file, or leave it out");
  }
}

void CheckLengths(const ConfigChecker& check, const RunConfig& config, std::int64_t context) {
  if (context <= 0) return;
  const std::string limit = base::Format("the model's context of {} tokens (max_position_embeddings)", context);
  const std::int64_t rollout = config.rollout.max_new_tokens;
  if (rollout >= context) {
    check.Fail(
        "rollout.max_completion_length",
        base::Format("got {}, expected less than {}, which prompt and completion share: lower it", rollout, limit));
  }
  if (config.anchor.context > context) {
    check.Fail("anchor.context",
               base::Format("got {}, expected at most {}: lower it, or leave it out", config.anchor.context, limit));
  }
  if (config.estimator != EstimatorKind::kSynthesis || !config.data.references.empty()) return;
  const std::int64_t anchor = config.anchor.context > 0 ? std::min(config.anchor.context, context) : context;
  if (config.anchor.sampling.max_new_tokens >= anchor) {
    check.Fail(
        "anchor.sampling.max_completion_length",
        base::Format(
            "got {}, expected less than the anchor's context of {} tokens, which candidates and answer share: lower it",
            config.anchor.sampling.max_new_tokens, anchor));
  }
}

void CheckEngine(const ConfigChecker& check, const RunConfig& config) {
  const engine::EngineConfig& engine = config.engine;
  const std::int64_t group = config.train.num_generations;
  if (engine.max_rows < group) {
    check.Fail("engine.max_rows",
               base::Format(
                   "got {}, expected at least train.num_generations ({}), since a group is decoded together: raise it",
                   engine.max_rows, group),
               "train.num_generations");
  }
  for (std::size_t i = 0; i < config.eval.group_sizes.size(); ++i) {
    if (config.eval.group_sizes[i] <= engine.max_rows || !check.Given("eval.group_sizes")) continue;
    check.Fail(base::Format("eval.group_sizes[{}]", i),
               base::Format("got {}, expected at most engine.max_rows ({}), since a group is decoded together: lower "
                            "it, or raise the other",
                            config.eval.group_sizes[i], engine.max_rows));
  }
  if (config.eval.group_sizes.empty())
    check.Fail("eval.group_sizes", "got an empty list, expected one size at least: write [1, 8], or leave it out");
  if (engine.cache_tokens < config.rollout.max_new_tokens) {
    check.Fail(
        "engine.cache_tokens",
        base::Format("got {}, expected at least rollout.max_completion_length ({}): raise it, or lower the other",
                     engine.cache_tokens, config.rollout.max_new_tokens),
        "rollout.max_completion_length");
  }
}

// Rollouts that cannot differ teach nothing.
void CheckVariety(const ConfigChecker& check, const engine::SamplingParams& keys) {
  const std::string why = ", since the rollouts of a group must differ: ";
  if (keys.temperature == 0) {
    check.Fail("rollout.temperature",
               "got 0 (greedy), expected more than 0" + why + "write 1.0, or what the model's makers name");
  } else if (keys.temperature < 0.05) {
    check.Warn(
        "rollout.temperature",
        base::Format(
            "of {} leaves the rollouts of a group nearly alike, and only those that differ teach: 0.6 to 1.2 is usual",
            keys.temperature));
  }
  if (keys.top_k == 1)
    check.Fail("rollout.top_k", "got 1, expected 0 (off) or more than 1" + why + "write 0, or 20 and more");
  if (keys.min_p == 1) check.Fail("rollout.min_p", "got 1, expected less" + why + "write 0 (off), or about 0.05");
}

void CheckLoss(const ConfigChecker& check, const RunConfig& config) {
  learner::LossConfig loss = config.train.trainer.loss;
  const learner::ImportanceSampling& weights = loss.importance_sampling;
  if (weights.clip_min > weights.clip_max) {
    check.Fail("train.importance_sampling.clip_min",
               base::Format("got {}, expected at most clip_max ({}): lower it, or raise the other", weights.clip_min,
                            weights.clip_max));
  }
  // A config as a run resolved it gives the defaults, too.
  const learner::ImportanceSampling defaults;
  for (const auto& [name, changed] : {std::pair("clip_min", weights.clip_min != defaults.clip_min),
                                      std::pair("clip_max", weights.clip_max != defaults.clip_max),
                                      std::pair("level", weights.level != defaults.level)}) {
    if (weights.mode != learner::CorrectionMode::kNone || !changed) continue;
    check.Warn(
        std::string("train.importance_sampling.") + name,
        "has no effect, since train.importance_sampling.mode is none: write truncate or mask there, or leave it out");
  }
  try {
    loss.max_completion_length = config.rollout.max_new_tokens;
    learner::Check(loss);
  } catch (const base::Error& error) {
    const char* other = weights.level == learner::RatioLevel::kToken ? "sequence" : "token";
    check.Fail("train.importance_sampling.level",
               base::Format("got {} with train.loss_type: {}, expected {} ({}): write level: {}, or another loss_type",
                            base::NameIn(weights.level), base::NameIn(loss.type), other, error.message(), other),
               "train.importance_sampling.mode");
  }
  if (loss.epsilon_high < loss.epsilon) {
    check.Warn("train.epsilon_high",
               base::Format("of {} is below train.epsilon ({}): ratios may fall further than they may rise",
                            loss.epsilon_high, loss.epsilon));
  }
}

void CheckTrain(const ConfigChecker& check, const RunConfig& config) {
  const learner::TrainerConfig& c = config.train.trainer;
  const double learning_rate = c.optimizer.learning_rate;
  CheckVariety(check, config.rollout);
  CheckLoss(check, config);
  CheckWarmup(check, "train.warmup_steps", c.optimizer.warmup_steps, config.train.max_steps * c.num_iterations);
  if (learning_rate == 0) check.Warn("train.learning_rate", "is 0: nothing will be learned; 5e-7 to 1e-5 is usual");
  if (learning_rate > 0.01)
    check.Warn("train.learning_rate",
               base::Format("of {} is far above what a trained model bears; 5e-7 to 1e-5 is usual", learning_rate));
  if (c.offload_reference && c.loss.beta == 0)
    check.Warn("train.offload_reference",
               "has no effect, since train.beta is 0 and no reference is kept: leave it out");
  if (c.offload_reference && config.device == "cpu")
    check.Warn("train.offload_reference", "has no effect on device: cpu: leave it out");
  if (c.kl_in == learner::KlPlace::kReward && c.loss.beta == 0)
    check.Warn("train.kl_in", "has no effect, since train.beta is 0: leave it out, or raise that");
  if (config.timeouts.collective < config.timeouts.step) {
    check.Fail("timeouts.collective",
               base::Format("got {}, expected at least timeouts.step ({}): raise it, or leave it out",
                            config.timeouts.collective, config.timeouts.step),
               "timeouts.step");
  }
}

void CheckAnswer(const ConfigChecker& check, const RunConfig& config) {
  const AnswerConfig& answer = config.answer;
  const std::vector<std::string>& verifier = answer.verifier.command;
  for (const std::string& word : verifier) {
    if (word.empty())
      check.Fail("answer.verifier",
                 "got an empty word, expected a command and its arguments, as [python3, grader.py]: take it out");
  }
  const std::string program = verifier.empty() ? "" : verifier.front();
  if (program.find(' ') != std::string::npos && !std::filesystem::exists(program)) {
    std::string words = program;
    for (std::size_t at = 0; (at = words.find(' ', at)) != std::string::npos; at += 2) words.replace(at, 1, ", ");
    check.Fail("answer.verifier",
               base::Format("got {} as the program, expected each word by itself: write [{}]", Quoted(program), words));
  }
  if (!answer.programs()) return;
  if (config.estimator != EstimatorKind::kSynthesis && config.estimator != EstimatorKind::kGroundTruth) {
    check.Fail(
        "estimator",
        "got " + base::NameIn(config.estimator) +
            ", expected synthesis or ground_truth, since programs (answer.comparator: code) are compared by what "
            "they do: write one of these",
        "answer.comparator");
  }
  if (!verifier.empty()) {
    check.Fail(
        "answer.verifier",
        "got a command, expected none, since programs (answer.comparator: code) are compared by running: leave it out");
  }
}

void CheckSelect(const ConfigChecker& check, const estimators::SelfSelectPrompt& keys) {
  check.Holds("select.instruction", keys.instruction, "{prompt}", "the question");
  check.Holds("select.instruction", keys.instruction, "{candidates}", "the group's answers");
  check.Holds("select.candidate", keys.candidate, "{index}", "a candidate's number");
  check.Holds("select.candidate", keys.candidate, "{text}", "a candidate's text");
  const std::set<std::string> distinct(keys.choices.begin(), keys.choices.end());
  if (distinct.size() == keys.choices.size() && !distinct.contains("")) return;
  check.Fail("select.choices", "got one that is empty or there twice, expected different words: write [A, B, C], say");
}

}  // namespace

void CheckPrompt(const ConfigChecker& check, const PromptConfig& keys) {
  if (keys.chat.format != "auto") {
    try {
      text::ChatFormatNamed(keys.chat.format);
    } catch (const base::Error& error) {
      check.Fail("prompt.format", "got " + Quoted(keys.chat.format) + ", expected auto or the name of a format (" +
                                      error.message() + "): write auto for the model's own");
    }
  }
  if (!keys.chat.file.empty()) check.File("prompt.template", keys.chat.file);
  if (keys.chat.format != "auto" && !keys.chat.file.empty()) {
    check.Fail("prompt.template", "got a file beside prompt.format: " + keys.chat.format +
                                      ", expected one of them: leave prompt.format out, or the template");
  }
  if (keys.chat.format != "auto" && !keys.chat.variables.empty()) {
    check.Fail("prompt.template_variables",
               "got variables, expected none, since a template reads them and prompt.format: " + keys.chat.format +
                   " has none: leave prompt.format out");
  }
  check.Holds("prompt.text", keys.text, "{prompt}", "the row's text");
}

void CheckAnchor(const ConfigChecker& check, const estimators::SynthesisConfig& keys) {
  check.Sampling("anchor.sampling", keys.sampling);
  check.Holds("anchor.instruction", keys.prompt.instruction, "{candidates}", "the group's answers");
  check.Holds("anchor.candidate", keys.prompt.candidate, "{text}", "a candidate's text");
}

void CheckWarmup(const ConfigChecker& check, const std::string& key, std::int64_t warmup, std::int64_t steps) {
  if (warmup <= steps) return;
  check.Warn(
      key,
      base::Format("of {} is more than the run's {} steps, so that the learning rate never gets to its value: lower it",
                   warmup, steps));
}

void CheckRun(RunConfig& config, const ConfigChecker& check, Files files, std::int64_t context) {
  config.placement.ranks = WithoutFactors(config.placement.ranks);
  check.Named("name", [&] { data::CheckRunName(config.name); });
  if (config.folder.empty())
    check.Fail("folder", "got nothing, expected a folder for runs: write runs, or leave it out");
  CheckDevice(check, config, files);
  CheckData(check, config, files);
  CheckAnswer(check, config);
  CheckPrompt(check, config.prompt);
  check.Sampling("rollout", config.rollout);
  CheckAnchor(check, config.anchor);
  CheckJudge(check, config);
  CheckTrain(check, config);
  CheckSelect(check, config.select);
  CheckPlacement(check, config);
  check.Named("network.ports", [&] { net::ParsePortRange(config.network.ports); });
  if (config.network.interface != "auto" && config.network.address != "auto") {
    check.Fail("network.address", "got an address and an interface, expected one of them: leave one out");
  }
  CheckLengths(check, config, context);
  CheckEngine(check, config);
}

}  // namespace autodidact::launch
