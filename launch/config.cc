#include "launch/config.h"

#include <algorithm>

#include "answers/compare.h"
#include "answers/extract.h"
#include "base/error.h"
#include "base/format.h"
#include "estimators/estimator.h"
#include "launch/config_visitor.h"
#include "launch/wiring.h"
#include "learner/grpo.h"
#include "learner/optimizer.h"
#include "text/chat.h"

namespace autodidact::launch {
namespace {

template <class V>
void Describe(V& v, SamplingKeys& c) {
  v("temperature", c.temperature);
  v("top_k", c.top_k);
  v("top_p", c.top_p);
  v("min_p", c.min_p);
  v("repetition_penalty", c.repetition_penalty);
  v("max_completion_length", c.max_completion_length);
  v("stop", c.stop);
}

template <class V>
void Describe(V& v, PromptKeys& c) {
  v("format", c.format);
  v("system", c.system);
  v("text", c.text);
}

template <class V>
void Describe(V& v, AnchorKeys& c) {
  v("system", c.system);
  v("instruction", c.instruction);
  v("candidate", c.candidate);
  v("separator", c.separator);
  v("order", c.order);
  v("heading", c.heading);
  v("context", c.context);
  v.Section("sampling", [&](auto& s) { Describe(s, c.sampling); });
}

template <class V>
void Describe(V& v, TrainKeys& c) {
  v("max_steps", c.max_steps);
  v("groups_per_step", c.groups_per_step);
  v("num_generations", c.num_generations);
  v("num_iterations", c.num_iterations);
  v("loss_type", c.loss_type);
  v("scale_rewards", c.scale_rewards);
  v("beta", c.beta);
  v("kl_in", c.kl_in);
  v("epsilon", c.epsilon);
  v("epsilon_high", c.epsilon_high);
  v.Section("importance_sampling", [&](auto& s) {
    s("level", c.importance_sampling.level);
    s("mode", c.importance_sampling.mode);
    s("clip_min", c.importance_sampling.clip_min);
    s("clip_max", c.importance_sampling.clip_max);
  });
  v("max_staleness", c.max_staleness);
  v("learning_rate", c.learning_rate);
  v("lr_scheduler", c.lr_scheduler);
  v("warmup_steps", c.warmup_steps);
  v("adam_beta1", c.adam_beta1);
  v("adam_beta2", c.adam_beta2);
  v("adam_epsilon", c.adam_epsilon);
  v("weight_decay", c.weight_decay);
  v("max_grad_norm", c.max_grad_norm);
  v("micro_batch_tokens", c.micro_batch_tokens);
  v("gradient_checkpointing", c.gradient_checkpointing);
  v("offload_reference", c.offload_reference);
  v("save_steps", c.save_steps);
  v("keep_checkpoints", c.keep_checkpoints);
  v("max_empty_steps", c.max_empty_steps);
}

template <class V>
void Describe(V& v, RunConfig& c) {
  v("name", c.name);
  v("folder", c.folder);
  v("seed", c.seed);
  v("model", c.model);
  v("device", c.device);
  v("dtype", c.dtype);
  v("device_memory_gib", c.device_memory_gib);
  v("estimator", c.estimator);
  v.Section("data", [&](auto& s) {
    s("train", c.data.train);
    s("references", c.data.references);
    s("min_agreement", c.data.min_agreement);
    s("labels", c.data.labels);
    s("id", c.data.id);
    s("prompt", c.data.prompt);
    s("answer", c.data.answer);
    s("answers", c.data.answers);
    s("shuffle", c.data.shuffle);
    s("limit", c.data.limit);
  });
  v.Section("prompt", [&](auto& s) { Describe(s, c.prompt); });
  v.Section("rollout", [&](auto& s) { Describe(s, c.rollout); });
  v.Section("anchor", [&](auto& s) { Describe(s, c.anchor); });
  v.Section("select", [&](auto& s) {
    s("system", c.select.system);
    s("instruction", c.select.instruction);
    s("candidate", c.select.candidate);
    s("separator", c.select.separator);
    s("choices", c.select.choices);
  });
  v.Section("answer", [&](auto& s) {
    s("extractor", c.answer.extractor);
    s("comparator", c.answer.comparator);
    s("verifier", c.answer.verifier);
    s("verifier_timeout", c.answer.verifier_timeout);
    s.Section("code", [&](auto& k) {
      k("python", c.answer.code.python);
      k("inputs", c.answer.code.inputs);
      k("input_kind", c.answer.code.input_kind);
      k("entry_point", c.answer.code.entry_point);
      k("timeout", c.answer.code.timeout);
      k("cpu", c.answer.code.cpu);
      k("memory", c.answer.code.memory);
      k("jobs", c.answer.code.jobs);
    });
  });
  v.Section("rubric", [&](auto& s) {
    DescribeRubric(s, c.rubric);
    s.Section("sampling", [&](auto& inner) { Describe(inner, c.rubric.sampling); });
  });
  v.Section("judge", [&](auto& s) { DescribeJudge(s, c.judge); });
  v.Section("train", [&](auto& s) { Describe(s, c.train); });
  v.Section("eval", [&](auto& s) {
    s("data", c.eval.data);
    s("steps", c.eval.steps);
    s("limit", c.eval.limit);
    s("group_sizes", c.eval.group_sizes);
    s("estimators", c.eval.estimators);
    s("position_vote", c.eval.position_vote);
  });
  v.Section("collapse", [&](auto& s) {
    s("stop", c.collapse.stop);
    s("rise", c.collapse.rise);
    s("kappa", c.collapse.kappa);
    s("certain", c.collapse.certain);
    s("patience", c.collapse.patience);
  });
  v.Section("engine", [&](auto& s) {
    s("cache_tokens", c.engine.cache_tokens);
    s("max_rows", c.engine.max_rows);
    s("max_groups", c.engine.max_groups);
  });
  v.Section("threads", [&](auto& s) {
    s("learner", c.threads.learner);
    s("actor", c.threads.actor);
    s("anchor", c.threads.anchor);
    s("judge", c.threads.judge);
  });
  v.Section("placement", [&](auto& s) {
    s("ranks", c.placement.ranks);
    s("actors", c.placement.actors);
    s("anchors", c.placement.anchors);
    s("judges", c.placement.judges);
  });
  v.Section("network", [&](auto& s) {
    s("address", c.network.address);
    s("keys", c.network.keys);
  });
  v.Section("timeouts", [&](auto& s) {
    s("lease", c.timeouts.lease);
    s("step", c.timeouts.step);
    s("call", c.timeouts.call);
    s("collective", c.timeouts.collective);
  });
}

template <class V>
void Describe(V& v, SftConfig& c) {
  v("output", c.output);
  v("seed", c.seed);
  v("model", c.model);
  v.List("data", c.data, [](auto& s, SftSource& source) {
    s("file", source.file);
    s("weight", source.weight);
  });
  v("tokenizer", c.tokenizer);
  v("vocab_size", c.vocab_size);
  v("extra_symbols", c.extra_symbols);
  v("hidden_size", c.hidden_size);
  v("intermediate_size", c.intermediate_size);
  v("num_layers", c.num_layers);
  v("num_heads", c.num_heads);
  v("num_kv_heads", c.num_kv_heads);
  v("max_position_embeddings", c.max_position_embeddings);
  v("rope_theta", c.rope_theta);
  v("tie_word_embeddings", c.tie_word_embeddings);
  v("initializer_range", c.initializer_range);
  v.Section("prompt", [&](auto& s) { Describe(s, c.prompt); });
  v.Section("anchor", [&](auto& s) { Describe(s, c.anchor); });
  v.Section("rollout", [&](auto& s) { Describe(s, c.rollout); });
  v.Section("reconcile", [&](auto& s) {
    s("enabled", c.reconcile.enabled);
    s("folds", c.reconcile.folds);
    s("prompts", c.reconcile.prompts);
    s("max_prompts", c.reconcile.max_prompts);
    s("fold_steps", c.reconcile.fold_steps);
    s("num_candidates", c.reconcile.num_candidates);
    s("group_sizes", c.reconcile.group_sizes);
    s("apart", c.reconcile.apart);
    s("max_unsupported", c.reconcile.max_unsupported);
    s("exchanged", c.reconcile.exchanged);
    s("continue_from_fold", c.reconcile.continue_from_fold);
    s("share", c.reconcile.share);
  });
  v("max_steps", c.max_steps);
  v("batch_size", c.batch_size);
  v("learning_rate", c.learning_rate);
  v("lr_scheduler", c.lr_scheduler);
  v("final_fraction", c.final_fraction);
  v("warmup_steps", c.warmup_steps);
  v("adam_beta1", c.adam_beta1);
  v("adam_beta2", c.adam_beta2);
  v("weight_decay", c.weight_decay);
  v("max_grad_norm", c.max_grad_norm);
  v("threads", c.threads);
}

// Checks of values, each naming file and key.
class Checker {
 public:
  explicit Checker(std::string file) : file_(std::move(file)) {}

