// Checkpoints: everything from which a run goes on as if it had not stopped, independent of the number of ranks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "data/checkpoint_files.h"
#include "data/durable.h"
#include "learner/flat_parameters.h"
#include "learner/optimizer.h"
#include "model/weight_set.h"

namespace autodidact::learner {

// Files of a checkpoint: model/ (a Hugging Face folder, in the dtype that is computed with),
// optimizer/exp_avg.safetensors and exp_avg_sq.safetensors (with bf16 master.safetensors too), and those of
// data/checkpoint_files.h, of which the manifest is written last.
using data::CheckpointState;
using data::FindCheckpoint;
using data::ReadCheckpointState;

struct CheckpointPlace {
  std::filesystem::path root = {};            // of all of a run
  std::filesystem::path tokenizer_from = {};  // folder whose tokenizer files go into model/
  std::int64_t keep = 0;                      // so many; 0: all
  // The bytes that the disk has left, and a look at the folder after each operation on it: for tests.
  std::function<std::uint64_t(const std::filesystem::path&)> free_bytes = data::FreeBytes;
  std::function<void()> after_operation = {};
};

// Bytes of a checkpoint of a model with so many weights that are computed with in `type`.
std::uint64_t CheckpointBytes(std::int64_t num_weights, at::ScalarType type);
// Of them, those of the optimizer's vectors: what a CheckpointCopy holds beside the weights.
std::uint64_t VectorBytes(std::int64_t num_weights, at::ScalarType type);

// All ranks of the optimizer call it; rank 0 (`writes`) writes root/step_NNNNNN under another name, flushes it to the
// disk, renames it when it is whole, points root/latest to it, and deletes the oldest beyond `keep`. So at every moment
// the newest checkpoint that was whole is there, or a newer one. Blocks for the writing. Error(kRetryLater) when the
// disk refuses or has no room: then all older ones are still there, unless deleting those that `keep` does not ask for
// makes the room.
void WriteCheckpoint(const CheckpointPlace& place, const CheckpointState& state, const FlatParameters& parameters,
                     const AdamW& optimizer, bool writes = true);

// What a checkpoint is made of, apart from the training that goes on; host memory beside the weights.
struct CheckpointCopy {
  CheckpointState state;
  model::SharedWeights weights;
  std::vector<std::pair<StateVector, at::Tensor>> vectors;  // whole, laid out like FlatParameters::flat()
  std::uint64_t bytes = 0;                                  // of the vectors
  double seconds = 0;                                       // that the copying took
};
// All ranks of the optimizer call it; nothing but on rank 0 (`writes`). `weights` are those of now. Blocks for the
// collectives and the copy.
std::optional<CheckpointCopy> CopyForCheckpoint(CheckpointState state, model::SharedWeights weights,
                                                const AdamW& optimizer, bool writes = true);
// As above, from a copy; of the parameters only their layout is read. Any thread.
void WriteCheckpoint(const CheckpointPlace& place, const CheckpointCopy& copy, const FlatParameters& parameters);

// By every rank for itself, however many there are. Error(kBadInput) naming the file when weights or moments do not
// fit.
void RestoreCheckpoint(const std::filesystem::path& checkpoint, const CheckpointState& state,
                       FlatParameters& parameters, AdamW& optimizer);

}  // namespace autodidact::learner
