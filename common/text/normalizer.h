// What is done to the text before it is split: Unicode forms, replacements, prefixes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "text/tokenizer_file.h"

namespace autodidact::text {

// Immutable, hence thread-safe.
class Normalizer {
 public:
  Normalizer() = default;  // changes nothing
  // The file's "normalizer", which may be null. Error(kBadInput) for a type that is not supported.
  explicit Normalizer(const Part& part) { Add(part); }

  bool ChangesNothing() const { return steps_.empty(); }
  // `text` is valid UTF-8.
  void Apply(std::string* text) const;

 private:
  void Add(const Part& part);
  void AddReplace(const Part& part);

  std::vector<std::function<void(std::string*)>> steps_;
};

}  // namespace autodidact::text
