// The checkpoints of a run as files: their names, which of them are whole, and the descriptive files state.json and
// manifest.json, by which a whole checkpoint is told from a damaged or unfinished one. Pure functions over a folder;
// any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace autodidact::data {

// What a run is made of: two that are to be one must share it (launch/train/resume_rules.h says what of it).
struct RunFacts {
  std::map<std::string, std::string> keys;      // of the resolved config ("train.beta"), with their values
  std::map<std::string, std::string> contents;  // what was read ("model", "data.train"), with its checksum
};

// What a checkpoint says beside weights and optimizer.
struct CheckpointState {
  std::int64_t step = 0;      // steps that are done
  std::uint64_t version = 0;  // weight version
  std::int64_t optimizer_steps = 0;
  RunFacts run;
  std::map<std::string, std::string> notes;  // state of hooks, opaque here (the collapse monitor's, say)
};

// folder/state.json. Error(kBadInput) naming file and key when it cannot be written, read or understood, and for one
// that does not say what its run is made of.
void WriteCheckpointState(const std::filesystem::path& folder, const CheckpointState& state);
CheckpointState ReadCheckpointState(const std::filesystem::path& folder);

// folder/manifest.json with a checksum for every file below the folder: written last, it makes the folder whole.
// Error(kBadInput) when a file cannot be read or the manifest not be written.
void WriteManifest(const std::filesystem::path& folder);
// Empty when every file of the manifest is there with its checksum; else what is wrong. Never throws for what the
// folder holds.
std::string FindDamage(const std::filesystem::path& folder);

// "step_000100".
std::string CheckpointName(std::int64_t step);

struct CheckpointFolder {
  std::int64_t step = 0;
  std::filesystem::path path;
};
// The folders below `root` that have the name of a checkpoint, whole or not, by their steps. None where there is no
// `root`.
std::vector<CheckpointFolder> ListCheckpoints(const std::filesystem::path& root);

// The newest checkpoint below `root` that is whole, or nothing. One that is not is passed over with a warning.
std::optional<std::filesystem::path> FindCheckpoint(const std::filesystem::path& root);

// What a write or a deletion that was cut off left below `root`: under the names of CheckpointWriting and
// CheckpointRemoving. Removes it.
void RemoveCheckpointLeftovers(const std::filesystem::path& root);
std::filesystem::path CheckpointWriting(const std::filesystem::path& root, const std::string& name);
std::filesystem::path CheckpointRemoving(const std::filesystem::path& root, const std::string& name);

// Points root/latest to the checkpoint `name`, by one rename; where there can be no such link, with a warning instead.
void PointLatestTo(const std::filesystem::path& root, const std::string& name);

}  // namespace autodidact::data
