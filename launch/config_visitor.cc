#include "launch/config_visitor.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <sstream>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"
#include "text/unicode.h"

namespace autodidact::launch {
namespace {

// Levenshtein's distance, for suggestions.
std::size_t Distance(const std::string& left, const std::string& right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i - 1] != right[j - 1]);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

std::string Found(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return "\"" + node.Scalar().substr(0, 60) + (node.Scalar().size() > 60 ? "…\"" : "\"");
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    default:
      return "nothing";
  }
}

template <class T>
bool ParseWhole(const std::string& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// Whether the scalar was written without quotes: "3" in quotes is a text.
bool Plain(const YAML::Node& node) {
  return node.IsScalar() && node.Tag() != "!";
}

// A scalar that stands in no line of a file.
YAML::Node WithoutPlace(const YAML::Node& scalar) {
  YAML::Node node(scalar.Scalar());
  node.SetTag(scalar.Tag());
  return node;
}

void Override(YAML::Node root, const std::string& path, const YAML::Node& value) {
  YAML::Node node = root;
  std::stringstream stream(path);
  std::vector<std::string> keys;
  for (std::string key; std::getline(stream, key, '.');) keys.push_back(key);
  for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
    YAML::Node next = node[keys[i]];
    if (next.IsDefined() && !next.IsNull() && !next.IsMap()) {
      base::ThrowBadInput(base::Format("--set {}: {} is not a section", path, keys[i]));
    }
    node.reset(next);
  }
  node[keys.back()] = value.IsScalar() ? WithoutPlace(value) : value;
}

}  // namespace

ConfigReader::ConfigReader(YAML::Node node, std::string file, std::string path)
    : node_(std::move(node)), file_(std::move(file)), path_(std::move(path)) {
  if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap()) Fail("", node_, "a mapping");
}

YAML::Node ConfigReader::Take(const char* key) {
  known_.insert(key);
  if (!node_.IsDefined() || node_.IsNull()) return YAML::Node(YAML::NodeType::Undefined);
  const YAML::Node& readable = node_;
  return readable[key];
}

ConfigReader ConfigReader::Inner(const char* key) {
  return ConfigReader(Take(key), file_, Full(key));
}

// File and line; what --set gave has no line of the file.
std::string ConfigReader::Place(const YAML::Node& node) const {
  return node.Mark().is_null() ? file_ : base::Format("{}:{}", file_, node.Mark().line + 1);
}

void ConfigReader::Fail(const std::string& key, const YAML::Node& node, const std::string& expected) const {
  const std::string name = key.empty() ? path_ : Full(key);
  base::ThrowBadInput(base::Format("{}: {}: got {}, expected {}", Place(node), name.empty() ? "the file" : name,
                                   Found(node), expected));
}

void ConfigReader::operator()(const char* key, std::string& value) {
  const YAML::Node node = Take(key);
  if (!node.IsDefined()) return;
  if (node.IsNull()) {
    value.clear();
  } else if (node.IsScalar()) {
    value = node.Scalar();
  } else {
    Fail(key, node, "a text");
  }
}

void ConfigReader::operator()(const char* key, bool& value) {
  const YAML::Node node = Take(key);
  if (!node.IsDefined()) return;
  if (!Plain(node) || (node.Scalar() != "true" && node.Scalar() != "false")) Fail(key, node, "true or false");
  value = node.Scalar() == "true";
}

void ConfigReader::operator()(const char* key, double& value) {
  const YAML::Node node = Take(key);
  if (!node.IsDefined()) return;
  // "nan" and "inf" are numbers to the parser.
  if (!Plain(node) || !ParseWhole(node.Scalar(), value) || !std::isfinite(value)) Fail(key, node, "a number");
}

void ConfigReader::operator()(const char* key, std::int64_t& value) {
  const YAML::Node node = Take(key);
  if (!node.IsDefined()) return;
  if (!Plain(node) || !ParseWhole(node.Scalar(), value)) Fail(key, node, "a whole number");
}

void ConfigReader::operator()(const char* key, std::vector<std::string>& value) {
  const YAML::Node node = Take(key);
  if (!node.IsDefined()) return;
  RequireSequence(key, node);
  value.clear();
  for (const YAML::Node& item : node) {
    if (!item.IsScalar()) Fail(key, item, "a list of texts");
    value.push_back(item.Scalar());
  }
}

void ConfigReader::operator()(const char* key, std::vector<std::int64_t>& value) {
  const YAML::Node node = Take(key);
  if (!node.IsDefined()) return;
  RequireSequence(key, node);
  value.clear();
  for (const YAML::Node& item : node) {
    if (!Plain(item) || !ParseWhole(item.Scalar(), value.emplace_back())) Fail(key, item, "a list of whole numbers");
  }
}

void ConfigReader::RequireSequence(const char* key, const YAML::Node& node) const {
  if (!node.IsSequence()) Fail(key, node, "a list");
}

void ConfigReader::Finish() const {
  if (!node_.IsDefined() || !node_.IsMap()) return;
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    const std::string key = entry.first.Scalar();
    if (!seen.insert(key).second) {
      base::ThrowBadInput(base::Format("{}: {} is given twice", Place(entry.first), Full(key)));
    }
    if (known_.contains(key)) continue;
    const auto nearest = std::min_element(known_.begin(), known_.end(), [&](const auto& left, const auto& right) {
      return Distance(key, left) < Distance(key, right);
    });
    std::string hint;
    if (nearest != known_.end() && Distance(key, *nearest) <= std::max<std::size_t>(2, key.size() / 3)) {
      hint = "; did you mean " + *nearest + "?";
    } else {
      for (const std::string& name : known_) hint += (hint.empty() ? "; known keys: " : ", ") + name;
    }
    base::ThrowBadInput(base::Format("{}: unknown key {}{}", Place(entry.first), Full(key), hint));
  }
}

void ConfigWriter::operator()(const char* key, const double& value) {
  node_[key] = base::Format("{}", value);
}

std::string ConfigWriter::Text() const {
  YAML::Emitter emitter;
  emitter << node_;
  return std::string(emitter.c_str()) + "\n";
}

YAML::Node LoadYaml(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  const std::string bytes = json::ReadFile(file);
  if (!text::IsValidUtf8(bytes)) base::ThrowBadInput(file.string() + ": not in valid UTF-8, as a config must be");
  YAML::Node root;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(bytes);
    if (documents.size() > 1) base::ThrowBadInput(file.string() + ": several YAML documents, expected one");
    if (!documents.empty()) root = documents.front();
  } catch (const YAML::Exception& error) {
    base::ThrowBadInput(base::Format("{}:{}: {}", file.string(), error.mark.line + 1, error.msg));
  }
  if (root.IsNull()) root = YAML::Node(YAML::NodeType::Map);
  for (const std::string& text : overrides) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      base::ThrowBadInput("--set " + text + ": expected KEY=VALUE, as in --set train.max_steps=10");
    }
    try {
      Override(root, text.substr(0, equals), YAML::Load(text.substr(equals + 1)));
    } catch (const YAML::Exception& error) {
      base::ThrowBadInput("--set " + text + ": " + error.msg);
    }
  }
  return root;
}

}  // namespace autodidact::launch
