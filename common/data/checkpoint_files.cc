#include "data/checkpoint_files.h"

#include <algorithm>
#include <exception>
#include <vector>

#include "base/checksum.h"
#include "json/json.h"

namespace autodidact::data {
namespace {

namespace fs = std::filesystem;
using json::Json;

constexpr const char* kState = "state.json";
constexpr const char* kManifest = "manifest.json";

std::vector<fs::path> FilesBelow(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), folder));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

void WriteCheckpointState(const fs::path& folder, const CheckpointState& state) {
  const Json described = {{"step", state.step},
                          {"version", state.version},
                          {"optimizer_steps", state.optimizer_steps},
                          {"fingerprint", state.fingerprint},
                          {"notes", state.notes}};
  json::WriteFile(folder / kState, described.dump(2) + "\n");
}

CheckpointState ReadCheckpointState(const fs::path& folder) {
  const fs::path file = folder / kState;
  const Json described = json::ParseFile(file);
  CheckpointState state;
  state.step = json::GetInteger(described, "step", file.string());
  state.version = static_cast<std::uint64_t>(json::GetInteger(described, "version", file.string()));
  state.optimizer_steps = json::GetInteger(described, "optimizer_steps", file.string());
  state.fingerprint = json::GetString(described, "fingerprint", file.string());
  if (described.contains("notes")) {
    for (const auto& [key, note] : described["notes"].items()) {
      if (note.is_string()) state.notes[key] = note.get<std::string>();
    }
  }
  return state;
}

void WriteManifest(const fs::path& folder) {
  Json files = Json::object();
  for (const fs::path& file : FilesBelow(folder)) {
    files[file.string()] = base::Hex(base::ChecksumOfFile(folder / file));
  }
  json::WriteFile(folder / kManifest, Json{{"files", files}}.dump(2) + "\n");
}

std::string FindDamage(const fs::path& folder) {
  try {
    const Json manifest = json::ParseFile(folder / kManifest);
    for (const auto& [name, checksum] : manifest.at("files").items()) {
      if (base::Hex(base::ChecksumOfFile(folder / name)) != checksum) return name + " has another checksum";
    }
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace autodidact::data
