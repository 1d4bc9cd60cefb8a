#include "text/tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "text/byte_level.h"
#include "text/tokenizer_impl.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

// Vocabularies have some 300,000 tokens; a far larger id is a mistake in the file.
constexpr std::int64_t kLargestId = 10'000'000;

Part PartOf(const TokenizerFile& file, const char* key) {
  static const json::Json kNull;
  auto it = file.parts.find(key);
  return {it == file.parts.end() ? kNull : *it, file.path + ": " + key};
}

}  // namespace

class Tokenizer::Impl::Loan {
 public:
  explicit Loan(base::Guarded<std::vector<std::unique_ptr<Scratch>>>& spare) : spare_(spare) {
    spare_.With([this](auto& list) {
      if (list.empty()) return;
      scratch_ = std::move(list.back());
      list.pop_back();
    });
    if (!scratch_) scratch_ = std::make_unique<Scratch>();
  }
  ~Loan() {
    spare_.With([this](auto& list) { list.push_back(std::move(scratch_)); });
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  Scratch& operator*() { return *scratch_; }

 private:
  base::Guarded<std::vector<std::unique_ptr<Scratch>>>& spare_;
  std::unique_ptr<Scratch> scratch_;
};

Tokenizer::Impl::Impl(const std::filesystem::path& path) {
  const TokenizerFile file = ReadTokenizerFile(std::filesystem::is_directory(path) ? path / "tokenizer.json" : path);
  ReadTokens(file);
  normalizer_ = Normalizer(PartOf(file, "normalizer"));
  pre_tokenizer_ = PreTokenizer(PartOf(file, "pre_tokenizer"));
  model_ = MakeModel(file, pre_tokenizer_.byte_level());
  post_processor_ = PostProcessor(PartOf(file, "post_processor"));
  decoder_ = Decoder(PartOf(file, "decoder"));
  for (const auto* ids : {&post_processor_.before(), &post_processor_.after()}) {
    for (const TokenId id : *ids) {
      if (!IsKnown(id)) base::ThrowBadInput(base::Format("{}: post_processor: the id {} has no token", file.path, id));
    }
  }
  for (const AddedToken& token : ReadAddedTokens(Part(file.parts, file.path))) {
    if (!token.normalized) {
      raw_finder_.Add(token, token.content);
      continue;
    }
    std::string content = token.content;
    normalizer_.Apply(&content);
    normalized_finder_.Add(token, content);
  }
  if (!decoder_.is_byte_level()) return;
  bytes_.reserve(tokens_.size());
  for (const std::string& token : tokens_) bytes_.push_back(BytesOfToken(token).value_or(token));
}

void Tokenizer::Impl::ReadTokens(const TokenizerFile& file) {
  const std::vector<AddedToken> added = ReadAddedTokens(Part(file.parts, file.path));
  std::int64_t largest = -1;
  for (const auto& [token, id] : file.vocab) {
    if (id < 0 || id > kLargestId) {
      base::ThrowBadInput(base::Format("{}: model.vocab: the token '{}' has the id {}, expected 0 to {}", file.path,
                                       token, id, kLargestId));
    }
    largest = std::max(largest, id);
  }
  for (const AddedToken& token : added) {
    if (token.id > kLargestId) {
      base::ThrowBadInput(base::Format("{}: added_tokens: the token '{}' has the id {}, expected 0 to {}", file.path,
                                       token.content, token.id, kLargestId));
    }
    largest = std::max<std::int64_t>(largest, token.id);
  }
  tokens_.resize(static_cast<std::size_t>(largest + 1));
  is_special_.resize(tokens_.size());
  ids_ = StringTable(file.vocab.size() + added.size());
  for (const auto& [token, id] : file.vocab) AddToken(token, static_cast<TokenId>(id), file);
  for (const AddedToken& token : added) {
    if (tokens_[static_cast<std::size_t>(token.id)] != token.content) AddToken(token.content, token.id, file);
    is_special_[static_cast<std::size_t>(token.id)] = token.special;
  }
}

void Tokenizer::Impl::AddToken(const std::string& token, TokenId id, const TokenizerFile& file) {
  std::string& place = tokens_[static_cast<std::size_t>(id)];
  if (!place.empty()) {
    base::ThrowBadInput(base::Format("{}: the tokens '{}' and '{}' have the same id {}", file.path, place, token, id));
  }
  if (!ids_.Insert(token, id)) {
    base::ThrowBadInput(
        base::Format("{}: the token '{}' has two ids, {} and {}", file.path, token, ids_.Find(token), id));
  }
  place = token;
}

std::vector<TokenId> Tokenizer::Impl::Encode(std::string_view text, bool add_special_tokens) const {
  std::string valid;
  if (!IsValidUtf8(text)) {
    valid = ReplaceInvalidUtf8(text);
    text = valid;
  }
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3 + 8);
  if (add_special_tokens) ids = post_processor_.before();
  Loan loan(spare_);
  Scratch& scratch = *loan;
  scratch.segments.clear();
  raw_finder_.Split(text, &scratch.segments);
  for (const Segment& segment : scratch.segments) {
    if (segment.token != kNoToken) {
      ids.push_back(segment.token);
    } else {
      EncodeSegment(segment.span.Of(text), segment.span.begin == 0, scratch, &ids);
    }
  }
  if (add_special_tokens) ids.insert(ids.end(), post_processor_.after().begin(), post_processor_.after().end());
  return ids;
}

