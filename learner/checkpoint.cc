#include "learner/checkpoint.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"
#include "model/folder.h"
#include "model/safetensors.h"

namespace autodidact::learner {
namespace {

namespace fs = std::filesystem;

// Config, tokenizer and manifest, and what file systems take for themselves.
constexpr std::uint64_t kSmallFiles = 16 << 20;

fs::path FileOf(const fs::path& checkpoint, StateVector vector) {
  return checkpoint / "optimizer" / (std::string(NameOf(vector)) + ".safetensors");
}

// One checkpoint on its way to the disk, by rank 0.
class Writing {
 public:
  Writing(const CheckpointPlace& place, const CheckpointState& state)
      : place_(place),
        state_(state),
        name_(data::CheckpointName(state.step)),
        partial_(data::CheckpointWriting(place.root, name_)) {}

  const fs::path& folder() const { return partial_; }
  std::string what() const { return "checkpoint " + (place_.root / name_).string(); }

  void Begin(std::uint64_t bytes) {
    fs::create_directories(place_.root);
    data::RemoveCheckpointLeftovers(place_.root);
    MakeRoom(bytes);
    fs::create_directories(partial_ / "optimizer");
    Done();
  }

  void Complete() {
    data::WriteCheckpointState(partial_, state_);
    Done();
    data::WriteManifest(partial_);
    Done();
    data::SyncTree(partial_);
    data::ExchangeOrRename(partial_, place_.root / name_);
    Done();
    data::SyncFolder(place_.root);
    // What had the name before was not whole: the run would not be at this step again.
    fs::remove_all(partial_);
    data::PointLatestTo(place_.root, name_);
    Done();
    data::SyncFolder(place_.root);
    auto checkpoints = data::ListCheckpoints(place_.root);
    while (place_.keep > 0 && std::ssize(checkpoints) > place_.keep) {
      Remove(checkpoints.front());
      checkpoints.erase(checkpoints.begin());
    }
  }

  // Its part gives the disk its room back.
  void GiveUp() {
    std::error_code ignored;
    fs::remove_all(partial_, ignored);
  }

  void Done() const {
    if (place_.after_operation) place_.after_operation();
  }

 private:
  // Renamed first, so that what has the name of a checkpoint is never half a one.
  void Remove(const data::CheckpointFolder& checkpoint) {
    const fs::path removing = data::CheckpointRemoving(place_.root, checkpoint.path.filename().string());
    base::FaultPoint("checkpoint.remove");
    fs::rename(checkpoint.path, removing);
    Done();
    fs::remove_all(removing);
    Done();
  }

  // The oldest that `keep` does not ask for may go before the new one is there, where that makes the room; the newest
  // never.
  void MakeRoom(std::uint64_t bytes) {
    const std::uint64_t free = place_.free_bytes(place_.root);
    if (free >= bytes) return;
    auto checkpoints = data::ListCheckpoints(place_.root);
    const std::int64_t surplus = place_.keep > 0 ? std::ssize(checkpoints) - (place_.keep - 1) : 0;
    const std::int64_t may_go =
        std::clamp<std::int64_t>(surplus, 0, std::max<std::int64_t>(0, std::ssize(checkpoints) - 1));
    std::uint64_t room = free;
    std::int64_t going = 0;
    while (going < may_go && room < bytes) room += data::SizeOf(checkpoints[static_cast<std::size_t>(going++)].path);
    if (room < bytes) {
      throw base::Error(
          base::ErrorKind::kRetryLater,
          base::Format("{}: it takes {}, and the disk has {} left: make room there, or keep fewer "
                       "(train.keep_checkpoints), and go on with --resume; the checkpoints that are there "
                       "are as they were",
                       what(), data::SizeText(bytes), data::SizeText(free)));
    }
    base::LogWarning("{}: the disk has {} left: the oldest {} of {} go before it is written", what(),
                     data::SizeText(free), going, checkpoints.size());
    for (std::int64_t i = 0; i < going; ++i) Remove(checkpoints[static_cast<std::size_t>(i)]);
  }

  const CheckpointPlace& place_;
  const CheckpointState& state_;
  std::string name_;
  fs::path partial_;
};

// The parts of a checkpoint, one after another; a failure of the disk leaves nothing of it.
class Parts {
 public:
  Parts(const CheckpointPlace& place, const CheckpointState& state, const FlatParameters& layout)
      : place_(place), writing_(place, state), layout_(layout) {}

