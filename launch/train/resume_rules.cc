#include "launch/train/resume_rules.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>

#include "base/checksum.h"
#include "base/error.h"
#include "base/format.h"
#include "json/json.h"
#include "launch/config/key.h"
#include "launch/wiring/wiring.h"
#include "schema/codec.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

// What is compared by content: its name, the keys that name or pick it, and what it is called.
struct Content {
  const char* name;
  std::vector<std::string> keys;  // the first is the one to name
  const char* what;
};
const std::vector<Content>& Contents() {
  static const std::vector<Content> kContents = {
      {"model.weights", {"model"}, "the weights of the initial model"},
      {"model.config", {"model"}, "the shape (config.json) of the initial model"},
      {"model.tokenizer", {"model"}, "the tokenizer of the initial model"},
      {"model.template", {"model", "prompt.template"}, "the chat template"},
      {"data.train",
       {"data.train", "data.limit", "data.min_agreement", "data.id", "data.prompt"},
       "the rows, or their order"},
      {"data.references", {"data.references", "data.min_agreement", "data.id"}, "the references"},
      {"data.labels",
       {"data.labels", "data.answer", "data.answers", "data.id"},
       "the labels, or what else is read of a row"},
      {"judge.model", {"judge.model.folder"}, "the files of the judge's model"},
  };
  return kContents;
}

void Flatten(const YAML::Node& node, const std::string& key, std::map<std::string, std::string>& keys) {
  if (node.IsMap() && node.size() > 0) {
    for (const auto& entry : node) {
      Flatten(entry.second, key.empty() ? entry.first.Scalar() : key + "." + entry.first.Scalar(), keys);
    }
    return;
  }
  if (node.IsScalar()) {
    keys[key] = node.Scalar();
    return;
  }
  YAML::Node line = YAML::Clone(node);
  line.SetStyle(YAML::EmitterStyle::Flow);
  YAML::Emitter text;
  text << line;
  keys[key] = text.c_str();
}

// Pieces of text whose borders count.
class Sum {
 public:
  void Add(std::string_view text) {
    const std::uint64_t size = text.size();
    sum_.Update(&size, sizeof size);
    sum_.Update(text.data(), text.size());
  }
  void Add(const at::Tensor& tensor) {
    const at::Tensor here = tensor.cpu().contiguous();
    Add(base::Format("{} [{}]", c10::toString(here.scalar_type()), fmt::join(here.sizes(), ", ")));
    sum_.Update(here.data_ptr(), here.nbytes());
  }
  std::string text() const { return base::Hex(sum_.Digest()); }

 private:
  base::Checksummer sum_;
};

// A description in JSON without what says who wrote it, when and with what; empty where there is no such file.
std::string Described(const fs::path& file) {
  if (!fs::exists(file)) return {};
  json::Json described = json::ParseFile(file);
  if (!described.is_object()) return json::Dump(described);
  for (const char* key : {"_name_or_path", "name_or_path", "transformers_version", "torch_dtype", "dtype"}) {
    described.erase(key);
  }
  return json::Dump(described);
}

std::string FileText(const fs::path& file) {
  return fs::exists(file) ? json::ReadFile(file) : std::string();
}

std::string SumOf(const std::vector<std::string>& texts) {
  Sum sum;
  for (const std::string& text : texts) sum.Add(text);
  return sum.text();
}

std::string SumOfWeights(const model::WeightSet& weights) {
  Sum sum;
  for (const auto& [name, tensor] : weights.parameters()) sum.Add(name), sum.Add(tensor);
  return sum.text();
}

std::string SumOfFiles(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  Sum sum;
  for (const std::string& name : names) sum.Add(name + base::Hex(base::ChecksumOfFile(folder / name)));
  return sum.text();
}

std::string SumOfPrompts(const std::vector<schema::Prompt>& prompts) {
  Sum sum;
  for (const schema::Prompt& prompt : prompts) {
    sum.Add(prompt.id);
    sum.Add(prompt.text);
    sum.Add(std::to_string(prompt.messages.size()));
    for (const auto& message : prompt.messages) sum.Add(message.role), sum.Add(message.content);
    if (!prompt.variables.empty()) sum.Add(prompt.variables);
  }
  return sum.text();
}

std::string SumOfSupervision(const std::vector<schema::Supervision>& all) {
  std::vector<std::string> texts;
  for (const schema::Supervision& one : all) {
    texts.push_back(one.index() == 0 ? "{}" : schema::Encode(schema::LeaseReply{.leases = {{.supervision = one}}}));
  }
  return SumOf(texts);
}

// A value as it is shown: a long one around the place `differs` of its first difference to another.
std::string Shown(const std::string& value, std::size_t differs = 0) {
  constexpr std::size_t kShown = 60, kBefore = 15;
  if (value.empty()) return "(nothing)";
  if (value.size() <= kShown) return value;
  const auto inside_of_a_sign = [&](std::size_t at) { return at < value.size() && (value[at] & 0xC0) == 0x80; };
  std::size_t begin = differs > kBefore ? differs - kBefore : 0;
  std::size_t end = std::min(value.size(), begin + kShown);
  while (inside_of_a_sign(begin)) --begin;
  while (inside_of_a_sign(end)) ++end;
  return (begin > 0 ? "…" : "") + value.substr(begin, end - begin) + (end < value.size() ? "…" : "");
}

std::string Arrow(const std::string& then, const std::string& now) {
  const auto differ = std::mismatch(then.begin(), then.end(), now.begin(), now.end());
  const auto same = static_cast<std::size_t>(differ.first - then.begin());
  return Shown(then, same) + " → " + Shown(now, same);
}

