#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"
#include "launch/commands/commands.h"
#include "learner/checkpoint.h"
#include "model/config.h"
#include "model/safetensors.h"
#include "process/output.h"
#include "schema/codec.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

void InspectModel(const fs::path& folder) {
  const model::ModelConfig config = model::ReadModelConfig(folder);
  process::Output().Write(
      base::Format("model: {} weights, {} layers of {}, {} heads ({} for keys and values), vocabulary {}, context {}\n",
                   model::ParameterCount(config), config.num_layers, config.hidden_size, config.num_heads,
                   config.num_kv_heads, config.vocab_size, config.max_position_embeddings));
}

void InspectSafetensors(const fs::path& file) {
  const model::SafetensorsFile tensors(file);
  std::string text;
  for (const auto& [name, entry] : tensors.entries()) {
    text += base::Format("{}  {}  [{}]\n", name, c10::toString(entry.type), fmt::join(entry.shape, ", "));
  }
  process::Output().Write(text);
}

void InspectCheckpoint(const fs::path& folder) {
  const auto state = learner::ReadCheckpointState(folder);
  const auto name = state.run.keys.find("name");
  process::Output().Write(base::Format("checkpoint: step {}, weight version {}, of the run {}\n", state.step,
                                       state.version, name == state.run.keys.end() ? "?" : name->second));
  InspectModel(folder / "model");
}

}  // namespace

void RunInspect(const std::string& path) {
  if (fs::is_directory(path) && fs::exists(fs::path(path) / "state.json")) return InspectCheckpoint(path);
  if (fs::is_directory(path)) return InspectModel(path);
  if (path.ends_with(".safetensors")) return InspectSafetensors(path);
  const std::string bytes = json::ReadFile(path);
  std::string description;
  try {
    description = schema::Describe(schema::Decode(bytes));
  } catch (const base::Error& error) {
    base::ThrowBadInput(path +
                        ": expected a model folder, a checkpoint, a safetensors file or a recorded message; as a " +
                        error.message());
  }
  process::Output().Write(description + "\n");
}

}  // namespace autodidact::launch
