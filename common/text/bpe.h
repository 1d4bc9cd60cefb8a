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

 private:
  void LoadVocab(const TokenizerFile& file, const Part& part);
  void LoadMerges(const TokenizerFile& file, const Part& part);
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
  std::array<TokenId, 256> byte_ids_{};  // of the single bytes: of the alphabet, or "<0x41>" with byte_fallback_
};

}  // namespace autodidact::text