  void Begin() {
    OrGiveUp([&] { writing_.Begin(CheckpointBytes(layout_.size(), layout_.type())); });
  }
  void Add(const model::WeightSet& weights) {
    OrGiveUp([&] {
      model::SaveModel(weights, layout_.type(), writing_.folder() / "model", place_.tokenizer_from);
      writing_.Done();
    });
  }
  void Add(StateVector vector, const at::Tensor& whole) {
    OrGiveUp([&] {
      std::vector<std::pair<std::string, at::Tensor>> tensors;
      for (const auto& [tensor, value] : layout_.Unflatten(whole)) tensors.emplace_back(tensor, value);
      model::WriteSafetensors(FileOf(writing_.folder(), vector), tensors, at::kFloat);
      writing_.Done();
    });
  }
  void Complete() {
    OrGiveUp([&] { writing_.Complete(); });
  }

 private:
  template <typename Operation>
  void OrGiveUp(const Operation& operation) {
    try {
      operation();
    } catch (const fs::filesystem_error& error) {
      GiveUp(error.what());
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::kBadInput) throw;
      GiveUp(error.message());
    }
  }
  [[noreturn]] void GiveUp(const std::string& reason) {
    writing_.GiveUp();
    throw base::Error(base::ErrorKind::kRetryLater,
                      base::Format("{}: {}; the older ones are as they were, and --resume goes on from the newest",
                                   writing_.what(), reason));
  }

  const CheckpointPlace& place_;
  Writing writing_;
  const FlatParameters& layout_;
};

}  // namespace

std::uint64_t VectorBytes(std::int64_t num_weights, at::ScalarType type) {
  const std::uint64_t vectors = type == at::kFloat ? 2 : 3;
  return static_cast<std::uint64_t>(num_weights) * vectors * sizeof(float);
}

std::uint64_t CheckpointBytes(std::int64_t num_weights, at::ScalarType type) {
  return static_cast<std::uint64_t>(num_weights) * c10::elementSize(type) + VectorBytes(num_weights, type) +
         kSmallFiles;
}

void WriteCheckpoint(const CheckpointPlace& place, const CheckpointState& state, const FlatParameters& parameters,
                     const AdamW& optimizer, bool writes) {
  std::optional<Parts> parts;
  if (writes) {
    parts.emplace(place, state, parameters);
    parts->Begin();
    parts->Add({parameters.config(), parameters.Unflatten(parameters.flat().detach()), state.version});
  }
  // One vector at a time: the whole of one is all that rank 0 holds beside its share.
  for (const StateVector vector : optimizer.vectors()) {
    const at::Tensor whole = optimizer.Collect(vector);
    if (parts) parts->Add(vector, whole);
  }
  if (parts) parts->Complete();
}

std::optional<CheckpointCopy> CopyForCheckpoint(CheckpointState state, model::SharedWeights weights,
                                                const AdamW& optimizer, bool writes) {
  const auto start = base::Clock::now();
  CheckpointCopy copy{.state = std::move(state), .weights = std::move(weights), .vectors = {}};
  for (const StateVector vector : optimizer.vectors()) {
    at::Tensor whole = optimizer.Collect(vector);
    if (!writes) continue;
    copy.bytes += whole.nbytes();
    copy.vectors.emplace_back(vector, std::move(whole));
  }
  if (!writes) return std::nullopt;
  copy.seconds = base::SecondsSince(start);
  return copy;
}

void WriteCheckpoint(const CheckpointPlace& place, const CheckpointCopy& copy, const FlatParameters& parameters) {
  Parts parts(place, copy.state, parameters);
  parts.Begin();
  parts.Add(*copy.weights);
  for (const auto& [vector, whole] : copy.vectors) parts.Add(vector, whole);
  parts.Complete();
}

void RestoreCheckpoint(const fs::path& checkpoint, const CheckpointState& state, FlatParameters& parameters,
                       AdamW& optimizer) {
  const at::NoGradGuard no_grad;
  const auto weights = model::LoadModel(checkpoint / "model", parameters.type(), at::kCPU, state.version);
  if (weights->parameters().size() != parameters.parameters().size()) {
    base::ThrowBadInput(base::Format("{}: a model of another shape", (checkpoint / "model").string()));
  }
  parameters.FillPart(parameters.flat(), 0, [&](const std::string& name) { return weights->at(name); });

  std::map<StateVector, model::SafetensorsFile> files;
  for (const StateVector vector : optimizer.vectors()) files.try_emplace(vector, FileOf(checkpoint, vector));
  optimizer.Restore(state.optimizer_steps, [&](StateVector vector, const std::string& name) {
    const model::SafetensorsFile& file = files.at(vector);
    if (!file.entries().contains(name))
      base::ThrowBadInput(base::Format("{}: no tensor {}", file.path().string(), name));
    return file.Read(name, at::kFloat);
  });
}

}  // namespace autodidact::learner
