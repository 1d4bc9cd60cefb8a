// Text to token ids and back, as Hugging Face's `tokenizers` does it from a tokenizer.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/span.h"

namespace autodidact::text {

using TokenId = std::int32_t;

// A token that stands in a text as it is spelled.
struct SpelledToken {
  Span span;
  TokenId id = 0;
  bool special = false;
};

// Immutable after loading, hence thread-safe.
class Tokenizer {
 public:
  // Reads a tokenizer.json, or the one in a folder. Throws Error(kBadInput) naming the file and the part of it that is
  // malformed or not supported (with what is).
  explicit Tokenizer(const std::filesystem::path& file_or_folder);
  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // add_special_tokens: as the post-processor says (BOS, say). Special tokens written out in the text are recognised.
  // A text that the vocabulary cannot express throws Error(kBadInput) naming the first such piece, unless the file has
  // an unknown token. Invalid UTF-8 is read as U+FFFD. Truncation and padding of the file are not applied.
  std::vector<TokenId> Encode(std::string_view text, bool add_special_tokens = true) const;

  // The same of a text with parts that are text and nothing else, whatever they spell: no special token, and none of
  // `tags`, is read where it shares a byte with one of the ranges (in order, apart from each other). Error(kBadInput)
  // when the vocabulary has no other tokens for such a part, as one of whole words.
  std::vector<TokenId> EncodeMarked(std::string_view text, bool add_special_tokens, std::span<const Span> foreign,
                                    std::span<const TokenId> tags) const;
  // Where the text, which is valid UTF-8, spells tokens that Encode takes as a whole: the leftmost first, the longest
  // of those, apart from each other.
  std::vector<SpelledToken> FindSpelled(std::string_view text) const;

  // Ids outside the vocabulary (a model may have more rows than tokens) stand for nothing. Valid UTF-8.
  std::string Decode(std::span<const TokenId> ids, bool skip_special_tokens = true) const;

  // One more than the largest id.
  std::int64_t vocab_size() const;
  std::optional<TokenId> IdOf(std::string_view token) const;
  // Throws Error(kBadInput) for an id outside the vocabulary.
  const std::string& TokenOf(TokenId id) const;
  bool IsSpecial(TokenId id) const;

 private:
  friend class StreamDecoder;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Decodes a growing sequence piece by piece without ever splitting a character: what it returns, joined, is what
// Decode gives for all ids, special tokens skipped. The tokenizer must outlive it. One thread.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer);
  ~StreamDecoder();
  StreamDecoder(StreamDecoder&&) noexcept;
  StreamDecoder& operator=(StreamDecoder&&) noexcept;

  // The text that became certain with this id; may be empty. A run of byte tokens ("<0xE2>") becomes certain when it
  // ends; a file whose decoder looks at the whole text gives everything in Finish.
  std::string Push(TokenId id);
  // What is left, incomplete characters as U+FFFD. Nothing may be pushed afterwards.
  std::string Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Writing tokenizer.json files for small models, which Hugging Face's `tokenizers` loads as they are. Beside `file` a
// tokenizer_config.json names bos, eos and pad ("<pad>", "<eos>" and bos_token where they are special tokens), so that
// transformers' AutoTokenizer loads the folder. Error(kBadInput) for a spec that is not consistent.
struct TokenizerSpec {
  std::vector<std::string> special_tokens;  // the first ids, in this order; "<pad>", "<bos>", "<eos>" among them
  std::string bos_token = "<bos>";          // put before every text by the post-processor; empty: none
};
// Whole symbols: the text is split at spaces, each distinct symbol is a token; decoding joins them by a space. A symbol
// that is not in the vocabulary becomes "<unk>" where that is a special token, and is an error otherwise.
void WriteSymbolTokenizer(const TokenizerSpec& spec, const std::vector<std::string>& symbols,
                          const std::filesystem::path& file);
// Byte-level BPE trained on the texts, with all 256 bytes in the vocabulary. `vocab_size` counts everything; the result
// is smaller when no pair occurs twice any more.
void TrainBpeTokenizer(const TokenizerSpec& spec, const std::vector<std::string>& texts, std::int64_t vocab_size,
                       const std::filesystem::path& file);

}  // namespace autodidact::text
