#include "launch/config/reference.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"
#include "launch/config/key.h"
#include "launch/config/rules.h"
#include "launch/config/sft_config.h"

namespace autodidact::launch {
namespace {

using base::Format;
using json::Json;

// "train.importance_sampling.mode" -> "train.importance_sampling"; of a key at the top: nothing.
std::string SectionOf(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

std::string LastPartOf(const std::string& name) {
  return name.substr(name.rfind('.') + 1);
}

// For a cell of a Markdown table.
std::string Cell(const std::string& text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

// What is said of going on with another value; nothing of a key that must stay.
std::string OnResumeOf(const KeyInfo& key) {
  switch (key.on_resume) {
    case OnResume::kMustStay:
      return "";
    case OnResume::kMayChange:
      return "may change";
    case OnResume::kByContent:
      return "same content";
  }
  return "";
}

// `resume`: with a column of what may change when a run goes on.
void AppendTables(const std::vector<KeyInfo>& keys, bool resume, std::string& page) {
  std::optional<std::string> section;
  for (const KeyInfo& key : keys) {
    if (section != SectionOf(key.name)) {
      section = SectionOf(key.name);
      page += section->empty() ? "\n" : Format("\n### `{}`\n\n", *section);
      page += resume ? "| key | is | default | on `--resume` |\n|---|---|---|---|\n"
                     : "| key | is | default |\n|---|---|---|\n";
    }
    const std::string shown = key.fallback == "\"\"" || key.fallback == "[]" ? "" : "`" + Cell(key.fallback) + "`";
    page += Format("| `{}` | {} Expected: {}. | {} |", LastPartOf(key.name), Cell(key.help), Cell(key.expected), shown);
    page += resume ? Format(" {} |\n", OnResumeOf(key)) : "\n";
  }
}

// A number as JSON writes it: whole where it is.
Json Number(double value) {
  if (value == std::floor(value) && std::abs(value) < 9e15) return static_cast<std::int64_t>(value);
  return value;
}

Json ItemSchema(const KeyInfo& key) {
  Json item = {{"type", key.type}};
  if (!key.names.empty()) item["enum"] = key.names;
  if (key.least) item["minimum"] = Number(key.or_zero ? 0 : *key.least);
  if (key.most) item["maximum"] = Number(*key.most);
  return item;
}

Json SchemaOf(const KeyInfo& key) {
  Json schema = ItemSchema(key);
  if (key.list) schema = {{"type", "array"}, {"items", std::move(schema)}};
  schema["description"] = Format("{} Expected: {}. Default: {}", key.help, key.expected, key.fallback);
  return schema;
}

Json Section() {
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
}

// The schema of the section that `path` names below `root`, made where it is not there yet. "data[]" is a list of them.
Json& SectionAt(Json& root, const std::string& path) {
  Json* section = &root;
  std::istringstream parts(path);
  for (std::string part; std::getline(parts, part, '.');) {
    const bool list = part.ends_with("[]");
    if (list) part.resize(part.size() - 2);
    Json& properties = (*section)["properties"];
    if (!properties.contains(part)) {
      properties[part] = list ? Json{{"type", "array"}, {"items", Section()}} : Section();
    }
    section = list ? &properties[part]["items"] : &properties[part];
  }
  return *section;
}

}  // namespace

std::string ConfigPage() {
  std::string page =
      "# Every key of a config\n\n"
      "This page is written by `autodidact config --page`. `autodidact config --help KEY` says the same about one "
      "key,\n"
      "`autodidact config --defaults` writes a whole config, and `autodidact config --schema` a JSON Schema, with "
      "which\n"
      "editors complete and check a config.\n\n"
      "## Of a run: `autodidact train`, `eval`, `synthesize`\n";
  page +=
      "\nA run that goes on (`--resume`) must have every key as it was, but for those that may change and those that\n"
      "name something of the same content.\n";
  AppendTables(RunKeys(), true, page);
  page += "\n## Of supervised training: `autodidact sft`\n";
  AppendTables(SftKeys(), false, page);
  return page;
}

std::string ConfigSchema(bool sft) {
  Json root = Section();
  root["$schema"] = "http://json-schema.org/draft-07/schema#";
  root["title"] = sft ? "A config of autodidact sft" : "A config of autodidact train";
  for (const KeyInfo& key : sft ? SftKeys() : RunKeys()) {
    SectionAt(root, SectionOf(key.name))["properties"][LastPartOf(key.name)] = SchemaOf(key);
  }
  return root.dump(2) + "\n";
}

std::string KeyHelp(const std::string& name, bool sft) {
  const std::vector<KeyInfo> keys = sft ? SftKeys() : RunKeys();
  const std::vector<std::string> meant = KeyGuide(keys, {}, "").Meant(name);
  std::string help;
  std::vector<std::string> names;
  for (const KeyInfo& key : keys) {
    names.push_back(key.name);
    const bool wanted = name.empty() || key.name == name || key.name.starts_with(name + ".") ||
                        key.name.starts_with(name + "[]") ||
                        std::find(meant.begin(), meant.end(), key.name) != meant.end();
    if (!wanted) continue;
    help += Format("{}: {}\n    {}\n    expected: {}\n", key.name, key.fallback, key.help, key.expected);
    if (!sft && key.on_resume != OnResume::kMustStay) help += Format("    on --resume: {}\n", OnResumeOf(key));
  }
  if (!help.empty()) return help;
  const auto nearest = Nearest(name, names);
  base::ThrowBadInput(
      Format("got the key {}, expected a key or a section of a config{}: `autodidact config --page` "
             "lists them all",
             Quoted(name), nearest ? "; did you mean " + *nearest + "?" : ""));
}

}  // namespace autodidact::launch
