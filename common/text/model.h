// Splits one word (a piece that the pre-tokenizer made) into token ids.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/string_table.h"
#include "text/tokenizer_file.h"
#include "text/word_cache.h"

namespace autodidact::text {

// The buffers of one Encode call. One thread.
struct ModelScratch {
  struct Symbol {
    TokenId id;
    std::int32_t previous;
    std::int32_t next;
  };
  struct Candidate {
    std::uint32_t rank;
    std::uint32_t position;
    TokenId id;
  };

  WordCache cache;
  std::vector<TokenId> ids;
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;
  std::vector<Merge> merges;
};

// Immutable, hence thread-safe.
class Model {
 public:
  virtual ~Model() = default;

  // Appends the ids of `word`. Error(kBadInput) naming the first piece that the vocabulary cannot express.
  virtual void Tokenize(std::string_view word, ModelScratch& scratch, std::vector<TokenId>* ids) const = 0;

  // What stands for the pieces that the vocabulary does not have; kNoToken when nothing does.
  virtual TokenId unknown() const = 0;
};

// byte_level: words are raw bytes, tokens are written in GPT-2's alphabet. `vocab` holds the model's own tokens.
std::unique_ptr<Model> MakeModel(const TokenizerFile& file, bool byte_level);

}  // namespace autodidact::text
