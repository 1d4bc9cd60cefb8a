#include "launch/config/checker.h"

#include <algorithm>
#include <filesystem>

#include "launch/config/rules.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

// What else there could have been meant by a path that is not there.
std::string PathAdvice(const std::string& path) {
  if (path.starts_with("~")) return "~ stands for no folder here: write it out";
  if (path.find('$') != std::string::npos) return "variables are not put in here: write the path out";
  if (path.find("://") != std::string::npos) return "nothing is fetched: download it and name the local copy";
  return "check the path, which begins at the working folder " + fs::current_path().string();
}

}  // namespace

bool ConfigChecker::Given(const std::string& key) const {
  const ConfigNode* node = FindNode(root_, key);
  return node != nullptr && node->kind != ConfigNode::Kind::kNothing;
}

// Where the key stands, else its cause, else the innermost section that there is of the key.
ConfigPlace ConfigChecker::PlaceOf(const std::string& key, const std::string& cause) const {
  if (const ConfigNode* node = FindNode(root_, key)) return node->place;
  if (const ConfigNode* node = cause.empty() ? nullptr : FindNode(root_, cause)) return node->place;
  for (auto dot = key.rfind('.'); dot != std::string::npos;
       dot = dot == 0 ? std::string::npos : key.rfind('.', dot - 1)) {
    if (const ConfigNode* node = FindNode(root_, key.substr(0, dot))) return node->key_place;
  }
  return {};
}

void ConfigChecker::Fail(const std::string& key, const std::string& what, const std::string& cause) const {
  problems_.Add(PlaceOf(key, cause), key, what);
}

void ConfigChecker::Warn(const std::string& key, const std::string& what) const {
  if (!problems_.Has(key)) problems_.Warn(PlaceOf(key), key, what);
}

void ConfigChecker::Holds(const std::string& key, const std::string& text, const std::string& placeholder,
                          const std::string& what) const {
  if (text.find(placeholder) != std::string::npos) return;
  Fail(key, "got " + Quoted(text) + ", expected a text with " + placeholder + ": write it where " + what + " belongs");
}

bool ConfigChecker::NoPath(const std::string& key, const std::string& path, const std::string& expected) const {
  if (path.empty()) {
    Fail(key, "got nothing, expected " + expected + ": name it by " + key);
    return true;
  }
  std::error_code error;
  if (fs::exists(path, error)) return false;
  Fail(key, "got " + Quoted(path) + ", which is not there, expected " + expected + ": " + PathAdvice(path));
  return true;
}

void ConfigChecker::File(const std::string& key, const std::string& path) const {
  if (NoPath(key, path, "a file") || !fs::is_directory(path)) return;
  Fail(key, "got the folder " + Quoted(path) + ", expected a file: name the file in it");
}

void ConfigChecker::JsonLines(const std::string& key, const std::string& path) const {
  const std::string expected = "a file of JSON lines (.jsonl)";
  if (NoPath(key, path, expected)) return;
  if (fs::is_directory(path))
    return Fail(key, "got the folder " + Quoted(path) + ", expected " + expected + ": name the file in it");
  const std::string extension = fs::path(path).extension().string();
  for (const char* other : {".parquet", ".arrow", ".csv", ".tsv", ".gz", ".zst", ".bz2", ".xz", ".zip", ".pkl"}) {
    if (extension != other) continue;
    return Fail(key, "got a file " + std::string(other) + ", expected " + expected +
                         ": convert it, as with pandas' to_json(…, orient=\"records\", lines=True)");
  }
}

void ConfigChecker::ModelFolder(const std::string& key, const std::string& path, const std::string& cause) const {
  const std::string expected = "a Hugging Face folder with config.json";
  if (path.empty()) return Fail(key, "got nothing, expected " + expected + ": name it by " + key + ": FOLDER", cause);
  std::error_code error;
  const fs::path folder(path);
  if (!fs::exists(folder, error)) {
    const bool repository = path.find_first_of("~$.") != 0 && std::count(path.begin(), path.end(), '/') == 1 &&
                            !fs::exists(folder.parent_path());
    const std::string advice =
        repository ? "check the path; if it is a repository's name, download that first, since nothing is fetched"
                   : PathAdvice(path);
    return Fail(key, "got " + Quoted(path) + ", which is not there, expected " + expected + ": " + advice);
  }
  if (!fs::is_directory(folder)) {
    return Fail(key, "got the file " + Quoted(path) + ", expected " + expected + ": name the folder that holds it");
  }
  if (fs::exists(folder / "config.json")) return;
  std::string advice = "name the folder of a model";
  if (fs::exists(folder / "model" / "config.json"))
    advice = "the model of a checkpoint is in " + (folder / "model").string();
  if (fs::exists(folder / "adapter_config.json"))
    advice = "it holds an adapter alone: merge it into its base model first";
  if (fs::exists(folder / "snapshots")) advice = "in the cache of a hub the model is in snapshots/…";
  Fail(key, "got " + Quoted(path) + ", which has no config.json, expected " + expected + ": " + advice);
}

void ConfigChecker::Sampling(const std::string& section, const engine::SamplingParams& keys) const {
  for (std::size_t i = 0; i < keys.stop_strings.size(); ++i) {
    if (keys.stop_strings[i].empty()) {
      Fail(base::Format("{}.stop[{}]", section, i),
           "got an empty text, expected one that ends a completion, since the empty one would end all at once: take it "
           "out");
    }
  }
  if (keys.temperature != 0) return;
  const std::pair<const char*, bool> cuts[] = {
      {"top_k", keys.top_k != 0}, {"top_p", keys.top_p != 1}, {"min_p", keys.min_p != 0}};
  for (const auto& [name, on] : cuts) {
    const std::string key = section + "." + name;
    if (on && Given(key))
      Warn(key,
           "has no effect, since " + section + ".temperature is 0 (greedy): leave it out or raise the temperature");
  }
}

}  // namespace autodidact::launch
