// Byte-level BPE training: join the most frequent pair of neighbours, again and again (Sennrich et al., 2016).
#include <algorithm>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/format.h"
#include "text/byte_level.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_writer.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

using json::Json;

struct Word {
  std::vector<TokenId> ids;
  std::int64_t count = 0;
};

std::uint64_t PairKey(TokenId left, TokenId right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

// Counts of neighbours over all words, with the most frequent at hand. Ties go to the pair with the smaller ids, so
// that training depends on nothing but the counts.
class PairCounts {
 public:
  explicit PairCounts(std::vector<Word>* words) : words_(words) {
    for (std::size_t i = 0; i < words_->size(); ++i) Count(i, +1);
    for (const auto& [key, count] : counts_) queue_.push({count, key});
  }

  // The most frequent pair's key and count; a count of 0 when there is none.
  std::pair<std::uint64_t, std::int64_t> Best() {
    while (!queue_.empty()) {
      const Entry top = queue_.top();
      const std::int64_t count = counts_[top.key];
      if (count == top.count) return {top.key, count};
      queue_.pop();  // out of date: every change has pushed a newer entry
    }
    return {0, 0};
  }

  // Replaces the pair by `id` in every word.
  void Join(std::uint64_t key, TokenId id) {
    const auto left = static_cast<TokenId>(key >> 32), right = static_cast<TokenId>(key & 0xFFFFFFFFu);
    const std::unordered_set<std::size_t> places = std::move(places_[key]);
    places_.erase(key);
    touched_.clear();
    for (const std::size_t place : places) {
      Count(place, -1);
      JoinWord(left, right, id, &(*words_)[place].ids);
      Count(place, +1);
    }
    counts_.erase(key);
    for (const std::uint64_t pair : touched_) {
      auto it = counts_.find(pair);
      if (it != counts_.end() && it->second > 0) queue_.push({it->second, pair});
    }
  }

 private:
  struct Entry {
    std::int64_t count;
    std::uint64_t key;
    bool operator<(const Entry& other) const { return count != other.count ? count < other.count : key > other.key; }
  };

  void Count(std::size_t place, int sign) {
    const Word& word = (*words_)[place];
    for (std::size_t i = 0; i + 1 < word.ids.size(); ++i) {
      const std::uint64_t key = PairKey(word.ids[i], word.ids[i + 1]);
      counts_[key] += sign * word.count;
      touched_.insert(key);
      if (sign > 0) places_[key].insert(place);
    }
  }

  static void JoinWord(TokenId left, TokenId right, TokenId id, std::vector<TokenId>* ids) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < ids->size(); ++i) {
      const bool joins = i + 1 < ids->size() && (*ids)[i] == left && (*ids)[i + 1] == right;
      (*ids)[kept++] = joins ? id : (*ids)[i];
      if (joins) ++i;
    }
    ids->resize(kept);
  }

  std::vector<Word>* words_;
  std::unordered_map<std::uint64_t, std::int64_t> counts_;
  std::unordered_map<std::uint64_t, std::unordered_set<std::size_t>> places_;  // words that had the pair at some time
  std::unordered_set<std::uint64_t> touched_;
  std::priority_queue<Entry> queue_;
};

Json ByteLevel() {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
}

// The distinct words of the texts with their counts, in an order that depends on the texts alone; `first_byte` is the
// id of byte 0.
std::vector<Word> CountWords(const std::vector<std::string>& texts, TokenId first_byte) {
  const Json part = ByteLevel();
  const PreTokenizer pre_tokenizer(Part(part, "built-in pre-tokenizer"));
  std::unordered_map<std::string, std::size_t> places;
  std::vector<Word> words;
  PieceList list;
  for (const std::string& text : texts) {
    list.text = ReplaceInvalidUtf8(text);
    pre_tokenizer.Apply(&list);
    for (const Span& piece : list.pieces) {
      const auto [it, is_new] = places.emplace(piece.Of(list.text), words.size());
      if (is_new) {
        Word& word = words.emplace_back();
        for (const char byte : it->first) word.ids.push_back(first_byte + static_cast<unsigned char>(byte));
      }
      ++words[it->second].count;
    }
  }
  return words;
}

}  // namespace

void TrainBpeTokenizer(const TokenizerSpec& spec, const std::vector<std::string>& texts, std::int64_t vocab_size,
                       const std::filesystem::path& file) {
  CheckSpec(spec, file.string());
  std::vector<std::string> vocab = spec.special_tokens;
  const auto least = static_cast<std::int64_t>(vocab.size()) + 256;
  if (vocab_size < least) {
    base::ThrowBadInput(base::Format("{}: a vocabulary of {} is too small for {} special tokens and 256 bytes",
                                     file.string(), vocab_size, vocab.size()));
  }
  const auto first_byte = static_cast<TokenId>(vocab.size());
  for (int byte = 0; byte < 256; ++byte) vocab.push_back(CharOfByte(static_cast<unsigned char>(byte)));
  std::unordered_set<std::string> seen(vocab.begin(), vocab.end());
  if (seen.size() != vocab.size()) base::ThrowBadInput(file.string() + ": a special token is a single byte");
  std::vector<Word> words = CountWords(texts, first_byte);
  PairCounts counts(&words);
  std::vector<std::pair<std::string, std::string>> merges;
  while (static_cast<std::int64_t>(vocab.size()) < vocab_size) {
    const auto [key, count] = counts.Best();
    if (count < 2) break;
    const std::string& left = vocab[key >> 32];
    const std::string& right = vocab[key & 0xFFFFFFFFu];
    std::string joined = left + right;
    merges.emplace_back(left, right);
    // Two ways to build one token share its id. (A token that spells a special one would share that one's id, too.)
    const bool is_new = seen.insert(joined).second;
    TokenId id = static_cast<TokenId>(vocab.size());
    if (!is_new) id = static_cast<TokenId>(std::find(vocab.begin(), vocab.end(), joined) - vocab.begin());
    counts.Join(key, id);
    if (is_new) vocab.push_back(std::move(joined));
  }
  const Json model{{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", false}};
  WriteTokenizer(spec, Json{{"pre_tokenizer", ByteLevel()}, {"decoder", ByteLevel()}, {"model", model}}, vocab, merges,
                 file);
}

}  // namespace autodidact::text
