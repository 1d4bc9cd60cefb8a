#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"
#include "launch/commands.h"
#include "learner/checkpoint.h"
#include "model/config.h"
#include "model/safetensors.h"
#include "schema/codec.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

void InspectModel(const fs::path& folder) {
  const model::ModelConfig config = model::ReadModelConfig(folder);
  std::cout << base::Format(
      "model: {} weights, {} layers of {}, {} heads ({} for keys and values), vocabulary {}, context {}\n",
      model::ParameterCount(config), config.num_layers, config.hidden_size, config.num_heads, config.num_kv_heads,
      config.vocab_size, config.max_position_embeddings);
}

void InspectSafetensors(const fs::path& file) {
  const model::SafetensorsFile tensors(file);
  for (const auto& [name, entry] : tensors.entries()) {
    std::cout << base::Format("{}  {}  [{}]\n", name, c10::toString(entry.type), fmt::join(entry.shape, ", "));
  }
}

void InspectCheckpoint(const fs::path& folder) {
  const auto state = learner::ReadCheckpointState(folder);
  std::cout << base::Format("checkpoint: step {}, weight version {}, fingerprint {}\n", state.step, state.version,
                            state.fingerprint);
  InspectModel(folder / "model");
}

}  // namespace

void RunInspect(const std::string& path) {
  if (fs::is_directory(path) && fs::exists(fs::path(path) / "state.json")) return InspectCheckpoint(path);
  if (fs::is_directory(path)) return InspectModel(path);
  if (path.ends_with(".safetensors")) return InspectSafetensors(path);
  const std::string bytes = json::ReadFile(path);
  try {
    std::cout << schema::Describe(schema::Decode(bytes)) << "\n";
  } catch (const base::Error& error) {
    base::ThrowBadInput(path +
                        ": expected a model folder, a checkpoint, a safetensors file or a recorded message; as a " +
                        error.message());
  }
}

}  // namespace autodidact::launch
