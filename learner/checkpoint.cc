#include "learner/checkpoint.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "model/folder.h"
#include "model/safetensors.h"

namespace autodidact::learner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMoments = "optimizer/moments.safetensors";

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

}  // namespace

void WriteCheckpoint(const fs::path& root, const CheckpointState& state, const FlatParameters& parameters,
                     const AdamW& optimizer, const fs::path& tokenizer_from, std::int64_t keep) {
  const std::string name = base::Format("step_{:06}", state.step);
  const fs::path partial = root / (name + ".partial");
  try {
    fs::remove_all(partial);
    fs::create_directories(partial / "optimizer");
    model::SaveModel(*parameters.Snapshot(state.version), at::kFloat, partial / "model", tokenizer_from);

    std::vector<std::pair<std::string, at::Tensor>> moments;
    for (const auto& [tensor, value] : parameters.Unflatten(optimizer.first_moment())) {
      moments.emplace_back("exp_avg." + tensor, value);
    }
    for (const auto& [tensor, value] : parameters.Unflatten(optimizer.second_moment())) {
      moments.emplace_back("exp_avg_sq." + tensor, value);
    }
    model::WriteSafetensors(partial / kMoments, moments, at::kFloat);

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
  at::NoGradGuard no_grad;
  const at::Device device = parameters.flat().device();
  const auto weights = model::LoadModel(checkpoint / "model", at::kFloat, device, state.version);
  parameters.flat().copy_(parameters.Flatten(weights->parameters()));

  const model::SafetensorsFile file(checkpoint / kMoments);
  const auto read = [&](const std::string& prefix) {
    model::Parameters moments;
    for (const auto& [name, tensor] : parameters.parameters()) {
      if (!file.entries().contains(prefix + name)) {
        base::ThrowBadInput(base::Format("{}: no tensor {}", file.path().string(), prefix + name));
      }
      moments[name] = file.Read(prefix + name, at::kFloat);
    }
    return parameters.Flatten(moments);
  };
  optimizer.Restore(state.optimizer_steps, read("exp_avg."), read("exp_avg_sq."));
}

}  // namespace autodidact::learner
