// A description of a config as the list of its keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "launch/config/visitor.h"

namespace autodidact::launch {

// Lists the keys of a description.
class KeyLister {
 public:
  explicit KeyLister(std::string path = {}, OnResume on_resume = OnResume::kMustStay)
      : path_(std::move(path)), on_resume_(on_resume) {}

  template <class T>
  void operator()(const char* key, const T& value, const About& about) {
    if constexpr (std::is_enum_v<T>) {
      AddNames<T>(key, base::NameIn(value), "", about);
    } else if constexpr (EnumList<T>) {
      AddNames<typename T::value_type>(key, NamesIn(value), "a list, each ", about);
      keys_.back().list = true;
    } else {
      Add(key, Kind(value), value, about);
      keys_.back().type = std::is_same_v<T, bool> ? "boolean" : "string";
      keys_.back().list = std::is_same_v<T, std::vector<std::string>>;
    }
  }
  template <class T, class Rule>
  void operator()(const char* key, const T& value, const Rule& rule, const About& about) {
    constexpr bool kList = std::is_same_v<T, std::vector<std::int64_t>>;
    const std::string expected = (kList ? "a list, each " : "") + Expected(rule);
    if constexpr (requires { InFile(value, rule); }) {
      Add(key, expected, InFile(value, rule), about);
    } else {
      Add(key, expected, value, about);
    }
    keys_.back().list = kList;
    SetRule(rule, keys_.back());
  }
  void Mapping(const char* key, const std::string& object, const About& about) {
    Add(key, "a mapping", object, about);
    keys_.back().type = "object";
  }
  template <class Describe>
  void Section(const char* key, OnResume on_resume, Describe describe) {
    KeyLister inner(path_ + key + ".", on_resume);
    describe(inner);
    keys_.insert(keys_.end(), inner.keys_.begin(), inner.keys_.end());
  }
  template <class Describe>
  void Section(const char* key, Describe describe) {
    Section(key, on_resume_, describe);
  }
  template <class T, class Describe>
  void List(const char* key, std::vector<T>&, Describe describe) {
    KeyLister inner(path_ + key + "[].", on_resume_);
    T item;
    describe(inner, item);
    keys_.insert(keys_.end(), inner.keys_.begin(), inner.keys_.end());
  }
  const std::vector<KeyInfo>& keys() const { return keys_; }

 private:
  static void SetRule(const Whole& rule, KeyInfo& info) {
    info.type = "integer";
    info.least = static_cast<double>(rule.least);
    info.most = static_cast<double>(rule.most);
  }
  static void SetRule(const Real& rule, KeyInfo& info) {
    info.type = "number";
    info.least = rule.least;
    info.most = rule.most;
    info.or_zero = rule.or_zero;
  }
  static std::string Kind(const std::string&) { return "a text"; }
  static std::string Kind(bool) { return "true or false"; }
  static std::string Kind(const std::vector<std::string>&) { return "a list of texts"; }

  template <class E, class T>
  void AddNames(const char* key, const T& names, const std::string& list, const About& about) {
    const Choice rule{base::AllNames<E>()};
    Add(key, list + Expected(rule), names, about);
    keys_.back().names = rule.names;
  }

  template <class T>
  void Add(const char* key, const std::string& expected, const T& value, const About& about) {
    ConfigWriter writer;
    writer("", value, about);
    std::string fallback = writer.text().substr(2);
    fallback.pop_back();
    keys_.push_back({path_ + key, expected, fallback, about.help, about.on_resume.value_or(on_resume_)});
  }

  std::string path_;
  OnResume on_resume_;  // of keys that say nothing
  std::vector<KeyInfo> keys_;
};

// Every key of a kind of config.
template <class Config>
std::vector<KeyInfo> ListKeys() {
  Config config;
  KeyLister lister;
  Describe(lister, config);
  return lister.keys();
}

}  // namespace autodidact::launch
