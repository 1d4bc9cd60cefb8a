// The description of the config of `sft`.
#pragma once

#include "launch/config/describe_common.h"
#include "launch/config/sft_config.h"

namespace autodidact::launch {

template <class V>
void Describe(V& v, ReconcileConfig& c) {
  v("enabled", c.enabled, "Whether the model also learns to reconcile candidates.");
  v("folds", c.crossfit.folds, Whole{2, 1000}, "Models of which each samples on the rows that it did not learn.");
  v("prompts", c.prompts, "JSONL of prompts without labels to sample on in place of folds.");
  v("max_prompts", c.max_prompts, kRows, "So many of them, spread evenly over the file.");
  v("fold_steps", c.fold_steps, Whole{1, kSteps.most, "steps"}, "Of training of each fold's model.");
  v("num_candidates", c.crossfit.num_candidates, Whole{1, 1024}, "Sampled for each row; groups are drawn from them.");
  v("group_sizes", c.rules.group_sizes, kGroupSize, "How many candidates stand in a prompt.");
  v("apart", c.crossfit.apart, "The first fold is for reconciling alone, the others for answering alone.");
  v("max_unsupported", c.rules.max_unsupported, Whole{-1, kCount.most},
    "Pairs of the answer that a group may lack. -1: any.");
  v("exchanged", c.rules.exchanged, kShare, "Share of rows whose symbols change places.");
  v("continue_from_fold", c.continue_from_fold, "The final model goes on from a fold's.");
  v("share", c.share, kShare, "Of the rows of a batch.");
}

template <class V>
void DescribeShape(V& v, SftConfig& c) {
  v("tokenizer", c.tokenizer, "Of a model from nothing.");
  v("vocab_size", c.vocab_size, Whole{1, 1 << 24, "tokens"}, "Of tokenizer: bpe.");
  v("extra_symbols", c.extra_symbols, "Symbols beside those of the data.");
  v("hidden_size", c.shape.hidden_size, Whole{2, 65'536}, "Width of a model from nothing.");
  v("intermediate_size", c.shape.intermediate_size, Whole{1, 1 << 20}, "Width of its feed-forward part.");
  v("num_layers", c.shape.num_layers, Whole{1, 1024}, "Its layers.");
  v("num_heads", c.shape.num_heads, Whole{1, 1024}, "Its attention heads.");
  v("num_kv_heads", c.shape.num_kv_heads, Whole{1, 1024}, "Its heads of keys and values.");
  v("max_position_embeddings", c.shape.max_position_embeddings, Whole{1, 1 << 24, "tokens"}, "Its context.");
  v("rope_theta", c.shape.rope.theta, Real{1, 1e9}, "Base of its rotary positions.");
  v("tie_word_embeddings", c.shape.tie_word_embeddings, "Its output shares the weights of its input.");
  v("initializer_range", c.initializer_range, Real{1e-9, 100}, "Standard deviation of its first weights.");
}

template <class V>
void Describe(V& v, SftConfig& c) {
  v("output", c.output, "Hugging Face folder to write.");
  v("seed", c.seed, kSeed, "Of all that is random.");
  v("model", c.model, "Folder to start from. Empty: from nothing, in the shape below.");
  v.List("data", c.data, [](auto& s, SftSource& source) {
    s("file", source.file, "JSONL of prompts with answers, or of candidates to reconcile.");
    s("weight", source.weight, Real{0, 1e9}, "Relative number of rows drawn from it.");
  });
  DescribeShape(v, c);
  v.Section("prompt", [&](auto& s) { Describe(s, c.prompt); });
  v.Section("anchor", [&](auto& s) { Describe(s, c.anchor); });
  v.Section("rollout", [&](auto& s) { Describe(s, c.rollout); });
  v.Section("reconcile", [&](auto& s) { Describe(s, c.reconcile); });
  v("max_steps", c.max_steps, Whole{1, kSteps.most, "steps"}, "Of training.");
  v("batch_size", c.batch_size, Whole{1, 1 << 20, "rows"}, "Of one step.");
  v("learning_rate", c.optimizer.learning_rate, kLearningRate, "Of AdamW.");
  v("lr_scheduler", c.optimizer.schedule, "How the learning rate goes on after the warm-up.");
  v("final_fraction", c.optimizer.final_fraction, kShare, "Of the learning rate, at the end of the run.");
  v("warmup_steps", c.optimizer.warmup_steps, kSteps, "In which the learning rate rises.");
  v("adam_beta1", c.optimizer.beta1, kMomentum, "Decay of the first moments.");
  v("adam_beta2", c.optimizer.beta2, kMomentum, "Decay of the second moments.");
  v("weight_decay", c.optimizer.weight_decay, Real{0, 100}, "Of AdamW.");
  v("max_grad_norm", c.optimizer.max_grad_norm, Real{0, 1e9}, "The gradient is scaled down to it. 0: never.");
  v("save_steps", c.save_steps, kSteps, "A checkpoint every so many steps. 0: only when it is stopped.");
  v("held_out", c.held_out, Real{0, 0.9}, "Share of each file's rows that is only measured on. 0: none.");
  v("eval_data", c.eval_data, "JSONL of further rows to measure on. Empty: none.");
  v("eval_steps", c.eval_steps, Whole{1, kSteps.most, "steps"},
    "The held-out loss every so many steps and at the end; the best weights are kept.");
  v("threads", c.threads, kThreads, "Of the training.");
}

}  // namespace autodidact::launch
