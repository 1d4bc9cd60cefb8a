// Checkpoints: everything from which a run goes on as if it had not stopped, independent of the number of ranks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "data/checkpoint_files.h"
#include "learner/flat_parameters.h"
#include "learner/optimizer.h"

namespace autodidact::learner {

// Files of a checkpoint: model/ (a Hugging Face folder, in the dtype that is computed with),
// optimizer/exp_avg.safetensors and exp_avg_sq.safetensors (with bf16 master.safetensors too), and those of
// data/checkpoint_files.h, of which the manifest is written last.
using data::CheckpointState;
using data::ReadCheckpointState;

// All ranks of the optimizer call it; rank 0 writes root/step_NNNNNN under a temporary name, renames it when whole,
// points root/latest to it, and deletes the oldest beyond `keep` (0: keep all). Blocks for the writing.
// Error(kBadInput) when the disk refuses.
void WriteCheckpoint(const std::filesystem::path& root, const CheckpointState& state, const FlatParameters& parameters,
                     const AdamW& optimizer, const std::filesystem::path& tokenizer_from, std::int64_t keep,
                     bool writes = true);

// The newest checkpoint under root whose manifest is whole, or nothing. One that fails its checksums is passed over
// with a warning.
std::optional<std::filesystem::path> FindCheckpoint(const std::filesystem::path& root);

// By every rank for itself, however many there are. Error(kBadInput) naming the file when weights or moments do not
// fit.
void RestoreCheckpoint(const std::filesystem::path& checkpoint, const CheckpointState& state,
                       FlatParameters& parameters, AdamW& optimizer);

}  // namespace autodidact::learner