  template <class T>
  void AtLeast(const char* key, T value, T least) const {
    if (value < least) Fail(key, base::Format("got {}, expected at least {}", value, least));
  }
  void Within(const char* key, double value, double low, double high) const {
    if (!(value >= low && value <= high)) Fail(key, base::Format("got {}, expected {} to {}", value, low, high));
  }
  void OneOf(const char* key, const std::string& value, const std::vector<std::string>& names) const {
    if (std::find(names.begin(), names.end(), value) != names.end()) return;
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    Fail(key, base::Format("got \"{}\", expected one of {}", value, list));
  }
  void Given(const char* key, const std::string& value) const {
    if (value.empty()) Fail(key, "got nothing, expected a path");
  }
  void File(const char* key, const std::string& path) const {
    Given(key, path);
    if (!std::filesystem::is_regular_file(path)) Fail(key, "there is no file " + path);
  }
  void Folder(const char* key, const std::string& path) const {
    Given(key, path);
    if (!std::filesystem::is_directory(path)) Fail(key, "there is no folder " + path);
  }
  // Runs a check that throws on its own, and puts file and key before what it says.
  template <class Check>
  void Named(const char* key, Check check) const {
    try {
      check();
    } catch (const base::Error& error) {
      Fail(key, error.message());
    }
  }
  [[noreturn]] void Fail(const char* key, const std::string& what) const {
    base::ThrowBadInput(base::Format("{}: {}: {}", file_, key, what));
  }

