#include "launch/config/visitor.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"

namespace autodidact::launch {
namespace {

using Kind = ConfigNode::Kind;

std::string Found(const ConfigNode& node) {
  switch (node.kind) {
    case Kind::kScalar:
      return Quoted(node.text);
    case Kind::kList:
      return "a list";
    case Kind::kSection:
      return "a section";
    case Kind::kNothing:
      break;
  }
  return "nothing";
}

template <class T>
bool Parsed(const std::string& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// What YAML's plain words mean: true and false, numbers; all else is text.
json::Json ToJson(const ConfigNode& node) {
  json::Json value;
  if (node.kind == Kind::kSection) {
    value = json::Json::object();
    for (const ConfigNode& child : node.children) value[child.key] = ToJson(child);
  } else if (node.kind == Kind::kList) {
    value = json::Json::array();
    for (const ConfigNode& child : node.children) value.push_back(ToJson(child));
  } else if (node.kind == Kind::kScalar) {
    std::int64_t whole = 0;
    double number = 0;
    if (node.quoted) return node.text;
    if (node.text == "true" || node.text == "false") return node.text == "true";
    if (Parsed(node.text, whole)) return whole;
    if (Parsed(node.text, number) && std::isfinite(number)) return number;
    return node.text;
  }
  return value;
}

// One value as YAML on one line.
template <class T>
std::string Emitted(const T& value) {
  YAML::Emitter emitter;
  emitter << YAML::Flow << value;
  return emitter.c_str();
}

std::string Emitted(const std::string& text) {
  YAML::Emitter emitter;
  // In quotes where plain text would not be read back as itself.
  const bool odd = text.empty() || text.find_first_of("\n\t\r:#{}[],&*!|>'\"%@`\\") != std::string::npos ||
                   text.find_first_of(" -?") == 0 || text.ends_with(' ');
  if (odd) emitter << YAML::DoubleQuoted;
  emitter << text;
  return emitter.c_str();
}

}  // namespace

double InFile(float value, const Real&) {
  double shortest = 0;
  Parsed(base::Format("{}", value), shortest);
  return shortest;
}

void FromFile(double number, const Real&, base::Milliseconds& value) {
  value = base::Milliseconds(std::llround(number * 1000));
}

double InFile(std::uint32_t value, const Real&) {
  return value;
}

void FromFile(double number, const Real&, std::uint32_t& value) {
  value = static_cast<std::uint32_t>(std::ceil(number));
}

ConfigReader::ConfigReader(const ConfigNode* section, const KeyGuide& guide, ConfigProblems& problems, std::string path)
    : section_(section), guide_(guide), problems_(problems), path_(std::move(path)) {
  if (section_ == nullptr || section_->kind == Kind::kNothing || section_->kind == Kind::kSection) return;
  const std::string name = path_.ends_with(']') ? "" : path_ + ": ";
  problems_.Add(section_->place, path_,
                "got " + Found(*section_) + ", expected a section: write " + name + "{KEY: VALUE}");
  section_ = nullptr;
}

const ConfigNode* ConfigReader::Take(const char* key) {
  known_.emplace_back(key);
  return section_ == nullptr ? nullptr : section_->Child(key);
}

void ConfigReader::Refuse(const std::string& key, const ConfigNode& node, const std::string& expected) {
  std::string advice;
  const KeyInfo* info = guide_.Find(Full(key));
  if (node.kind == Kind::kNothing) {
    advice = ": give a value, or leave it out";
    if (info != nullptr && info->fallback != "\"\"") advice += " (the default is " + info->fallback + ")";
    if (info != nullptr && info->fallback == "\"\"") advice = ": give a value, or write \"\" for none";
  } else if (node.kind == Kind::kList && node.children.size() == 1 && node.children[0].kind == Kind::kScalar) {
    advice = ": write " + node.children[0].text + " without [ ]";
  } else if (node.kind == Kind::kSection) {
    advice = expected.starts_with("a list") ? ": write it as a list, [{KEY: VALUE}]"
                                            : ": a text that begins with { must stand in quotes";
  } else if (node.kind == Kind::kScalar) {
    advice = ": write [" + (node.text.find(',') == std::string::npos ? Emitted(node.text) : node.text) + "]";
    const bool words = node.text.find(' ') != std::string::npos && node.text.find(',') == std::string::npos;
    if (words) advice += ", or its words with commas between";
  } else {
    advice = ": write one value without [ ]";
  }
  problems_.Add(node.place, Full(key), "got " + Found(node) + ", expected " + expected + advice);
}

const ConfigNode* ConfigReader::TakeScalar(const char* key, const std::string& expected) {
  const ConfigNode* node = Take(key);
  if (node == nullptr || node->kind == Kind::kScalar) return node;
  Refuse(key, *node, expected);
  return nullptr;
}

template <class Value, class... Rule>
bool ConfigReader::ReadScalar(const char* key, Value& value, const std::string& expected, const Rule&... rule) {
  const ConfigNode* node = TakeScalar(key, expected);
  if (node == nullptr) return false;
  const auto refused = Read({node->text, node->quoted}, rule..., value);
  if (refused) problems_.Add(node->place, Full(key), *refused);
  return !refused;
}

void ConfigReader::operator()(const char* key, std::string& value, const About&) {
  const ConfigNode* known = section_ == nullptr ? nullptr : section_->Child(key);
  if (known != nullptr && known->kind == Kind::kNothing && known->overridden) {  // --set KEY=
    Take(key);
    value.clear();
    return;
  }
  if (const ConfigNode* node = TakeScalar(key, "a text")) value = node->text;
}

void ConfigReader::operator()(const char* key, bool& value, const About&) {
  ReadScalar(key, value, "true or false");
}

bool ConfigReader::ReadNumber(const char* key, double& value, const Real& rule) {
  return ReadScalar(key, value, Expected(rule), rule);
}

bool ConfigReader::ReadNumber(const char* key, std::int64_t& value, const Whole& rule) {
  return ReadScalar(key, value, Expected(rule), rule);
}

void ConfigReader::ReadName(const char* key, std::string& value, const Choice& rule) {
  ReadScalar(key, value, Expected(rule), rule);
}

const ConfigNode* ConfigReader::TakeList(const char* key) {
  const ConfigNode* node = Take(key);
  if (node == nullptr || node->kind == Kind::kList) return node;
  Refuse(key, *node, "a list");
  return nullptr;
}

template <class Item, class ReadItem>
void ConfigReader::ReadList(const char* key, std::vector<Item>& value, const std::string& expected, ReadItem read) {
  const ConfigNode* list = TakeList(key);
  if (list == nullptr) return;
  value.clear();
  for (std::size_t i = 0; i < list->children.size(); ++i) {
    const ConfigNode& node = list->children[i];
    const std::string name = base::Format("{}[{}]", Full(key), i);
    if (node.kind != Kind::kScalar) {
      problems_.Add(node.place, name,
                    base::Format("got {}, expected {}: write the items one beside the other, as in {}: [a, b]",
                                 Found(node), expected, key));
      continue;
    }
    Item item{};
    if (const auto refused = read(node, item)) {
      problems_.Add(node.place, name, *refused);
    } else {
      value.push_back(std::move(item));
    }
  }
}

void ConfigReader::operator()(const char* key, std::vector<std::string>& value, const About&) {
  ReadList(key, value, "a text", [](const ConfigNode& node, std::string& item) {
    item = node.text;
    return std::optional<std::string>();
  });
}

void ConfigReader::ReadNames(const char* key, std::vector<std::string>& value, const Choice& rule) {
  ReadList(key, value, Expected(rule), [&](const ConfigNode& node, std::string& item) {
    return Read({node.text, node.quoted}, rule, item);
  });
}

void ConfigReader::operator()(const char* key, std::vector<std::int64_t>& value, const Whole& rule, const About&) {
  ReadList(key, value, Expected(rule), [&](const ConfigNode& node, std::int64_t& item) {
    return Read({node.text, node.quoted}, rule, item);
  });
}

void ConfigReader::Mapping(const char* key, std::string& object, const About&) {
  const ConfigNode* node = Take(key);
  if (node == nullptr) return;
  object.clear();
  if (node->kind == Kind::kNothing || (node->kind == Kind::kScalar && node->text.empty())) return;
  json::Json value = ToJson(*node);
  if (node->kind == Kind::kScalar) {
    try {
      value = json::Parse(node->text, "it");
    } catch (const base::Error&) {  // the same advice
    }
  }
  if (!value.is_object()) {
    problems_.Add(node->place, Full(key),
                  "got " + Found(*node) + ", expected a mapping: write " + std::string(key) + ": {NAME: VALUE}");
  } else if (!value.empty()) {
    object = json::Dump(value);
  }
}

void ConfigReader::Finish() {
  if (section_ == nullptr) return;
  for (const ConfigNode& child : section_->children) {
    if (std::find(known_.begin(), known_.end(), child.key) != known_.end()) continue;
    const bool bare = child.kind == Kind::kNothing;
    if (bare && child.key.find_first_of(":= ") != std::string::npos) {
      problems_.Add(child.key_place, Full(child.key), "got no value, expected KEY: VALUE: write a colon and a space");
      continue;
    }
    problems_.Add(child.key_place, Full(child.key),
                  "got an unknown key" + std::string(bare ? " without a value (a list stands in [ ]), " : ", ") +
                      guide_.Advise(path_, child.key, known_));
  }
}

void ConfigWriter::Put(const char* key, const std::string& value) {
  text_ += indent_ + key + ": " + Emitted(value) + "\n";
}

void ConfigWriter::Put(const char* key, bool value) {
  text_ += indent_ + key + (value ? ": true\n" : ": false\n");
}

void ConfigWriter::Put(const char* key, double value) {
  text_ += indent_ + key + base::Format(": {}\n", value);
}

void ConfigWriter::Put(const char* key, std::int64_t value) {
  text_ += indent_ + key + base::Format(": {}\n", value);
}

void ConfigWriter::Put(const char* key, const std::vector<std::string>& value) {
  std::string items;
  for (const std::string& item : value) items += (items.empty() ? "" : ", ") + Emitted(item);
  text_ += indent_ + key + ": [" + items + "]\n";
}

void ConfigWriter::Put(const char* key, const std::vector<std::int64_t>& value) {
  std::string items;
  for (const std::int64_t item : value) items += base::Format("{}{}", items.empty() ? "" : ", ", item);
  text_ += indent_ + key + ": [" + items + "]\n";
}

}  // namespace autodidact::launch
