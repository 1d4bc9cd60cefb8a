#include "model/folder.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "json/json.h"
#include "model/atomic_file.h"
#include "model/families/family.h"
#include "model/safetensors.h"

namespace autodidact::model {
namespace {

using base::Format;
using base::ThrowBadInput;
using json::Json;

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

// The files of the folder that hold weights, each once, in the order of their names.
std::vector<std::filesystem::path> WeightFiles(const std::filesystem::path& folder) {
  const auto index = folder / kIndexFile;
  if (!std::filesystem::exists(index)) {
    if (std::filesystem::exists(folder / kSingleFile)) return {folder / kSingleFile};
    ThrowBadInput(Format("{}: found neither {} nor {}; other formats of weights are not read", folder.string(),
                         kSingleFile, kIndexFile));
  }
  const Json object = json::ParseFile(index);
  if (!object.is_object() || !object.contains("weight_map") || !object["weight_map"].is_object()) {
    ThrowBadInput(Format("{}: expected an object with a weight_map", index.string()));
  }
  std::set<std::string> names;
  for (const auto& [tensor, file] : object["weight_map"].items()) {
    if (!file.is_string() || file.get<std::string>().find('/') != std::string::npos) {
      ThrowBadInput(
          Format("{}: tensor {}: got {}, expected a file of this folder", index.string(), tensor, json::Dump(file)));
    }
    names.insert(file.get<std::string>());
  }
  std::vector<std::filesystem::path> files;
  for (const std::string& name : names) {
    if (!std::filesystem::exists(folder / name)) {
      ThrowBadInput(Format("{}: no such file, but {} names it", (folder / name).string(), kIndexFile));
    }
    files.push_back(folder / name);
  }
  return files;
}

// The parameter that a tensor of the file is, or nothing for one that the text model does not use.
std::optional<std::string> ParameterName(const Family& family, const std::string& stored) {
  if (stored.ends_with("rotary_emb.inv_freq")) return std::nullopt;
  if (!family.wrapper) return stored;
  for (const std::string& part : family.wrapper->skipped_tensors) {
    if (stored.starts_with(part)) return std::nullopt;
  }
  for (const auto& [from, to] : family.wrapper->renamed_prefixes) {
    if (stored.starts_with(from)) return to + stored.substr(from.size());
  }
  return stored;
}

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  return json::Dump(Json(shape));
}

void LoadFile(const SafetensorsFile& file, const ModelConfig& config,
              const std::map<std::string, std::vector<std::int64_t>>& expected, at::ScalarType type, at::Device device,
              Parameters& parameters) {
  const Family& family = FamilyOf(config);
  std::size_t skipped = 0;
  for (const auto& [stored, entry] : file.entries()) {
    const std::string where = Format("{}: tensor {}", file.path().string(), stored);
    const auto name = ParameterName(family, stored);
    if (!name) {
      ++skipped;
      continue;
    }
    const auto shape = expected.find(*name);
    if (shape == expected.end()) ThrowBadInput(Format("{}: the model of config.json has no such tensor", where));
    if (shape->second != entry.shape) {
      ThrowBadInput(Format("{}: shape is {}, but config.json asks for {}", where, ShapeText(entry.shape),
                           ShapeText(shape->second)));
    }
    const at::Tensor tensor = file.Read(stored, type);
    // A sum of finite weights is finite, and takes one pass without memory of its own.
    if (!std::isfinite(tensor.sum(at::kFloat).item<float>())) {
      ThrowBadInput(Format("{}: it holds values that are not finite", where));
    }
    if (!parameters.emplace(*name, tensor.to(device)).second) {
      ThrowBadInput(Format("{}: {} is given a second time", where, *name));
    }
  }
  if (skipped > 0)
    base::LogInfo("{}: {} tensors are not part of the text model; skipped", file.path().string(), skipped);
}

constexpr const char* kHead = "lm_head.weight";
constexpr const char* kEmbedding = "model.embed_tokens.weight";

// Takes the head out that some writers store beside the embedding that it is tied to. Another one would be a model that
// config.json does not describe.
void CheckTiedHead(const std::filesystem::path& folder, Parameters& parameters) {
  const auto head = parameters.extract(kHead);
  if (head.empty() || head.mapped().equal(parameters.at(kEmbedding))) return;
  ThrowBadInput(
      Format("{}: {} differs from {}, but config.json has tie_word_embeddings: true; set it to false, or "
             "take the tensor out",
             folder.string(), kHead, kEmbedding));
}

struct Shard {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  std::int64_t bytes = 0;
};

std::vector<Shard> Divide(const WeightSet& weights, at::ScalarType type, std::int64_t shard_bytes) {
  std::vector<Shard> shards(1);
  for (const NamedShape& shape : ParameterShapes(weights.config())) {
    const at::Tensor& tensor = weights.at(shape.name);
    const auto bytes = tensor.numel() * static_cast<std::int64_t>(c10::elementSize(type));
    if (!shards.back().tensors.empty() && shards.back().bytes + bytes > shard_bytes) shards.emplace_back();
    shards.back().tensors.emplace_back(shape.name, tensor);
    shards.back().bytes += bytes;
  }
  return shards;
}

void WriteIndex(const std::filesystem::path& folder, const std::vector<Shard>& shards,
                const std::vector<std::string>& names) {
  Json map = Json::object();
  std::int64_t total = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    for (const auto& [name, tensor] : shards[i].tensors) map[name] = names[i];
    total += shards[i].bytes;
  }
  AtomicFile file(folder / kIndexFile);
  file.Write(Json({{"metadata", {{"total_size", total}}}, {"weight_map", map}}).dump(2) + "\n");
  file.Commit();
}

