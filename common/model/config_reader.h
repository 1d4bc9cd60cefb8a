// Reads config.json key by key and remembers which keys were read, so that none is ignored by accident.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "json/json.h"

namespace autodidact::model {

// One thread; borrows the object. Every failure is Error(kBadInput) naming where, the key, what was found and what was
// expected. A key that is absent or null gives the fallback.
class ConfigReader {
 public:
  ConfigReader(const json::Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  const std::string& where() const { return where_; }
  bool Has(const std::string& key) const { return object_.contains(key) && !object_[key].is_null(); }
  // The value as it is, or null where there is none; marks the key as read.
  const json::Json* Find(const std::string& key);

  // A whole number above zero; a fallback of 0 means that the key must be there.
  std::int64_t Size(const std::string& key, std::int64_t fallback);
  // The same, but 0 is a value.
  std::int64_t OptionalSize(const std::string& key, std::int64_t fallback);
  double Number(const std::string& key, double fallback);
  // A number above zero; without a fallback the key must be there.
  double Positive(const std::string& key, double fallback = 0.0);
  bool Bool(const std::string& key, bool fallback);
  std::string String(const std::string& key, const std::string& fallback);

  [[noreturn]] void Fail(const std::string& key, const std::string& expected) const;
  void Ignore(const std::vector<std::string>& keys) { read_.insert(keys.begin(), keys.end()); }
  // Fails on the first key that nobody read and that says something (is neither null, false nor private).
  void RejectUnread() const;

 private:
  const json::Json& object_;
  std::string where_;
  std::set<std::string> read_;
};

// Keys of config.json that say nothing about what the model computes.
const std::vector<std::string>& HarmlessKeys();

}  // namespace autodidact::model
