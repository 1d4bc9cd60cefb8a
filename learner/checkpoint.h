// Checkpoints: everything from which a run goes on as if it had not stopped, independent of the number of ranks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "learner/flat_parameters.h"
#include "learner/optimizer.h"

namespace autodidact::learner {

// What a checkpoint says beside weights and optimizer. Files: model/ (a Hugging Face folder),
// optimizer/moments.safetensors, state.json, and manifest.json with the checksum of each, which is written last.
struct CheckpointState {
  std::int64_t step = 0;      // steps that are done
  std::uint64_t version = 0;  // weight version
  std::int64_t optimizer_steps = 0;
  std::string fingerprint;                   // of the config and data that the sequence of prompts depends on
  std::map<std::string, std::string> notes;  // state of hooks, opaque here (the collapse monitor's, say)
};

// Writes root/step_NNNNNN under a temporary name, renames it when whole, points root/latest to it, and deletes the
// oldest beyond `keep` (0: keep all). Blocks for the writing. Error(kBadInput) when the disk refuses.
void WriteCheckpoint(const std::filesystem::path& root, const CheckpointState& state, const FlatParameters& parameters,
                     const AdamW& optimizer, const std::filesystem::path& tokenizer_from, std::int64_t keep);

// The newest checkpoint under root whose manifest is whole, or nothing. One that fails its checksums is passed over
// with a warning.
std::optional<std::filesystem::path> FindCheckpoint(const std::filesystem::path& root);

CheckpointState ReadCheckpointState(const std::filesystem::path& checkpoint);
// Error(kBadInput) naming the file when weights or moments do not fit.
void RestoreCheckpoint(const std::filesystem::path& checkpoint, const CheckpointState& state,
                       FlatParameters& parameters, AdamW& optimizer);

}  // namespace autodidact::learner