// Weight files of an earlier save would be read in place of, or beside, the new ones.
void RemoveOthers(const std::filesystem::path& folder, const std::set<std::string>& written) {
  const std::regex shard("model-[0-9]+-of-[0-9]+\\.safetensors");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name == kSingleFile || name == kIndexFile || std::regex_match(name, shard);
    if (ours && !written.contains(name)) std::filesystem::remove(entry.path());
  }
}

void CopyTokenizer(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code ignored;
  if (from.empty() || std::filesystem::equivalent(from, to, ignored)) return;
  for (const char* name :
       {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.model",
        "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json", "generation_config.json"}) {
    if (!std::filesystem::exists(from / name)) continue;
    std::filesystem::copy_file(from / name, to / name, std::filesystem::copy_options::overwrite_existing);
  }
}

const char* DtypeName(at::ScalarType type) {
  if (type == at::kFloat) return "float32";
  if (type == at::kBFloat16) return "bfloat16";
  if (type == at::kHalf) return "float16";
  base::ThrowBug(Format("weights cannot be saved as {}", c10::toString(type)));
}

}  // namespace

SharedWeights LoadModel(const std::filesystem::path& folder, at::ScalarType type, at::Device device,
                        std::uint64_t version) {
  const ModelConfig config = ReadModelConfig(folder);
  std::map<std::string, std::vector<std::int64_t>> expected;
  for (NamedShape& shape : ParameterShapes(config)) expected.emplace(std::move(shape.name), std::move(shape.shape));
  Parameters parameters;
  auto with_head = expected;
  if (config.tie_word_embeddings) with_head.emplace(kHead, expected.at(kEmbedding));
  for (const auto& path : WeightFiles(folder)) {
    LoadFile(SafetensorsFile(path), config, with_head, type, device, parameters);
  }
  for (const auto& [name, shape] : expected) {
    if (!parameters.contains(name)) {
      ThrowBadInput(
          Format("{}: tensor {} of shape {} is missing from the weights", folder.string(), name, ShapeText(shape)));
    }
  }
  if (config.tie_word_embeddings) CheckTiedHead(folder, parameters);
  return std::make_shared<const WeightSet>(config, std::move(parameters), version);
}

void SaveModel(const WeightSet& weights, at::ScalarType type, const std::filesystem::path& folder,
               const std::filesystem::path& tokenizer_from, std::int64_t shard_bytes) {
  try {
    std::filesystem::create_directories(folder);
    const std::vector<Shard> shards = Divide(weights, type, shard_bytes);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      names.push_back(shards.size() == 1 ? std::string(kSingleFile)
                                         : Format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size()));
      WriteSafetensors(folder / names.back(), shards[i].tensors, type);
    }
    std::set<std::string> written(names.begin(), names.end());
    if (shards.size() > 1) {
      WriteIndex(folder, shards, names);
      written.insert(kIndexFile);
    }
    RemoveOthers(folder, written);
    CopyTokenizer(tokenizer_from, folder);
    ModelConfig config = weights.config();
    config.dtype = DtypeName(type);
    WriteModelConfig(config, folder);
  } catch (const std::filesystem::filesystem_error& error) {
    ThrowBadInput(Format("{}: cannot save the model: {}", folder.string(), error.what()));
  }
}

}  // namespace autodidact::model
