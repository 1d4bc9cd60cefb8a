// What `sft` learns from: files as examples, some of them held out, and what a model from nothing is made of.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/rows.h"
#include "launch/config/sft_config.h"
#include "model/config.h"
#include "sft/examples.h"
#include "sft/trainer.h"
#include "text/tokenizer.h"

namespace autodidact::launch {

// A source file holds pairs, or rows of candidates to reconcile; the first row tells.
struct SftRows {
  std::vector<data::Pair> pairs;
  std::vector<sft::CandidateRow> candidates;

  std::size_t size() const { return pairs.size() + candidates.size(); }
};

struct SftMaterial {
  std::vector<SftRows> sources;         // in the order of the config, without what is held out
  std::vector<SftRows> held_out;        // only measured on: held_out of each source, and eval_data
  std::vector<schema::Prompt> prompts;  // without labels, to sample candidates on
};
// Error(kBadInput) naming the file for rows that cannot be read and for a file without an example to learn.
SftMaterial ReadSftMaterial(const SftConfig& config);

// Writes tokenizer.json and its config for a model from nothing, from all texts of the material.
void MakeSftTokenizer(const SftConfig& config, const SftMaterial& material, const std::filesystem::path& folder);
model::ModelConfig MakeSftShape(const SftConfig& config, const text::Tokenizer& tokenizer);

sft::SupervisedConfig SupervisedOf(const SftConfig& config, std::int64_t steps);

// Each source's examples per batch, by weight; the reconciling of sampled candidates takes its share first.
std::vector<std::int64_t> SplitSftBatch(const SftConfig& config);

}  // namespace autodidact::launch
