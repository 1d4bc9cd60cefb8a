#include "text/bpe.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "text/byte_level.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

// Up to here a scan for the best merge beats a heap.
constexpr std::size_t kShortWord = 24;

[[noreturn]] void ThrowUnknown(std::string_view piece) {
  base::ThrowBadInput(base::Format("the vocabulary has no token for '{}' and no token for unknown pieces", piece));
}

}  // namespace

BpeModel::BpeModel(const TokenizerFile& file, const Part& part, bool byte_level) : byte_level_(byte_level) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!part.StringOr(key, "").empty()) part.Throw(base::Format("'{}' is not supported", key));
  }
  if (part.value().contains("dropout") && !part.value()["dropout"].is_null() && part.value()["dropout"] != 0.0) {
    part.Throw("'dropout' is not supported: encoding would be random");
  }
  byte_fallback_ = part.Bool("byte_fallback", false);
  fuse_unknown_ = part.Bool("fuse_unk", false);
  ignore_merges_ = part.Bool("ignore_merges", false);
  LoadVocab(file, part);
  LoadMerges(file, part);
  const std::string unknown = part.StringOr("unk_token", "");
  for (const auto& [token, id] : file.vocab) {
    if (!unknown.empty() && token == unknown) unknown_ = static_cast<TokenId>(id);
  }
  if (!unknown.empty() && unknown_ == kNoToken) part.Throw("unk_token '" + unknown + "' is not in the vocabulary");
  if (!byte_level_) FindNeighbours(file);
}

void BpeModel::FindNeighbours(const TokenizerFile& file) {
  // Unknown characters are fused across parts, and merged byte tokens have no characters: such files do without.
  const bool is_closed = byte_fallback_ && std::find(byte_ids_.begin(), byte_ids_.end(), kNoToken) == byte_ids_.end();
  if (!is_closed) return;
  std::vector<std::pair<TokenId, TokenId>> pairs;
  pairs.reserve(file.merges.size());
  for (const auto& [left, right] : file.merges) {
    if (left.empty() || right.empty() || left.starts_with("<0x") || right.starts_with("<0x")) return;
    char32_t before = 0;
    for (std::size_t position = 0; position < left.size();) before = NextChar(left, &position);
    std::size_t position = 0;
    pairs.emplace_back(static_cast<TokenId>(before), static_cast<TokenId>(NextChar(right, &position)));
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  neighbours_ = MergeTable(pairs.size());
  for (const auto& [before, after] : pairs) neighbours_.Insert(before, after, {0, 0});
  has_parts_ = true;
}

std::size_t BpeModel::PartEnd(std::string_view word, std::size_t begin) const {
  std::size_t position = begin;
  char32_t before = NextChar(word, &position);
  while (position < word.size()) {
    const std::size_t end = position;
    const char32_t after = NextChar(word, &position);
    if (neighbours_.Find(static_cast<TokenId>(before), static_cast<TokenId>(after)).id == kNoToken) return end;
    before = after;
  }
  return word.size();
}

void BpeModel::LoadVocab(const TokenizerFile& file, const Part& part) {
  vocab_ = StringTable(file.vocab.size());
  byte_ids_.fill(kNoToken);
  for (const auto& [token, id] : file.vocab) {
    bool is_new = true;
    if (!byte_level_) {
      is_new = vocab_.Insert(token, static_cast<TokenId>(id));
    } else if (const auto bytes = BytesOfToken(token)) {
      // A token with other characters can never come out of bytes.
      is_new = vocab_.Insert(*bytes, static_cast<TokenId>(id));
    }
    if (!is_new) part.Throw("vocab lists '" + token + "' twice");
  }
  for (int byte = 0; byte < 256; ++byte) {
    const std::string key = byte_level_ ? std::string(1, static_cast<char>(byte)) : base::Format("<0x{:02X}>", byte);
    byte_ids_[static_cast<std::size_t>(byte)] = vocab_.Find(key);
  }
}

void BpeModel::LoadMerges(const TokenizerFile& file, const Part& part) {
  // Merges name tokens as they are written in the file, which may hold characters outside the byte alphabet.
  merges_ = MergeTable(file.merges.size());
  StringTable written(file.vocab.size());
  for (const auto& [token, id] : file.vocab) written.Insert(token, static_cast<TokenId>(id));
  std::string joined;
  for (std::size_t rank = 0; rank < file.merges.size(); ++rank) {
    const auto& [left, right] = file.merges[rank];
    joined.assign(left).append(right);
    const TokenId left_id = written.Find(left), right_id = written.Find(right), id = written.Find(joined);
    if (left_id == kNoToken || right_id == kNoToken || id == kNoToken) {
      const std::string& missing = left_id == kNoToken ? left : right_id == kNoToken ? right : joined;
      part.Throw(base::Format("merges[{}]: the token '{}' is not in the vocabulary", rank, missing));
    }
    merges_.Insert(left_id, right_id, {static_cast<std::uint32_t>(rank), id});
  }
}

void BpeModel::Tokenize(std::string_view word, ModelScratch& scratch, std::vector<TokenId>* ids) const {
  if (word.empty()) return;
  if (ignore_merges_) {
    if (const TokenId id = vocab_.Find(word); id != kNoToken) {
      ids->push_back(id);
      return;
    }
  }
  if (!has_parts_) {
    TokenizePart(word, scratch, ids);
    return;
  }
  for (std::size_t begin = 0; begin < word.size();) {
    const std::size_t end = PartEnd(word, begin);
    TokenizePart(word.substr(begin, end - begin), scratch, ids);
    begin = end;
  }
}

void BpeModel::TokenizePart(std::string_view word, ModelScratch& scratch, std::vector<TokenId>* ids) const {
  const bool is_cached = word.size() <= WordCache::kLongestWord;
  const std::uint64_t hash = is_cached ? HashBytes(word) : 0;
  if (is_cached) {
    if (const auto found = scratch.cache.Find(word, hash); !found.empty()) {
      ids->insert(ids->end(), found.begin(), found.end());
      return;
    }
  }
  scratch.ids.clear();
  if (byte_level_) {
    StartFromBytes(word, &scratch.ids);
  } else {
    StartFromChars(word, &scratch.ids);
  }
  if (scratch.ids.size() <= kShortWord) {
    MergeShort(scratch);
  } else {
    MergeLong(scratch);
  }
  ids->insert(ids->end(), scratch.ids.begin(), scratch.ids.end());
  if (is_cached) scratch.cache.Insert(word, hash, scratch.ids);
}

void BpeModel::StartFromBytes(std::string_view word, std::vector<TokenId>* ids) const {
  for (const char byte : word) {
    const TokenId id = byte_ids_[static_cast<unsigned char>(byte)];
    if (id != kNoToken) {
      ids->push_back(id);
      continue;
    }
    if (unknown_ == kNoToken) ThrowUnknown(CharOfByte(static_cast<unsigned char>(byte)));
    if (!fuse_unknown_ || ids->empty() || ids->back() != unknown_) ids->push_back(unknown_);
  }
}

void BpeModel::StartFromChars(std::string_view word, std::vector<TokenId>* ids) const {
  bool unknown_pending = false;
  for (std::size_t position = 0; position < word.size();) {
    const std::size_t begin = position;
    NextChar(word, &position);
    const std::string_view character = word.substr(begin, position - begin);
    const TokenId id = vocab_.Find(character);
    if (id == kNoToken && byte_fallback_ && FallBackToBytes(character, ids)) continue;
    if (id == kNoToken && unknown_ == kNoToken) ThrowUnknown(character);
    // An unknown character is put down when the next one is known, or unknown and not to be fused with it.
    if (unknown_pending && (id != kNoToken || !fuse_unknown_)) ids->push_back(unknown_);
    unknown_pending = id == kNoToken;
    if (id != kNoToken) ids->push_back(id);
  }
  if (unknown_pending) ids->push_back(unknown_);
}

bool BpeModel::FallBackToBytes(std::string_view character, std::vector<TokenId>* ids) const {
  const auto id_of = [this](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
  if (std::any_of(character.begin(), character.end(), [&](char byte) { return id_of(byte) == kNoToken; })) return false;
  for (const char byte : character) ids->push_back(id_of(byte));
  return true;
}

void BpeModel::MergeShort(ModelScratch& scratch) const {
  std::vector<TokenId>& ids = scratch.ids;
  if (ids.size() < 2) return;
  // merges[i] joins ids[i] and ids[i + 1].
  std::vector<Merge>& merges = scratch.merges;
  merges.clear();
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) merges.push_back(merges_.Find(ids[i], ids[i + 1]));
  const auto worth = [](const Merge& merge) { return merge.id == kNoToken ? UINT32_MAX : merge.rank; };
  while (!merges.empty()) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < merges.size(); ++i) {
      if (worth(merges[i]) < worth(merges[best])) best = i;
    }
    if (merges[best].id == kNoToken) return;
    ids[best] = merges[best].id;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    merges.erase(merges.begin() + static_cast<std::ptrdiff_t>(best));
    if (best > 0) merges[best - 1] = merges_.Find(ids[best - 1], ids[best]);
    if (best < merges.size()) merges[best] = merges_.Find(ids[best], ids[best + 1]);
  }
}

