// Configs in YAML: one description of a struct (a function that names its keys) serves reading, writing and overriding.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace autodidact::launch {

// Reads the keys that a description names out of a YAML mapping. A key that the description does not name, or a value
// of another type, is Error(kBadInput) with file, line, key, what was found and what was expected; an unknown key comes
// with the nearest known one. A missing key leaves the struct's default.
class ConfigReader {
 public:
  ConfigReader(YAML::Node node, std::string file, std::string path = {});

  void operator()(const char* key, std::string& value);
  void operator()(const char* key, bool& value);
  void operator()(const char* key, double& value);
  void operator()(const char* key, std::int64_t& value);
  void operator()(const char* key, std::vector<std::string>& value);
  void operator()(const char* key, std::vector<std::int64_t>& value);

  // A mapping below `key`; `describe` is called with a reader (or writer) of it.
  template <class Describe>
  void Section(const char* key, Describe describe) {
    ConfigReader inner = Inner(key);
    describe(inner);
    inner.Finish();
  }
  // A list of mappings below `key`.
  template <class T, class Describe>
  void List(const char* key, std::vector<T>& items, Describe describe) {
    const YAML::Node list = Take(key);
    if (!list.IsDefined() || list.IsNull()) return;
    RequireSequence(key, list);
    items.clear();
    for (std::size_t i = 0; i < list.size(); ++i) {
      ConfigReader inner(list[i], file_, Full(key) + "[" + std::to_string(i) + "]");
      describe(inner, items.emplace_back());
      inner.Finish();
    }
  }

  // Throws for the first key that nothing named.
  void Finish() const;

 private:
  YAML::Node Take(const char* key);
  ConfigReader Inner(const char* key);
  std::string Full(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  void RequireSequence(const char* key, const YAML::Node& node) const;
  std::string Place(const YAML::Node& node) const;
  [[noreturn]] void Fail(const std::string& key, const YAML::Node& node, const std::string& expected) const;

  YAML::Node node_;
  std::string file_;
  std::string path_;
  std::set<std::string> known_;
};

// Writes every key of a description, defaults included.
class ConfigWriter {
 public:
  template <class T>
  void operator()(const char* key, const T& value) {
    node_[key] = value;
  }
  void operator()(const char* key, const double& value);
  template <class Describe>
  void Section(const char* key, Describe describe) {
    ConfigWriter inner;
    describe(inner);
    node_[key] = inner.node_;
  }
  template <class T, class Describe>
  void List(const char* key, std::vector<T>& items, Describe describe) {
    YAML::Node list(YAML::NodeType::Sequence);
    for (T& item : items) {
      ConfigWriter inner;
      describe(inner, item);
      list.push_back(inner.node_);
    }
    node_[key] = list;
  }
  std::string Text() const;

 private:
  YAML::Node node_;
};

// The file's mapping with the overrides ("a.b=value", the value in YAML) put over it. Error(kBadInput) for a file that
// cannot be read or parsed, and for an override without "=".
YAML::Node LoadYaml(const std::filesystem::path& file, const std::vector<std::string>& overrides);

}  // namespace autodidact::launch
