// The description of a run's config.
#pragma once

#include "launch/config/describe_common.h"

namespace autodidact::launch {

template <class V>
void Describe(V& v, DataConfig& c) {
  v("train", c.train, ByContent("JSONL file of prompts."));
  v("references", c.references,
    ByContent("JSONL that `synthesize` wrote: references made before the run. Empty: made in it."));
  v("min_agreement", c.min_agreement, kShare,
    ByContent("Leaves out prompts fewer of whose candidates give the reference's answer."));
  v("labels", c.labels, ByContent("JSONL of answers joined by id."));
  v("id", c.columns.id, ByContent("Names of the column of ids. Empty: the usual ones."));
  v("prompt", c.columns.prompt, ByContent("Names of the column of prompts. Empty: the usual ones."));
  v("answer", c.columns.answer, ByContent("Names of the column of an answer. Empty: the usual ones."));
  v("answers", c.columns.answers, ByContent("Names of the column of several answers. Empty: the usual ones."));
  v("shuffle", c.shuffle, "Whether the prompts come in a random order.");
  v("limit", c.limit, kRows, ByContent("So many rows, spread evenly over the file."));
}

template <class V>
void Describe(V& v, estimators::SelfSelectPrompt& c) {
  v("system", c.system, "System turn of the prompt of estimator: self_select.");
  v("instruction", c.instruction, "What the model is asked, with {prompt} and {candidates}.");
  v("candidate", c.candidate, "How a candidate stands there, with {index} and {text}.");
  v("separator", c.separator, "What stands between two candidates.");
  v("choices", c.choices, "What the candidates are called. Empty: 1, 2, …");
}

template <class V>
void Describe(V& v, AnswerConfig& c) {
  v("extractor", c.extractor,
    "Where the answer stands in a text: \\boxed{…}, the last number, behind ####, all of it.");
  v("comparator", c.comparator, "When two answers are equal.");
  v("verifier", c.verifier.command, "Command and arguments of a program that compares instead. Empty: none.");
  v("verifier_timeout", c.verifier.timeout, kWait, MayChange("For one comparison of the verifier."));
  v.Section("code", [&](auto& s) {
    programs::CodeConfig& run = c.code.judge.run;
    s("python", run.python, MayChange("The interpreter of the programs."));
    s("inputs", c.code.inputs, "Column of the row with the inputs. Empty: the anchor writes them.");
    s("input_kind", c.code.judge.inputs, "What an input is.");
    s("entry_point", c.code.entry_point, "Column of the row with the name of the asked function.");
    s("timeout", run.limits.wall, Real{1e-3, 86'400, "seconds"}, MayChange("For one program."));
    s("cpu", run.limits.cpu_seconds, Real{1, 86'400, "seconds"}, MayChange("Processor time of one program."));
    s("memory", run.limits.memory, Whole{64, 1 << 20, "MiB", 1 << 20}, MayChange("Memory of one program."));
    s("jobs", c.code.judge.jobs, Whole{1, 1024}, MayChange("Programs at a time."));
  });
}

template <class V>
void Describe(V& v, estimators::RubricConfig& c) {
  v("system", c.system, "System turn of the anchor's prompt for criteria.");
  v("instruction", c.instruction, "What the anchor is asked; {reference} stands for its reference.");
  v("format", c.format, "How the criteria are written.");
  v("separator", c.separator, "What stands between two criteria of format: separated.");
  v("min_criteria", c.min_criteria, Whole{1, 1000}, "Fewer: one further try, then the group fails.");
  v("words_per_criterion", c.words_per_criterion, Whole{0, 1'000'000, "words"},
    "A short reference needs only one criterion for so many words. 0: always min_criteria.");
  v("max_criteria", c.max_criteria, Whole{1, 10'000}, "Further ones are dropped.");
  v("retry_temperature", c.retry_temperature, Real{1e-3, 100}, "Of the further try where the first is greedy.");
  v.Section("sampling", [&](auto& s) { Describe(s, c.sampling); });
}

template <class V>
void Describe(V& v, learner::LossConfig& c) {
  v("loss_type", c.type, "The loss.");
  v("beta", c.beta, Real{0, 100}, MayChange("KL coefficient. 0: the initial policy is not kept."));
  v("epsilon", c.epsilon, Real{1e-6, 1}, MayChange("How far the ratio may fall below 1."));
  v("epsilon_high", c.epsilon_high, Real{1e-6, 1000},
    MayChange("How far the ratio may rise above 1. Left out: as epsilon."));
  v.Section("importance_sampling", [&](auto& s) {
    s("level", c.importance_sampling.level, "What gets a weight.");
    s("mode", c.importance_sampling.mode, "What happens to weights outside.");
    s("clip_min", c.importance_sampling.clip_min, Real{0, 1e6}, MayChange("The least weight."));
    s("clip_max", c.importance_sampling.clip_max, Real{1e-6, 1e6}, MayChange("The largest weight."));
  });
}

template <class V>
void Describe(V& v, learner::OptimizerConfig& c) {
  v("learning_rate", c.learning_rate, kLearningRate, MayChange("Of AdamW."));
  v("lr_scheduler", c.schedule, MayChange("How the learning rate goes on after the warm-up."));
  v("warmup_steps", c.warmup_steps, kSteps, MayChange("Optimizer steps in which the learning rate rises."));
  v("adam_beta1", c.beta1, kMomentum, MayChange("Decay of the first moments."));
  v("adam_beta2", c.beta2, kMomentum, MayChange("Decay of the second moments."));
  v("adam_epsilon", c.eps, Real{1e-30, 1}, MayChange("Added to the root of the second moments."));
  v("weight_decay", c.weight_decay, Real{0, 100}, MayChange("Of AdamW."));
  v("max_grad_norm", c.max_grad_norm, Real{0, 1e9}, MayChange("The gradient is scaled down to it. 0: never."));
}

template <class V>
void Describe(V& v, learner::TrainerConfig& c) {
  v("num_iterations", c.num_iterations, Whole{1, 1000}, "Passes over each step's groups.");
  v("scale_rewards", c.scale_rewards, "By whose deviation advantages are divided.");
  v("kl_in", c.kl_in, "Where the KL term stands.");
  Describe(v, c.loss);
  Describe(v, c.optimizer);
  v("micro_batch_tokens", c.micro_batch_tokens, Whole{1, 1 << 26, "tokens"},
    MayChange("Computed together by one rank."));
  v("gradient_checkpointing", c.gradient_checkpointing, MayChange("Activations are computed again instead of kept."));
  v("offload_reference", c.offload_reference, MayChange("The KL reference lies in host memory between steps."));
}

template <class V>
void Describe(V& v, TrainConfig& c) {
  v("max_steps", c.max_steps, Whole{1, kSteps.most, "steps"}, MayChange("Length of the run."));
  v("groups_per_step", c.groups_per_step, Whole{1, 65'536, "groups"}, "Prompts of one step.");
  v("num_generations", c.num_generations, Whole{2, 1024, "rollouts"}, "Rollouts of one prompt.");
  v("max_empty_steps", c.max_empty_steps, kSteps,
    MayChange("Steps in a row that teach nothing end the run. 0: they do not."));
  Describe(v, c.trainer);
  v("max_staleness", c.max_staleness, Whole{0, 1000, "steps"},
    MayChange("How old a rollout's weights may be. 0: synchronous."));
  v("save_steps", c.save_steps, kSteps, MayChange("A checkpoint every so many steps. 0: only at the end."));
  v("save_behind", c.save_behind,
    MayChange("Those checkpoints are copied in memory and written to the disk while the training goes on. false: the "
              "training waits for the disk, and the memory of the copy is saved."));
  v("keep_checkpoints", c.keep_checkpoints, kCount, MayChange("So many of the newest are kept. 0: all."));
}

template <class V>
void Describe(V& v, EvalConfig& c) {
  v("data", c.data, "Labelled JSONL. Empty: no evaluation during training.");
  v("steps", c.steps, kSteps, "During training every so many steps and at the end. 0: never.");
  v("limit", c.limit, kRows, "So many rows, spread evenly over the file.");
  v("group_sizes", c.group_sizes, kGroupSize, "The G that `eval` compares.");
  v("estimators", c.estimators, "What `eval` compares.");
  v("position_vote", c.position_vote, "A vote per position of symbols between spaces, as a further line.");
}

// What runs where.
template <class V>
void DescribeMachine(V& v, RunConfig& c) {
  v.Section("engine", OnResume::kMayChange, [&](auto& s) {
    s("cache_tokens", c.engine.cache_tokens, Whole{256, std::int64_t{1} << 32, "tokens"},
      "Keys and values kept at once.");
    s("max_rows", c.engine.max_rows, Whole{1, 1 << 20, "rollouts"}, "Decoded at once.");
    s("max_groups", c.max_groups, Whole{1, 65'536, "groups"}, "Held by an actor at once.");
  });
  v.Section("threads", OnResume::kMayChange, [&](auto& s) {
    s("learner", c.threads.learner, kThreads, "Of the learner.");
    s("actor", c.threads.actor, kThreads, "Of each actor.");
    s("anchor", c.threads.anchor, kThreads, "Of each anchor.");
    s("judge", c.threads.judge, kThreads, "Of a judge that is a model.");
  });
  v.Section("placement", OnResume::kMayChange, [&](auto& s) {
    s("ranks", c.placement.ranks,
      "Under mpirun the role of each place, learners first; learner*6 is six. Empty: by the keys below.");
    s("hosts", c.placement.hosts,
      "Under mpirun or srun the roles of each host, as in learner*2 actor@2 judge: @2 is a GPU of the host.");
    s("learners", c.placement.learners, Whole{0, 1024},
      "Under mpirun or srun so many of each role are dealt out to hosts and GPUs; 0: by the number of places.");
    s("actors", c.placement.actors, Whole{1, 1024}, "How many, in one process too.");
    s("anchors", c.placement.anchors, Whole{1, 1024}, "How many, in one process too.");
    s("judges", c.placement.judges, Whole{1, 1024}, "How many, in one process too.");
  });
  v.Section("network", OnResume::kMayChange, [&](auto& s) {
    s("interface", c.network.interface,
      "Of each host, by which its roles reach the others: a name, or a network as 10.0.0.0/24.");
    s("address", c.network.address, "Of one host, in the place of interface: the others take theirs of its network.");
    s("ports", c.network.ports, "That roles listen on, for a firewall: 40000-40100; * is any.");
  });
  v.Section("timeouts", OnResume::kMayChange, [&](auto& s) {
    s("lease", c.timeouts.lease, kWait, "A prompt that is not returned by then is given out again.");
    s("step", c.timeouts.step, kWait, "A step without progress ends the run with a diagnosis.");
    s("call", c.timeouts.call, kWait, "One call of anchor or judge.");
    s("collective", c.timeouts.collective, kWait, "Ranks waiting for each other. Left out: at least as step.");
  });
}

template <class V>
void Describe(V& v, RunConfig& c) {
  v("name", c.name, MayChange("The run writes folder/name."));
  v("folder", c.folder, MayChange("The run writes folder/name."));
  v("seed", c.seed, kSeed, "Of all that is random.");
  v("model", c.model, ByContent("Hugging Face folder: initial policy, anchor and KL reference."));
  v("device", c.device, MayChange("cpu, cuda, or cuda:N for that GPU."));
  v("dtype", c.dtype, "What all roles compute in; master weights are float32.");
  v("device_memory_gib", c.device_memory_gib, Real{0.1, 1e6, "GiB"}, MayChange("Of a GPU, for the memory plan."));
  v("estimator", c.estimator, "Where references come from.");
  v.Section("data", [&](auto& s) { Describe(s, c.data); });
  v.Section("prompt", [&](auto& s) { Describe(s, c.prompt); });
  v.Section("rollout", [&](auto& s) { Describe(s, c.rollout); });
  v.Section("anchor", [&](auto& s) { Describe(s, c.anchor); });
  v.Section("select", [&](auto& s) { Describe(s, c.select); });
  v.Section("answer", [&](auto& s) { Describe(s, c.answer); });
  v.Section("rubric", [&](auto& s) { Describe(s, c.rubric); });
  v.Section("judge", [&](auto& s) { Describe(s, c.judge); });
  v.Section("train", [&](auto& s) { Describe(s, c.train); });
  v.Section("eval", OnResume::kMayChange, [&](auto& s) { Describe(s, c.eval); });
  v.Section("collapse", OnResume::kMayChange, [&](auto& s) {
    s("stop", c.collapse.stop, "Whether the alarm ends the run.");
    s("rise", c.collapse.rule.rise, kShare,
      "The alarm: answers to different prompts are more similar by this than in the first steps, and kappa is low.");
    s("kappa", c.collapse.rule.kappa, Real{-1, 1},
      "Kappa is low below this. It is 1 where the prompt decides the answer, 0 where it does not matter.");
    s("certain", c.collapse.rule.certain, kShare,
      "Answers to different prompts that are this similar are an alarm whatever kappa is.");
    s("patience", c.collapse.rule.patience, Whole{1, kSteps.most, "steps"},
      "Steps in a row that show it until the alarm fires.");
  });
  DescribeMachine(v, c);
}

}  // namespace autodidact::launch