void Tokenizer::Impl::EncodeSegment(std::string_view text, bool at_start, Scratch& scratch,
                                    std::vector<TokenId>* ids) const {
  if (!normalizer_.ChangesNothing()) {
    scratch.normalized.assign(text);
    normalizer_.Apply(&scratch.normalized);
    text = scratch.normalized;
  }
  scratch.normalized_segments.clear();
  normalized_finder_.Split(text, &scratch.normalized_segments);
  for (const Segment& segment : scratch.normalized_segments) {
    if (segment.token != kNoToken) {
      ids->push_back(segment.token);
    } else {
      EncodeText(segment.span.Of(text), at_start && segment.span.begin == 0, scratch, ids);
    }
  }
}

void Tokenizer::Impl::EncodeText(std::string_view text, bool at_start, Scratch& scratch,
                                 std::vector<TokenId>* ids) const {
  PieceList& list = scratch.pieces;
  list.text.assign(text);
  list.at_start = at_start;
  pre_tokenizer_.Apply(&list);
  for (const Span& piece : list.pieces) model_->Tokenize(piece.Of(list.text), scratch.model, ids);
}

std::string Tokenizer::Impl::Decode(std::span<const TokenId> ids, bool skip_special_tokens) const {
  const auto counts = [&](TokenId id) { return IsKnown(id) && !(skip_special_tokens && IsSpecial(id)); };
  if (decoder_.is_byte_level()) {
    std::string bytes;
    for (const TokenId id : ids) {
      if (counts(id)) bytes += BytesOf(id);
    }
    return IsValidUtf8(bytes) ? bytes : ReplaceInvalidUtf8(bytes);
  }
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const TokenId id : ids) {
    if (counts(id)) tokens.push_back(tokens_[static_cast<std::size_t>(id)]);
  }
  return decoder_.Decode(std::move(tokens));
}

const std::string& Tokenizer::Impl::TokenOf(TokenId id) const {
  if (!IsKnown(id)) {
    base::ThrowBadInput(base::Format("the id {} is not in the vocabulary, whose ids end before {}", id, vocab_size()));
  }
  return tokens_[static_cast<std::size_t>(id)];
}

Tokenizer::Tokenizer(const std::filesystem::path& file_or_folder) : impl_(std::make_unique<Impl>(file_or_folder)) {}
Tokenizer::~Tokenizer() = default;

std::vector<TokenId> Tokenizer::Encode(std::string_view text, bool add_special_tokens) const {
  return impl_->Encode(text, add_special_tokens);
}

std::string Tokenizer::Decode(std::span<const TokenId> ids, bool skip_special_tokens) const {
  return impl_->Decode(ids, skip_special_tokens);
}

std::int64_t Tokenizer::vocab_size() const {
  return impl_->vocab_size();
}

std::optional<TokenId> Tokenizer::IdOf(std::string_view token) const {
  const TokenId id = impl_->IdOf(token);
  return id == kNoToken ? std::nullopt : std::optional(id);
}

const std::string& Tokenizer::TokenOf(TokenId id) const {
  return impl_->TokenOf(id);
}

bool Tokenizer::IsSpecial(TokenId id) const {
  return impl_->IsSpecial(id);
}

}  // namespace autodidact::text
