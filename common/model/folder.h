// A Hugging Face model folder: config.json, model.safetensors (or shards with an index), tokenizer files.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>

#include "model/weight_set.h"

namespace autodidact::model {

// Reads config and weights, converted to `type` on `device`. Every tensor is checked against ParameterShapes: missing,
// surplus, wrong shape or type, a truncated or lying file: Error(kBadInput) naming file and tensor. Files are mapped,
// so no second copy of the whole is held.
SharedWeights LoadModel(const std::filesystem::path& folder, at::ScalarType type, at::Device device,
                        std::uint64_t version = 0);

// Writes config.json and model.safetensors (in shards with an index above shard_bytes) in `type`. Each file is written
// under a temporary name and renamed. Tokenizer and template files are copied over from `tokenizer_from` where they
// exist.
void SaveModel(const WeightSet& weights, at::ScalarType type, const std::filesystem::path& folder,
               const std::filesystem::path& tokenizer_from, std::int64_t shard_bytes = 5'000'000'000);

}  // namespace autodidact::model