std::string ValueOf(const std::map<std::string, std::string>& texts, const std::string& key) {
  const auto found = texts.find(key);
  return found == texts.end() ? std::string() : found->second;
}

// Keys that a part of the program knew which the other does not.
std::map<std::string, std::string> WithDefaults(const std::map<std::string, std::string>& keys) {
  std::map<std::string, std::string> all = KeysOf(RunConfig{});
  for (const auto& [key, value] : keys) all[key] = value;
  return all;
}

}  // namespace

std::optional<OnResume> RuleOf(std::string_view key) {
  static const std::map<std::string, OnResume, std::less<>> kRules = [] {
    std::map<std::string, OnResume, std::less<>> rules;
    for (const KeyInfo& info : RunKeys()) rules[info.name] = info.on_resume;
    return rules;
  }();
  // A mapping's own keys have its rule.
  for (std::string_view part = key; !part.empty();) {
    if (const auto found = kRules.find(part); found != kRules.end()) return found->second;
    const std::size_t dot = part.rfind('.');
    part = dot == std::string_view::npos ? std::string_view() : part.substr(0, dot);
  }
  return std::nullopt;
}

std::map<std::string, std::string> KeysOf(const RunConfig& config) {
  std::map<std::string, std::string> keys;
  Flatten(YAML::Load(ToYaml(config)), {}, keys);
  return keys;
}

data::RunFacts FactsOf(const RunConfig& config, const std::vector<schema::Prompt>& handed_out,
                       const std::vector<schema::Supervision>& supervision, const model::WeightSet& initial) {
  const fs::path model = config.model;
  data::RunFacts facts{KeysOf(config), {}};
  facts.contents["model.weights"] = SumOfWeights(initial);
  facts.contents["model.config"] =
      SumOf({Described(model / "config.json"), Described(model / "generation_config.json")});
  facts.contents["model.tokenizer"] = SumOf({FileText(model / "tokenizer.json")});
  facts.contents["model.template"] =
      SumOf({Described(model / "tokenizer_config.json"), FileText(model / "chat_template.jinja"),
             FileText(model / "chat_template.json"), FileText(config.prompt.chat.file)});
  facts.contents["data.train"] = SumOfPrompts(handed_out);
  facts.contents[config.data.references.empty() ? "data.labels" : "data.references"] = SumOfSupervision(supervision);
  if (config.judge.has_model()) facts.contents["judge.model"] = SumOfFiles(config.judge.model.folder);
  return facts;
}

Changes Compare(const data::RunFacts& then, const data::RunFacts& now) {
  const auto old_keys = WithDefaults(then.keys);
  const auto new_keys = WithDefaults(now.keys);
  std::vector<std::string> changed;
  for (const auto& [key, value] : new_keys) {
    if (ValueOf(old_keys, key) != value) changed.push_back(key);
  }
  for (const auto& [key, value] : old_keys) {
    if (!new_keys.contains(key)) changed.push_back(key);
  }
  const auto arrow = [&](const std::string& key) {
    return key + ": " + Arrow(ValueOf(old_keys, key), ValueOf(new_keys, key));
  };

  Changes changes;
  for (const std::string& key : changed) {
    if (RuleOf(key).value_or(OnResume::kMustStay) == OnResume::kMustStay) changes.refused.push_back(arrow(key));
  }
  const bool other_rows = ValueOf(then.contents, "data.train") != ValueOf(now.contents, "data.train");
  std::vector<std::string> explained;                               // keys that another content is due to
  std::vector<std::pair<std::string, std::string>> other_contents;  // due to what, and what is another
  for (const Content& content : Contents()) {
    if (ValueOf(then.contents, content.name) == ValueOf(now.contents, content.name)) continue;
    std::string due;
    for (const std::string& key : content.keys) {
      if (std::find(changed.begin(), changed.end(), key) == changed.end()) continue;
      due += (due.empty() ? "" : ", ") + arrow(key);
      explained.push_back(key);
    }
    const std::string& key = content.keys.front();
    // Other rows have other references and labels.
    const bool of_rows = key == "data.references" || key == "data.labels";
    if (due.empty() && of_rows && other_rows) continue;
    if (due.empty()) due = key + ": " + Shown(ValueOf(new_keys, key));
    if (!other_contents.empty() && other_contents.back().first == due) {
      other_contents.back().second += std::string(", ") + content.what;
    } else {
      other_contents.emplace_back(due, content.what);
    }
  }
  for (const auto& [due, what] : other_contents) changes.refused.push_back(base::Format("{} ({} changed)", due, what));
  for (const std::string& key : changed) {
    const auto rule = RuleOf(key).value_or(OnResume::kMustStay);
    if (rule == OnResume::kMayChange) changes.allowed.push_back(arrow(key));
    if (rule == OnResume::kByContent && std::find(explained.begin(), explained.end(), key) == explained.end()) {
      changes.allowed.push_back(arrow(key) + " (of equal content)");
    }
  }
  return changes;
}

std::vector<std::string> RequireSameRun(const fs::path& checkpoint, const data::RunFacts& then,
                                        const data::RunFacts& now) {
  Changes changes = Compare(then, now);
  if (changes.refused.empty()) return std::move(changes.allowed);
  std::string list;
  for (const std::string& change : changes.refused) list += (list.empty() ? "" : "; ") + change;
  base::ThrowBadInput(
      base::Format("--resume: {}. A run that goes on must keep this as it was when {} was written: set "
                   "it back, or begin another run (name)",
                   list, checkpoint.string()));
}

}  // namespace autodidact::launch
