// A tokenizer.json as it stands in the file, its two long lists apart.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "json/json.h"

namespace autodidact::text {

struct TokenizerFile {
  std::string path;  // for messages
  json::Json parts;  // everything but model.vocab and model.merges
  std::vector<std::pair<std::string, std::int64_t>> vocab;
  std::vector<std::pair<std::string, std::string>> merges;  // in the order of their ranks
};

// Streams the file, so that a vocabulary of some 100,000 tokens is read in a fraction of a second.
// Error(kBadInput) naming file, line and column.
TokenizerFile ReadTokenizerFile(const std::filesystem::path& file);

// One part of the file (a normalizer, say) with the place where it stands, for messages.
class Part {
 public:
  Part(const json::Json& value, std::string where) : value_(&value), where_(std::move(where)) {}

  const json::Json& value() const { return *value_; }
  const std::string& where() const { return where_; }

  // The member `key`, which must be there.
  Part At(const std::string& key) const;
  // The elements of the list `key`; none when it is absent and not required.
  std::vector<Part> List(const std::string& key) const;

  // Members; a missing or null one is `otherwise`. A wrong type is an error.
  bool Bool(const std::string& key, bool otherwise) const;
  std::string StringOr(const std::string& key, const std::string& otherwise) const;
  std::string String(const std::string& key) const { return json::GetString(*value_, key, where_); }
  std::int64_t Integer(const std::string& key) const { return json::GetInteger(*value_, key, where_); }

  // Error(kBadInput) "where: message".
  [[noreturn]] void Throw(const std::string& message) const;
  // "where: type 'X' is not supported; supported are …".
  [[noreturn]] void ThrowUnsupported(const std::string& type, const char* supported) const;

 private:
  const json::Json* value_;
  std::string where_;
};

}  // namespace autodidact::text