 private:
  std::string file_;
};

void CheckSampling(const Checker& check, const std::string& section, const SamplingKeys& c) {
  const auto key = [&](const char* name) { return section + "." + name; };
  check.AtLeast(key("temperature").c_str(), c.temperature, 0.0);
  check.AtLeast(key("top_k").c_str(), c.top_k, std::int64_t{0});
  check.Within(key("top_p").c_str(), c.top_p, 0.0, 1.0);
  check.Within(key("min_p").c_str(), c.min_p, 0.0, 1.0);
  check.AtLeast(key("repetition_penalty").c_str(), c.repetition_penalty, 1e-3);
  check.AtLeast(key("max_completion_length").c_str(), c.max_completion_length, std::int64_t{1});
}

void CheckPrompt(const Checker& check, const PromptKeys& c) {
  if (c.format != "auto") check.Named("prompt.format", [&] { text::ChatFormatNamed(c.format); });
  if (c.text.find("{prompt}") == std::string::npos) check.Fail("prompt.text", "it has no {prompt}");
}

void CheckAnchor(const Checker& check, const AnchorKeys& c) {
  CheckSampling(check, "anchor.sampling", c.sampling);
  if (c.instruction.find("{candidates}") == std::string::npos) {
    check.Fail("anchor.instruction", "it has no {candidates}");
  }
  if (c.candidate.find("{text}") == std::string::npos) check.Fail("anchor.candidate", "it has no {text}");
  check.Named("anchor.order", [&] { estimators::CandidateOrderNamed(c.order); });
}

void CheckDevice(const Checker& check, const RunConfig& config) {
  const std::string gpu = "cuda:";
  const bool numbered = config.device.starts_with(gpu) && config.device.size() > gpu.size() &&
                        config.device.find_first_not_of("0123456789", gpu.size()) == std::string::npos;
  if (!numbered) check.OneOf("device", config.device, {"cpu", "cuda"});
  check.OneOf("dtype", config.dtype, {"float32", "bfloat16"});
  check.AtLeast("device_memory_gib", config.device_memory_gib, 0.1);
}

// "learner*3" -> three learners.
std::vector<std::string> WithoutFactors(const std::vector<std::string>& ranks) {
  std::vector<std::string> roles;
  for (const std::string& rank : ranks) {
    const std::size_t star = rank.find('*');
    const std::string digits = star == std::string::npos ? "" : rank.substr(star + 1);
    const bool counted =
        !digits.empty() && digits.size() <= 4 && digits.find_first_not_of("0123456789") == std::string::npos;
    roles.insert(roles.end(), counted ? std::stoul(digits) : 1, counted ? rank.substr(0, star) : rank);
  }
  return roles;
}

template <class Keys>
void CheckBetas(const Checker& check, const std::string& section, const Keys& c) {
  check.Within((section + "adam_beta1").c_str(), c.adam_beta1, 0.0, 0.999999);
  check.Within((section + "adam_beta2").c_str(), c.adam_beta2, 0.0, 0.999999);
  check.AtLeast((section + "weight_decay").c_str(), c.weight_decay, 0.0);
  check.AtLeast((section + "max_grad_norm").c_str(), c.max_grad_norm, 0.0);
}

void CheckTrain(const Checker& check, const RunConfig& config) {
  const TrainKeys& c = config.train;
  check.AtLeast("train.max_steps", c.max_steps, std::int64_t{1});
  check.AtLeast("train.groups_per_step", c.groups_per_step, std::int64_t{1});
  check.AtLeast("train.num_generations", c.num_generations, std::int64_t{2});
  check.AtLeast("train.num_iterations", c.num_iterations, std::int64_t{1});
  check.AtLeast("train.max_staleness", c.max_staleness, std::int64_t{0});
  check.AtLeast("train.beta", c.beta, 0.0);
  check.AtLeast("train.learning_rate", c.learning_rate, 0.0);
  check.AtLeast("train.epsilon", c.epsilon, 0.0);
  check.AtLeast("train.epsilon_high", c.epsilon_high, 0.0);
  check.AtLeast("train.warmup_steps", c.warmup_steps, std::int64_t{0});
  CheckBetas(check, "train.", c);
  check.AtLeast("train.adam_epsilon", c.adam_epsilon, 0.0);
  check.AtLeast("train.save_steps", c.save_steps, std::int64_t{0});
  check.AtLeast("train.keep_checkpoints", c.keep_checkpoints, std::int64_t{0});
  check.AtLeast("train.max_empty_steps", c.max_empty_steps, std::int64_t{0});
  check.AtLeast("train.micro_batch_tokens", c.micro_batch_tokens, std::int64_t{1});
  check.OneOf("train.kl_in", c.kl_in, {"loss", "reward"});
  check.Named("train.scale_rewards", [&] { learner::ScaleRewardsNamed(c.scale_rewards); });
  check.Named("train.lr_scheduler", [&] { learner::ScheduleNamed(c.lr_scheduler); });
  check.Named("train.loss_type", [&] {
    learner::LossConfig loss;
    loss.type = learner::LossTypeNamed(c.loss_type);
    loss.importance_sampling.level = learner::RatioLevelNamed(c.importance_sampling.level);
    loss.importance_sampling.mode = learner::CorrectionModeNamed(c.importance_sampling.mode);
    loss.max_completion_length = config.rollout.max_completion_length;
    learner::Check(loss);
  });
  if (config.rollout.temperature <= 0) {
    check.Fail("rollout.temperature", "got 0, expected more: the rollouts of a group must differ");
  }
}

void CheckAnswer(const Checker& check, const RunConfig& config) {
  const AnswerKeys& answer = config.answer;
  check.AtLeast("answer.verifier_timeout", answer.verifier_timeout, 0.001);
  if (answer.comparator != "code") {
    check.Named("answer.comparator", [&] { answers::ComparatorNamed(answer.comparator); });
    return;
  }
  if (config.estimator == "majority") check.Fail("estimator", "programs have no majority: synthesis or ground_truth");
  if (!answer.verifier.empty())
    check.Fail("answer.verifier", "programs (answer.comparator: code) are compared by running");
  check.OneOf("answer.code.input_kind", answer.code.input_kind, {"calls", "stdin"});
  check.AtLeast("answer.code.timeout", answer.code.timeout, 0.001);
  check.AtLeast("answer.code.cpu", answer.code.cpu, 1.0);
  check.AtLeast("answer.code.memory", answer.code.memory, std::int64_t{64});
  check.AtLeast("answer.code.jobs", answer.code.jobs, std::int64_t{1});
}

}  // namespace

RunConfig ReadRunConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides, Files files) {
  RunConfig config;
  ConfigReader reader(LoadYaml(file, overrides), file.string());
  Describe(reader, config);
  reader.Finish();

  const Checker check(file.string());
  check.Folder("model", config.model);
  CheckDevice(check, config);
  check.Named("estimator", [&] { estimators::EstimatorNamed(config.estimator); });
  if (files == Files::kRequired) {
    if (!config.data.train.empty()) check.File("data.train", config.data.train);
    if (!config.data.labels.empty()) check.File("data.labels", config.data.labels);
    if (!config.data.references.empty()) check.File("data.references", config.data.references);
    if (!config.eval.data.empty()) check.File("eval.data", config.eval.data);
  }
  check.Named("answer.extractor", [&] { answers::ExtractorNamed(config.answer.extractor); });
  CheckAnswer(check, config);
  if (!config.data.references.empty() && (config.judge.kind == "rubric" || config.answer.comparator == "code")) {
    check.Fail("data.references", "only answers can be compared with it, neither rubrics nor programs");
  }
  check.Within("data.min_agreement", config.data.min_agreement, 0.0, 1.0);
  if (config.data.references.empty() && config.data.min_agreement > 0) {
    check.Fail("data.min_agreement", "there is no data.references whose agreement could be read");
  }
  CheckPrompt(check, config.prompt);
  CheckSampling(check, "rollout", config.rollout);
  CheckAnchor(check, config.anchor);
  CheckSampling(check, "rubric.sampling", config.rubric.sampling);
  CheckJudge(config, [&](const char* key, const std::string& what) { check.Fail(key, what); });
  CheckTrain(check, config);
  check.Named("select", [&] { estimators::Validate(ToSelfSelectPrompt(config.select)); });
  for (const std::string& name : config.eval.estimators) {
    check.Named("eval.estimators", [&] { estimators::EstimatorNamed(name); });
  }
  for (const std::int64_t size : config.eval.group_sizes) check.AtLeast("eval.group_sizes", size, std::int64_t{1});
  config.placement.ranks = WithoutFactors(config.placement.ranks);
  for (const std::string& role : config.placement.ranks) {
    check.OneOf("placement.ranks", role, {"learner", "actor", "anchor", "judge"});
  }
  if (!config.placement.ranks.empty() && config.placement.ranks.front() != "learner") {
    check.Fail("placement.ranks", "the first rank must be a learner");
  }
  check.AtLeast("placement.actors", config.placement.actors, std::int64_t{1});
  check.AtLeast("placement.anchors", config.placement.anchors, std::int64_t{1});
  check.AtLeast("placement.judges", config.placement.judges, std::int64_t{1});
  check.AtLeast("engine.cache_tokens", config.engine.cache_tokens, std::int64_t{256});
  check.AtLeast("engine.max_groups", config.engine.max_groups, std::int64_t{1});
  check.AtLeast("engine.max_rows", config.engine.max_rows, config.train.num_generations);
  check.AtLeast("seed", config.seed, std::int64_t{0});
  check.AtLeast("data.limit", config.data.limit, std::int64_t{0});
  check.AtLeast("eval.limit", config.eval.limit, std::int64_t{0});
  check.AtLeast("eval.steps", config.eval.steps, std::int64_t{0});
  check.AtLeast("anchor.context", config.anchor.context, std::int64_t{0});
  check.AtLeast("threads.learner", config.threads.learner, std::int64_t{0});
  check.AtLeast("threads.actor", config.threads.actor, std::int64_t{0});
  check.AtLeast("threads.anchor", config.threads.anchor, std::int64_t{0});
  check.Within("collapse.rise", config.collapse.rise, 0.0, 1.0);
  check.Within("collapse.certain", config.collapse.certain, 0.0, 1.0);
  check.AtLeast("timeouts.lease", config.timeouts.lease, 0.001);
  check.AtLeast("timeouts.step", config.timeouts.step, 0.001);
  check.AtLeast("timeouts.call", config.timeouts.call, 0.001);
  check.AtLeast("timeouts.collective", config.timeouts.collective, config.timeouts.step);
  return config;
}

