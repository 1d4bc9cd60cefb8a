// Splits the normalized text into words, which the model then splits into tokens one by one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/pattern.h"
#include "text/regex.h"
#include "text/tokenizer_file.h"

namespace autodidact::text {

// The text on its way through the steps: the pieces are ranges of `text`, in order.
struct PieceList {
  std::string text;
  std::vector<Span> pieces;
  bool at_start = true;  // the text begins where the whole input begins
  // Of the steps.
  std::vector<Span> next;
  std::vector<Span> matches;
};

// Immutable, hence thread-safe.
class PreTokenizer {
 public:
  PreTokenizer() = default;  // the whole text is one word
  // The file's "pre_tokenizer", which may be null. Error(kBadInput) for a type that is not supported.
  explicit PreTokenizer(const Part& part) { Add(part); }

  // Words are to be read as raw bytes: the tokens are written in GPT-2's alphabet.
  bool byte_level() const { return byte_level_; }
  // Turns the text, which is one piece when it comes in, into words.
  void Apply(PieceList* list) const;

 private:
  using Step = std::function<void(PieceList*)>;

  void Add(const Part& part);
  void AddByteLevel(const Part& part);
  void AddMetaspace(const Part& part);

  std::vector<Step> steps_;
  bool byte_level_ = false;
};

}  // namespace autodidact::text
