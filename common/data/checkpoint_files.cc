#include "data/checkpoint_files.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <string_view>
#include <system_error>

#include "base/checksum.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "base/log.h"
#include "json/json.h"

namespace autodidact::data {
namespace {

namespace fs = std::filesystem;
using json::Json;

constexpr const char* kState = "state.json";
constexpr const char* kManifest = "manifest.json";
constexpr const char* kLatest = "latest";
constexpr const char* kNextLatest = ".latest";
constexpr std::string_view kStep = "step_";
constexpr std::string_view kWriting = ".writing-";
constexpr std::string_view kRemoving = ".removing-";

std::vector<fs::path> FilesBelow(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), folder));
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::map<std::string, std::string> TextsOf(const Json& described, const std::string& key) {
  std::map<std::string, std::string> texts;
  const auto found = described.find(key);
  if (found == described.end() || !found->is_object()) return texts;
  for (const auto& [name, text] : found->items()) {
    if (text.is_string()) texts[name] = text.get<std::string>();
  }
  return texts;
}

std::optional<std::int64_t> StepOfCheckpoint(const std::string& name) {
  if (!name.starts_with(kStep)) return std::nullopt;
  std::int64_t step = 0;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kStep.size(), end, step);
  if (error != std::errc() || rest != end || CheckpointName(step) != name) return std::nullopt;
  return step;
}

}  // namespace

void WriteCheckpointState(const fs::path& folder, const CheckpointState& state) {
  const Json described = {{"step", state.step},
                          {"version", state.version},
                          {"optimizer_steps", state.optimizer_steps},
                          {"run", {{"keys", state.run.keys}, {"contents", state.run.contents}}},
                          {"notes", state.notes}};
  json::WriteFile(folder / kState, described.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

CheckpointState ReadCheckpointState(const fs::path& folder) {
  const fs::path file = folder / kState;
  const Json described = json::ParseFile(file);
  CheckpointState state;
  state.step = json::GetInteger(described, "step", file.string());
  state.version = static_cast<std::uint64_t>(json::GetInteger(described, "version", file.string()));
  state.optimizer_steps = json::GetInteger(described, "optimizer_steps", file.string());
  const auto run = described.find("run");
  if (run == described.end() || !run->is_object()) {
    base::ThrowBadInput(file.string() +
                        ": the key 'run' is missing: another version of this program wrote it, which did not say what "
                        "the run is made of, so it cannot be gone on with; its model/ can begin a new run");
  }
  state.run = {TextsOf(*run, "keys"), TextsOf(*run, "contents")};
  state.notes = TextsOf(described, "notes");
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

std::string CheckpointName(std::int64_t step) {
  return base::Format("{}{:06}", kStep, step);
}

std::vector<CheckpointFolder> ListCheckpoints(const fs::path& root) {
  std::vector<CheckpointFolder> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root, none)) {
    const auto step = StepOfCheckpoint(entry.path().filename().string());
    if (step && entry.is_directory() && !entry.is_symlink()) found.push_back({*step, entry.path()});
  }
  std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) { return left.step < right.step; });
  return found;
}

std::optional<fs::path> FindCheckpoint(const fs::path& root) {
  const auto checkpoints = ListCheckpoints(root);
  for (auto checkpoint = checkpoints.rbegin(); checkpoint != checkpoints.rend(); ++checkpoint) {
    const std::string damage = FindDamage(checkpoint->path);
    if (damage.empty()) return checkpoint->path;
    base::LogWarning("checkpoint {} is passed over: {}", checkpoint->path.string(), damage);
  }
  return std::nullopt;
}

fs::path CheckpointWriting(const fs::path& root, const std::string& name) {
  return root / (std::string(kWriting) + name);
}

fs::path CheckpointRemoving(const fs::path& root, const std::string& name) {
  return root / (std::string(kRemoving) + name);
}

void RemoveCheckpointLeftovers(const fs::path& root) {
  std::vector<fs::path> leftovers;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root, none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kWriting) || name.starts_with(kRemoving) || name == kNextLatest) {
      leftovers.push_back(entry.path());
    }
  }
  for (const fs::path& leftover : leftovers) {
    base::LogInfo("{}: left by a run that was cut off; removed", leftover.string());
    fs::remove_all(leftover);
  }
}

void PointLatestTo(const fs::path& root, const std::string& name) {
  const fs::path link = root / kNextLatest;
  std::error_code error, ignored;
  fs::remove(link, ignored);
  fs::create_directory_symlink(name, link, error);
  if (base::FaultFails("data.latest")) error = std::error_code(errno, std::generic_category());
  if (!error) fs::rename(link, root / kLatest, error);
  if (!error) return;
  fs::remove(link, ignored);
  const bool copied = fs::is_directory(fs::symlink_status(root / kLatest, ignored));
  base::LogWarning("{}: cannot be pointed to {}: {}; it is left as it is{}", (root / kLatest).string(), name,
                   error.message(), copied ? " (a copy that followed links has made a folder of it: delete it)" : "");
}

}  // namespace autodidact::data