RunConfig ReadJudgeConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  RunConfig config;
  ConfigReader reader(LoadYaml(file, overrides), file.string());
  Describe(reader, config);
  reader.Finish();
  const Checker check(file.string());
  CheckJudgeItself(config, [&](const char* key, const std::string& what) { check.Fail(key, what); });
  if (config.judge.kind == "program") check.Fail("judge.kind", "got program, expected rubric or model_as_judge");
  return config;
}

std::string ToYaml(const RunConfig& config) {
  RunConfig copy = config;
  ConfigWriter writer;
  Describe(writer, copy);
  return writer.Text();
}

SftConfig ReadSftConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  SftConfig config;
  ConfigReader reader(LoadYaml(file, overrides), file.string());
  Describe(reader, config);
  reader.Finish();

  const Checker check(file.string());
  check.Given("output", config.output);
  if (!config.model.empty()) check.Folder("model", config.model);
  if (config.data.empty()) check.Fail("data", "got nothing, expected a list of {file, weight}");
  for (const SftSource& source : config.data) check.File("data.file", source.file);
  check.OneOf("tokenizer", config.tokenizer, {"symbols", "bpe"});
  check.Named("lr_scheduler", [&] { learner::ScheduleNamed(config.lr_scheduler); });
  check.AtLeast("hidden_size", config.hidden_size, std::int64_t{1});
  check.AtLeast("num_layers", config.num_layers, std::int64_t{1});
  check.AtLeast("num_kv_heads", config.num_kv_heads, std::int64_t{1});
  check.AtLeast("num_heads", config.num_heads, config.num_kv_heads);
  if (config.hidden_size % config.num_heads != 0 || (config.hidden_size / config.num_heads) % 2 != 0) {
    check.Fail("num_heads", base::Format("hidden_size {} over {} heads is not an even whole number", config.hidden_size,
                                         config.num_heads));
  }
  if (config.num_heads % config.num_kv_heads != 0) check.Fail("num_kv_heads", "it must divide num_heads");
  check.AtLeast("max_steps", config.max_steps, std::int64_t{1});
  check.AtLeast("batch_size", config.batch_size, std::int64_t{1});
  check.AtLeast("seed", config.seed, std::int64_t{0});
  check.AtLeast("learning_rate", config.learning_rate, 0.0);
  check.AtLeast("warmup_steps", config.warmup_steps, std::int64_t{0});
  CheckBetas(check, "", config);
  check.AtLeast("threads", config.threads, std::int64_t{0});
  check.AtLeast("vocab_size", config.vocab_size, std::int64_t{1});
  check.AtLeast("intermediate_size", config.intermediate_size, std::int64_t{1});
  check.AtLeast("max_position_embeddings", config.max_position_embeddings, std::int64_t{1});
  check.AtLeast("rope_theta", config.rope_theta, 1.0);
  for (const SftSource& source : config.data) check.AtLeast("data.weight", source.weight, 0.0);
  check.AtLeast("reconcile.folds", config.reconcile.folds, std::int64_t{2});
  check.AtLeast("reconcile.max_prompts", config.reconcile.max_prompts, std::int64_t{0});
  if (!config.reconcile.prompts.empty()) {
    check.File("reconcile.prompts", config.reconcile.prompts);
    if (config.reconcile.apart) check.Fail("reconcile.apart", "got true, expected false with reconcile.prompts");
  }
  check.Within("reconcile.share", config.reconcile.share, 0.0, 1.0);
  check.Within("reconcile.exchanged", config.reconcile.exchanged, 0.0, 1.0);
  CheckPrompt(check, config.prompt);
  CheckSampling(check, "rollout", config.rollout);
  CheckAnchor(check, config.anchor);
  return config;
}

std::string ToYaml(const SftConfig& config) {
  SftConfig copy = config;
  ConfigWriter writer;
  Describe(writer, copy);
  return writer.Text();
}

}  // namespace autodidact::launch