void BpeModel::MergeLong(ModelScratch& scratch) const {
  using Candidate = ModelScratch::Candidate;
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  const auto later = [](const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  };
  const auto consider = [&](std::int32_t left, std::int32_t right) {
    const Merge merge =
        merges_.Find(symbols[static_cast<std::size_t>(left)].id, symbols[static_cast<std::size_t>(right)].id);
    if (merge.id == kNoToken) return;
    heap.push_back({merge.rank, static_cast<std::uint32_t>(left), merge.id});
    std::push_heap(heap.begin(), heap.end(), later);
  };
  const auto count = static_cast<std::int32_t>(scratch.ids.size());
  symbols.clear();
  heap.clear();
  for (std::int32_t i = 0; i < count; ++i) {
    symbols.push_back({scratch.ids[static_cast<std::size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1});
  }
  for (std::int32_t i = 0; i + 1 < count; ++i) consider(i, i + 1);
  while (!heap.empty()) {
    const Candidate top = heap.front();
    std::pop_heap(heap.begin(), heap.end(), later);
    heap.pop_back();
    auto& symbol = symbols[top.position];
    if (symbol.id == kNoToken || symbol.next < 0) continue;
    auto& right = symbols[static_cast<std::size_t>(symbol.next)];
    // A candidate is out of date when a neighbour was merged away since.
    if (merges_.Find(symbol.id, right.id).id != top.id) continue;
    symbol.id = top.id;
    symbol.next = right.next;
    right.id = kNoToken;
    const auto position = static_cast<std::int32_t>(top.position);
    if (symbol.next >= 0) {
      symbols[static_cast<std::size_t>(symbol.next)].previous = position;
      consider(position, symbol.next);
    }
    if (symbol.previous >= 0) consider(symbol.previous, position);
  }
  scratch.ids.clear();
  for (std::int32_t i = 0; i >= 0; i = symbols[static_cast<std::size_t>(i)].next) {
    scratch.ids.push_back(symbols[static_cast<std::size_t>(i)].id);
  }
}

}  // namespace autodidact::text
