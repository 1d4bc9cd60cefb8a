// The config of `sft`, as run_config.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "launch/config/run_config.h"
#include "model/config.h"
#include "sft/config.h"

namespace autodidact::launch {

enum class SftTokenizer { kSymbols, kBpe };
constexpr auto NamesOf(SftTokenizer) {
  return base::NameTable<SftTokenizer, 2>{{{SftTokenizer::kSymbols, "symbols"}, {SftTokenizer::kBpe, "bpe"}}};
}

// One file of pairs in a mixture.
struct SftSource {
  std::string file = {};
  double weight = 1.0;  // relative number of rows drawn from it
};

// The skill of reconciling: candidates are sampled from models that were not trained on their rows.
struct ReconcileConfig {
  bool enabled = false;
  sft::CrossfitConfig crossfit;  // its sampling, training and batches follow from other keys
  // JSONL of prompts without labels: candidates are sampled on these in place of folds, from one model that learned all
  // pairs, and what most candidates of a prompt equal is what is right (sft/crossfit.h). Empty: folds of the pairs.
  std::string prompts = {};
  std::int64_t max_prompts = 0;    // so many of them, spread evenly over the file; 0: all
  std::int64_t fold_steps = 1000;  // of supervised training of each fold's model
  sft::ReconcileRules rules{.group_sizes = {1, 2, 4, 8, 16}};
  bool continue_from_fold = true;  // the final model goes on from a fold's; else from where the folds began
  double share = 0.33;             // of the rows of a batch
};

struct SftConfig {
  std::string output = {};  // Hugging Face folder to write
  std::int64_t seed = 0;
  std::string model = {};  // folder to start from; empty: from nothing, with the shape below
  std::vector<SftSource> data = {};
  SftTokenizer tokenizer = SftTokenizer::kSymbols;  // from nothing only
  std::int64_t vocab_size = 4096;                   // of bpe
  std::vector<std::string> extra_symbols = {};      // beside those of the data (separators of the anchor's prompt)
  model::ModelConfig shape{.hidden_size = 128,      // what it does not say follows from it and from the tokenizer
                           .intermediate_size = 352,
                           .num_layers = 4,
                           .num_heads = 4,
                           .num_kv_heads = 4,
                           .max_position_embeddings = 512};
  double initializer_range = 0.02;  // standard deviation of the first weights
  PromptConfig prompt;
  estimators::SynthesisConfig anchor;  // how candidates stand in the anchor's prompt
  engine::SamplingParams rollout;      // how candidates are sampled
  ReconcileConfig reconcile;
  std::int64_t max_steps = 1000;
  std::int64_t batch_size = 64;  // rows
  learner::OptimizerConfig optimizer{.learning_rate = 3e-3,
                                     .schedule = learner::Schedule::kCosine,
                                     .warmup_steps = 100,
                                     .final_fraction = 0.02,
                                     .beta2 = 0.95,
                                     .weight_decay = 0.1};
  std::int64_t save_steps = 500;  // a checkpoint every so many steps; 0: only when it is stopped
  double held_out = 0;            // share of each file's rows that is only measured on; 0: none
  std::string eval_data = {};     // JSONL of further rows to measure on; empty: none
  std::int64_t eval_steps = 100;  // the held-out loss every so many steps and at the end: the best weights are kept
  std::int64_t threads = 0;
};

SftConfig ReadSftConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides);
std::string ToYaml(const SftConfig& config);
std::vector<KeyInfo> SftKeys();

}  // namespace autodidact::launch
