// The parts of a Tokenizer, put together.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "text/added_tokens.h"
#include "text/decoder.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace autodidact::text {

class Tokenizer::Impl {
 public:
  explicit Impl(const std::filesystem::path& path);

  // What must stay text.
  struct Marks {
    std::span<const Span> foreign;
    std::span<const TokenId> tags;
  };
  std::vector<TokenId> Encode(std::string_view text, bool add_special_tokens, const Marks& marks) const;
  std::vector<SpelledToken> FindSpelled(std::string_view text) const;
  std::string Decode(std::span<const TokenId> ids, bool skip_special_tokens) const;

  std::int64_t vocab_size() const { return static_cast<std::int64_t>(tokens_.size()); }
  TokenId IdOf(std::string_view token) const { return ids_.Find(token); }
  const std::string& TokenOf(TokenId id) const;
  bool IsSpecial(TokenId id) const { return IsKnown(id) && is_special_[static_cast<std::size_t>(id)]; }
  bool IsKnown(TokenId id) const {
    return id >= 0 && id < vocab_size() && !tokens_[static_cast<std::size_t>(id)].empty();
  }

  const Decoder& decoder() const { return decoder_; }
  // The bytes that a token decodes to; only for a byte-level decoder.
  const std::string& BytesOf(TokenId id) const { return bytes_[static_cast<std::size_t>(id)]; }

 private:
  // The buffers of one Encode call.
  struct Scratch {
    ModelScratch model;
    PieceList pieces;
    std::string normalized;
    std::vector<Segment> segments;
    std::vector<Segment> normalized_segments;
    std::vector<Span> foreign;  // of a segment
  };
  // Lends a Scratch to one Encode call.
  class Loan;

  void ReadTokens(const TokenizerFile& file);
  void AddToken(const std::string& token, TokenId id, const TokenizerFile& file);
  // `foreign` of the segment's own bytes.
  void EncodeSegment(std::string_view text, bool at_start, const Marks& marks, Scratch& scratch,
                     std::vector<TokenId>* ids) const;
  void EncodeText(std::string_view text, bool at_start, bool has_foreign, Scratch& scratch,
                  std::vector<TokenId>* ids) const;
  bool MustStayText(TokenId id, const Marks& marks) const;
  // Splits normalized text; a token that stands in a foreign part of the text before that is none.
  void SplitNormalized(std::string_view text, std::string_view normalized, const Marks& marks,
                       std::vector<Segment>* segments) const;

  std::vector<std::string> tokens_;  // by id; empty for an id that the file leaves out
  std::vector<bool> is_special_;     // by id
  std::vector<std::string> bytes_;   // by id; empty unless the decoder is byte-level
  StringTable ids_;
  AddedTokenFinder raw_finder_;         // looks into the text as it is
  AddedTokenFinder normalized_finder_;  // looks into the normalized text
  AddedTokenFinder spelled_finder_;     // all of them as they are spelled
  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  std::unique_ptr<Model> model_;
  PostProcessor post_processor_;
  Decoder decoder_;
  mutable base::Guarded<std::vector<std::unique_ptr<Scratch>>> spare_;  // between calls; their word caches stay warm
};

}  // namespace autodidact::text
