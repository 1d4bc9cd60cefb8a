#include "learner/checkpoint.h"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "model/folder.h"
#include "model/safetensors.h"

namespace autodidact::learner {
namespace {

namespace fs = std::filesystem;

fs::path FileOf(const fs::path& checkpoint, StateVector vector) {
  return checkpoint / "optimizer" / (std::string(NameOf(vector)) + ".safetensors");
}

std::vector<fs::path> CheckpointsByAge(const fs::path& root) {
  std::vector<fs::path> found;
  if (!fs::is_directory(root)) return found;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && !entry.is_symlink() && name.starts_with("step_") && !name.ends_with(".partial")) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Gives a whole checkpoint its name, and deletes the oldest.
void Complete(const fs::path& root, const std::string& name, const CheckpointState& state, std::int64_t keep) {
  const fs::path partial = root / (name + ".partial");
  data::WriteCheckpointState(partial, state);
  data::WriteManifest(partial);

  fs::remove_all(root / name);
  fs::rename(partial, root / name);
  // A symbolic link is replaced by renaming another one over it.
  const fs::path link = root / "latest.partial";
  fs::remove(link);
  fs::create_directory_symlink(name, link);
  fs::rename(link, root / "latest");

  auto checkpoints = CheckpointsByAge(root);
  while (keep > 0 && std::ssize(checkpoints) > keep) {
    fs::remove_all(checkpoints.front());
    checkpoints.erase(checkpoints.begin());
  }
}

}  // namespace

void WriteCheckpoint(const fs::path& root, const CheckpointState& state, const FlatParameters& parameters,
                     const AdamW& optimizer, const fs::path& tokenizer_from, std::int64_t keep, bool writes) {
  const std::string name = base::Format("step_{:06}", state.step);
  const fs::path partial = root / (name + ".partial");
  try {
    if (writes) {
      fs::remove_all(partial);
      fs::create_directories(partial / "optimizer");
      const model::WeightSet weights(parameters.config(), parameters.Unflatten(parameters.flat().detach()),
                                     state.version);
      model::SaveModel(weights, parameters.type(), partial / "model", tokenizer_from);
    }
    // One vector at a time: the whole of one is all that rank 0 holds beside its share.
    for (const StateVector vector : optimizer.vectors()) {
      const at::Tensor whole = optimizer.Collect(vector);
      if (!writes) continue;
      std::vector<std::pair<std::string, at::Tensor>> tensors;
      for (const auto& [tensor, value] : parameters.Unflatten(whole)) tensors.emplace_back(tensor, value);
      model::WriteSafetensors(FileOf(partial, vector), tensors, at::kFloat);
    }
    if (writes) Complete(root, name, state, keep);
  } catch (const fs::filesystem_error& error) {
    base::ThrowBadInput(base::Format("checkpoint {}: {}", (root / name).string(), error.what()));
  }
}

std::optional<fs::path> FindCheckpoint(const fs::path& root) {
  auto checkpoints = CheckpointsByAge(root);
  for (auto checkpoint = checkpoints.rbegin(); checkpoint != checkpoints.rend(); ++checkpoint) {
    const std::string damage = data::FindDamage(*checkpoint);
    if (damage.empty()) return *checkpoint;
    base::LogWarning("checkpoint {} is passed over: {}", checkpoint->string(), damage);
  }
  return std::nullopt;
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
