// Byte-pair encoding: starts from characters (or bytes) and joins the neighbours whose merge has the lowest rank.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "text/model.h"

namespace autodidact::text {

class BpeModel : public Model {
 public:
  BpeModel(const TokenizerFile& file, const Part& part, bool byte_level);

  void Tokenize(std::string_view word, ModelScratch& scratch, std::vector<TokenId>* ids) const override;
  TokenId unknown() const override { return unknown_; }

 private:
  void LoadVocab(const TokenizerFile& file, const Part& part);
  void LoadMerges(const TokenizerFile& file, const Part& part);
  void FindNeighbours(const TokenizerFile& file);
  // The end of the part of `word` that begins at `begin` and that no merge can cross.
  std::size_t PartEnd(std::string_view word, std::size_t begin) const;
  void TokenizePart(std::string_view part, ModelScratch& scratch, std::vector<TokenId>* ids) const;
  // The ids of the word's bytes or characters, before any merge.
  void StartFromBytes(std::string_view word, std::vector<TokenId>* ids) const;
  void StartFromChars(std::string_view word, std::vector<TokenId>* ids) const;
  bool FallBackToBytes(std::string_view character, std::vector<TokenId>* ids) const;
  // Both merge scratch.ids to the end; the first is faster for few symbols, the second is O(n log n).
  void MergeShort(ModelScratch& scratch) const;
  void MergeLong(ModelScratch& scratch) const;

  bool byte_level_ = false;
  bool byte_fallback_ = false;
  bool fuse_unknown_ = false;
  bool ignore_merges_ = false;  // a word that is a token as a whole is taken as such
  TokenId unknown_ = kNoToken;
  StringTable vocab_;  // keys are raw bytes when byte_level_
  MergeTable merges_;
  // The characters on both sides of every merge's seam. Where a word has another pair, no merge ever joins the two
  // sides, so they are done one by one: a text of SentencePiece's kind, one long word, falls into its real words.
  MergeTable neighbours_;
  bool has_parts_ = false;               // neighbours_ may be used
  std::array<TokenId, 256> byte_ids_{};  // of the single bytes: of the alphabet, or "<0x41>" with byte_fallback_
};

}  // namespace autodidact::text
