// One description of a config (a function that names its keys, with what each may be and what it means) serves reading,
// writing, and telling which keys there are (lister.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/deadline.h"
#include "base/names.h"
#include "launch/config/key.h"
#include "launch/config/rules.h"
#include "launch/config/tree.h"

namespace autodidact::launch {

// A value of a component's config as the number that stands in the file, and back. A float is the shortest decimal
// that gives it; a duration is in seconds.
template <class T>
concept WholeNumber = std::is_integral_v<T> && !std::is_same_v<T, bool>;
template <WholeNumber T>
std::int64_t InFile(T value, const Whole& rule) {
  return static_cast<std::int64_t>(value) / rule.scale;
}
template <WholeNumber T>
void FromFile(std::int64_t number, const Whole& rule, T& value) {
  value = static_cast<T>(number * rule.scale);
}
inline double InFile(double value, const Real&) {
  return value;
}
inline void FromFile(double number, const Real&, double& value) {
  value = number;
}
double InFile(float value, const Real& rule);
inline void FromFile(double number, const Real&, float& value) {
  value = static_cast<float>(number);
}
inline double InSeconds(base::Milliseconds duration) {
  return std::chrono::duration<double>(duration).count();
}
inline double InFile(base::Milliseconds value, const Real&) {
  return InSeconds(value);
}
void FromFile(double number, const Real& rule, base::Milliseconds& value);
// Whole seconds, rounded up.
double InFile(std::uint32_t value, const Real& rule);
void FromFile(double number, const Real& rule, std::uint32_t& value);

// A list of values of an enum with names, and their names.
template <class T>
concept EnumList = std::is_enum_v<typename T::value_type> && std::is_same_v<T, std::vector<typename T::value_type>>;
template <EnumList T>
std::vector<std::string> NamesIn(const T& values) {
  std::vector<std::string> names;
  for (const auto value : values) names.push_back(base::NameIn(value));
  return names;
}

// Reads the keys that a description names out of a section. A key that it does not name, and a value that its rule
// refuses, become problems with place, key, what was found, what was expected and what to do; reading goes on, and the
// struct keeps its default. Borrows everything.
class ConfigReader {
 public:
  ConfigReader(const ConfigNode* section, const KeyGuide& guide, ConfigProblems& problems, std::string path = {});

  void operator()(const char* key, std::string& value, const About& about);
  void operator()(const char* key, bool& value, const About& about);
  template <class T, class Rule>
  requires requires(const T& value, const Rule& rule) { InFile(value, rule); }
  void operator()(const char* key, T& value, const Rule& rule, const About&) {
    auto number = InFile(value, rule);
    if (ReadNumber(key, number, rule)) FromFile(number, rule, value);
  }
  void operator()(const char* key, std::vector<std::string>& value, const About& about);
  void operator()(const char* key, std::vector<std::int64_t>& value, const Whole& rule, const About& about);

  // An enum with names (base/names.h).
  template <class E>
  requires std::is_enum_v<E>
  void operator()(const char* key, E& value, const About&) {
    std::string name = base::NameIn(value);
    ReadName(key, name, Choice{base::AllNames<E>()});
    value = base::ValueNamed<E>(name, key);
  }

  template <EnumList T>
  void operator()(const char* key, T& values, const About&) {
    using E = typename T::value_type;
    std::vector<std::string> names = NamesIn(values);
    ReadNames(key, names, Choice{base::AllNames<E>()});
    values.clear();
    for (const std::string& name : names) values.push_back(base::ValueNamed<E>(name, key));
  }

  // A mapping whose keys nobody here knows, as the text of a JSON object (which it may be given as, too); empty: none.
  void Mapping(const char* key, std::string& object, const About& about);

  // A section below `key`; `describe` is called with a reader (or writer, or lister) of it.
  template <class Describe>
  void Section(const char* key, OnResume, Describe describe) {
    Section(key, describe);
  }
  template <class Describe>
  void Section(const char* key, Describe describe) {
    ConfigReader inner(Take(key), guide_, problems_, Full(key));
    describe(inner);
    inner.Finish();
  }
  // A list of sections below `key`.
  template <class T, class Describe>
  void List(const char* key, std::vector<T>& items, Describe describe) {
    const ConfigNode* list = TakeList(key);
    if (list == nullptr) return;
    items.clear();
    for (std::size_t i = 0; i < list->children.size(); ++i) {
      ConfigReader inner(&list->children[i], guide_, problems_, Full(key) + "[" + std::to_string(i) + "]");
      describe(inner, items.emplace_back());
      inner.Finish();
    }
  }

  // Every key that nothing named is a problem.
  void Finish();

 private:
  const ConfigNode* Take(const char* key);
  const ConfigNode* TakeList(const char* key);
  const ConfigNode* TakeScalar(const char* key, const std::string& expected);
  std::string Full(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  void Refuse(const std::string& key, const ConfigNode& node, const std::string& expected);
  // Whether there was a number that the rule allows.
  bool ReadNumber(const char* key, std::int64_t& value, const Whole& rule);
  bool ReadNumber(const char* key, double& value, const Real& rule);
  void ReadName(const char* key, std::string& value, const Choice& rule);
  void ReadNames(const char* key, std::vector<std::string>& value, const Choice& rule);
  template <class Value, class... Rule>
  bool ReadScalar(const char* key, Value& value, const std::string& expected, const Rule&... rule);
  template <class Item, class ReadItem>
  void ReadList(const char* key, std::vector<Item>& value, const std::string& expected, ReadItem read);

  const ConfigNode* section_;  // null: not in the file
  const KeyGuide& guide_;
  ConfigProblems& problems_;
  std::string path_;
  std::vector<std::string> known_;
};

// Writes every key of a description, defaults included, as YAML.
class ConfigWriter {
 public:
  explicit ConfigWriter(std::string indent = {}) : indent_(std::move(indent)) {}

  template <class T>
  void operator()(const char* key, const T& value, const About&) {
    if constexpr (std::is_enum_v<T>) {
      Put(key, base::NameIn(value));
    } else if constexpr (EnumList<T>) {
      Put(key, NamesIn(value));
    } else {
      Put(key, value);
    }
  }
  template <class T, class Rule>
  void operator()(const char* key, const T& value, const Rule& rule, const About&) {
    if constexpr (requires { InFile(value, rule); }) {
      Put(key, InFile(value, rule));
    } else {
      Put(key, value);
    }
  }
  void Mapping(const char* key, const std::string& object, const About&) { Put(key, object); }
  template <class Describe>
  void Section(const char* key, OnResume, Describe describe) {
    Section(key, describe);
  }
  template <class Describe>
  void Section(const char* key, Describe describe) {
    ConfigWriter inner(indent_ + "  ");
    describe(inner);
    text_ += indent_ + key + ":\n" + inner.text_;
  }
  template <class T, class Describe>
  void List(const char* key, std::vector<T>& items, Describe describe) {
    text_ += indent_ + key + (items.empty() ? ": []\n" : ":\n");
    for (T& item : items) {
      ConfigWriter inner(indent_ + "    ");
      describe(inner, item);
      inner.text_[indent_.size() + 2] = '-';
      text_ += inner.text_;
    }
  }
  const std::string& text() const { return text_; }

 private:
  void Put(const char* key, const std::string& value);
  void Put(const char* key, bool value);
  void Put(const char* key, double value);
  void Put(const char* key, std::int64_t value);
  void Put(const char* key, const std::vector<std::string>& value);
  void Put(const char* key, const std::vector<std::int64_t>& value);

  std::string indent_;
  std::string text_;
};

}  // namespace autodidact::launch
