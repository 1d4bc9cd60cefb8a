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

namespace autodidact::text {

using TokenId = std::int32_t;

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
  // an unknown token.
  std::vector<TokenId> Encode(std::string_view text, bool add_special_tokens = true) const;

  std::string Decode(std::span<const TokenId> ids, bool skip_special_tokens = true) const;

  // One more than the largest id.
  std::int64_t vocab_size() const;
  std::optional<TokenId> IdOf(std::string_view token) const;
  // Throws Error(kBadInput) for an id outside the vocabulary.
  const std::string& TokenOf(TokenId id) const;
  bool IsSpecial(TokenId id) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Decodes a growing sequence piece by piece without ever splitting a character: what it returns, joined, is what
// Decode gives for all ids. The tokenizer must outlive it. One thread.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // The text that became certain with this id; may be empty.
  std::string Push(TokenId id);
  // What is left, incomplete characters as U+FFFD.
  std::string Finish();

 private:
  const Tokenizer& tokenizer_;
  std::vector<TokenId> ids_;
  std::string given_;
};

// Writing tokenizer.json files for small models, which Hugging Face's `tokenizers` loads as they are.
struct TokenizerSpec {
  std::vector<std::string> special_tokens;  // the first ids, in this order; "<pad>", "<bos>", "<eos>" among them
  std::string bos_token = "<bos>";          // put before every text by the post-processor; empty: none
};
// Whole symbols: the text is split at single spaces, each distinct symbol is a token.
void WriteSymbolTokenizer(const TokenizerSpec& spec, const std::vector<std::string>& symbols,
                          const std::filesystem::path& file);
// Byte-level BPE trained on the texts, with all 256 bytes in the vocabulary.
void TrainBpeTokenizer(const TokenizerSpec& spec, const std::vector<std::string>& texts, std::int64_t vocab_size,
                       const std::filesystem::path& file);

}  // namespace autodidact::text
