// Tokens back to text: the file's "decoder", for a whole sequence and for one that grows.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer_file.h"

namespace autodidact::text {

// Immutable, hence thread-safe.
class Decoder {
 public:
  Decoder() = default;  // the tokens joined by spaces
  // The file's "decoder", which may be null. Error(kBadInput) for a type that is not supported.
  explicit Decoder(const Part& part);

  // Tokens are raw bytes in GPT-2's alphabet, and nothing else is done: the text is their bytes, joined.
  bool is_byte_level() const { return is_byte_level_; }

  // Not for a byte-level decoder.
  std::string Decode(std::vector<std::string> tokens) const;

  // Whether the text of the first tokens stays a prefix of the text as more tokens come, but for byte tokens ("<0x41>")
  // at the end, whose meaning depends on their neighbours.
  bool can_stream() const { return can_stream_; }
  // Whether the token stands for one byte, in a decoder that reads such tokens.
  bool IsByteToken(std::string_view token) const;
  // For can_stream(): what `tokens` add to the text; `is_first` when nothing came before them. `start_left` is how many
  // characters may still be stripped from the start: kept by the caller, who begins with start_strip().
  std::string DecodePart(std::vector<std::string> tokens, bool is_first, std::size_t* start_left) const;
  std::size_t start_strip() const { return start_strip_; }

 private:
  using Step = std::function<void(std::vector<std::string>*, bool)>;

  void Add(const Part& part);
  void AddStrip(const Part& part);

  std::vector<Step> steps_;  // each rewrites the list of tokens; the flag is is_first
  bool joins_with_spaces_ = true;
  bool is_byte_level_ = false;
  bool can_stream_ = true;
  bool reads_byte_tokens_ = false;
  bool is_fused_ = false;  // a step before has made one token of all
  // A strip at the start of the fused text, applied after the steps so that it can be done piece by piece.
  std::size_t start_strip_ = 0;
  std::string start_character_;
};

}  // namespace autodidact::text
