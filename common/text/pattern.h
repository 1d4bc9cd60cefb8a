// A pattern of a tokenizer.json: {"String": "x"} or {"Regex": "x+"}.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/regex.h"
#include "text/tokenizer_file.h"

namespace autodidact::text {

// Immutable, hence thread-safe.
class Pattern {
 public:
  explicit Pattern(const Part& part);
  explicit Pattern(std::string literal) : literal_(std::move(literal)) {}
  explicit Pattern(std::unique_ptr<Regex> regex) : regex_(std::move(regex)) {}

  // Appends the matches, left to right, none empty. `text` is valid UTF-8.
  void FindAll(std::string_view text, std::vector<Span>* matches) const;
  std::string Replace(std::string_view text, std::string_view content) const;

 private:
  std::string literal_;
  std::unique_ptr<Regex> regex_;  // null: literal_
};

}  // namespace autodidact::text
