// Watches a rollout's text for stop strings while it grows, across the borders of tokens.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace autodidact::engine {

// Borrows tokenizer and strings. One thread.
class StopText {
 public:
  StopText(const text::Tokenizer& tokenizer, const std::vector<std::string>& stop_strings);

  // True when the text now holds a stop string.
  bool Push(text::TokenId id);
  // The text before the first stop string. Only after Push returned true.
  std::string Cut() const { return text_.substr(0, cut_); }

 private:
  const std::vector<std::string>& stop_strings_;
  text::StreamDecoder decoder_;
  std::size_t longest_ = 0;
  std::string text_;
  std::size_t cut_ = std::string::npos;
};

}  // namespace autodidact::engine
