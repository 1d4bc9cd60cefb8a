// The descriptive files of a checkpoint: state.json, and manifest.json, by which a whole checkpoint is told from a
// damaged or unfinished one. Pure functions over a folder; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace autodidact::data {

// What a checkpoint says beside weights and optimizer.
struct CheckpointState {
  std::int64_t step = 0;      // steps that are done
  std::uint64_t version = 0;  // weight version
  std::int64_t optimizer_steps = 0;
  std::string fingerprint;                   // of the config and data that the sequence of prompts depends on
  std::map<std::string, std::string> notes;  // state of hooks, opaque here (the collapse monitor's, say)
};

// folder/state.json. Error(kBadInput) naming file and key when it cannot be written, read or understood.
void WriteCheckpointState(const std::filesystem::path& folder, const CheckpointState& state);
CheckpointState ReadCheckpointState(const std::filesystem::path& folder);

// folder/manifest.json with a checksum for every file below the folder: written last, it makes the folder whole.
// Error(kBadInput) when a file cannot be read or the manifest not be written.
void WriteManifest(const std::filesystem::path& folder);
// Empty when every file of the manifest is there with its checksum; else what is wrong. Never throws for what the
// folder holds.
std::string FindDamage(const std::filesystem::path& folder);

}  // namespace autodidact::data
