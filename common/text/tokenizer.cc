#include "text/tokenizer.h"

#include <algorithm>

#include "base/check.h"
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

// The parts of `ranges` inside of `segment`, counted from its begin.
void CutOut(std::span<const Span> ranges, const Span& segment, std::vector<Span>* parts) {
  for (const Span& range : ranges) {
    const Span part{std::max(range.begin, segment.begin), std::min(range.end, segment.end)};
    if (part.begin < part.end) parts->push_back({part.begin - segment.begin, part.end - segment.begin});
  }
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
    AddedToken spelled = token;
    spelled.single_word = spelled.lstrip = spelled.rstrip = false;
    spelled_finder_.Add(spelled, token.content);
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

std::vector<TokenId> Tokenizer::Impl::Encode(std::string_view text, bool add_special_tokens, const Marks& marks) const {
  std::string valid;
  if (!IsValidUtf8(text)) {
    AD_CHECK(marks.foreign.empty(), "marked text must be valid UTF-8");
    valid = ReplaceInvalidUtf8(text);
    text = valid;
  }
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3 + 8);
  if (add_special_tokens) ids = post_processor_.before();
  Loan loan(spare_);
  Scratch& scratch = *loan;
  scratch.segments.clear();
  AddedTokenFinder::Refused refused;
  if (!marks.foreign.empty()) {
    refused = [&](const AddedToken& token, const Span& span) {
      return MustStayText(token.id, marks) && Overlaps(span, marks.foreign);
    };
  }
  raw_finder_.Split(text, &scratch.segments, refused);
  for (const Segment& segment : scratch.segments) {
    if (segment.token != kNoToken) {
      ids.push_back(segment.token);
      continue;
    }
    scratch.foreign.clear();
    CutOut(marks.foreign, segment.span, &scratch.foreign);
    EncodeSegment(segment.span.Of(text), segment.span.begin == 0, {scratch.foreign, marks.tags}, scratch, &ids);
  }
  if (add_special_tokens) ids.insert(ids.end(), post_processor_.after().begin(), post_processor_.after().end());
  return ids;
}

void Tokenizer::Impl::EncodeSegment(std::string_view text, bool at_start, const Marks& marks, Scratch& scratch,
                                    std::vector<TokenId>* ids) const {
  const std::string_view as_it_is = text;
  if (!normalizer_.ChangesNothing()) {
    scratch.normalized.assign(text);
    normalizer_.Apply(&scratch.normalized);
    text = scratch.normalized;
  }
  scratch.normalized_segments.clear();
  SplitNormalized(as_it_is, text, marks, &scratch.normalized_segments);
  for (const Segment& segment : scratch.normalized_segments) {
    if (segment.token != kNoToken) {
      ids->push_back(segment.token);
    } else {
      EncodeText(segment.span.Of(text), at_start && segment.span.begin == 0, !marks.foreign.empty(), scratch, ids);
    }
  }
}

bool Tokenizer::Impl::MustStayText(TokenId id, const Marks& marks) const {
  return IsSpecial(id) || std::find(marks.tags.begin(), marks.tags.end(), id) != marks.tags.end();
}

// Positions do not survive the normalization, so the tokens are told apart by their order.
void Tokenizer::Impl::SplitNormalized(std::string_view text, std::string_view normalized, const Marks& marks,
                                      std::vector<Segment>* segments) const {
  normalized_finder_.Split(normalized, segments);
  if (marks.foreign.empty()) return;
  const auto counts = [&](TokenId id) { return id != kNoToken && MustStayText(id, marks); };
  const auto found =
      std::count_if(segments->begin(), segments->end(), [&](const Segment& s) { return counts(s.token); });
  if (found == 0) return;
  std::vector<bool> is_foreign;
  for (const SpelledToken& token : FindSpelled(text)) {
    if (counts(token.id)) is_foreign.push_back(Overlaps(token.span, marks.foreign));
  }
  const bool any = std::find(is_foreign.begin(), is_foreign.end(), true) != is_foreign.end();
  if (found > std::ssize(is_foreign) || (any && found != std::ssize(is_foreign))) {
    base::ThrowBadInput(base::Format(
        "a text spells control tokens that its normalization changes, so that it cannot be kept from becoming them: {}",
        text.substr(0, 200)));
  }
  if (!any) return;
  std::vector<Span> text_only, tokens;
  std::size_t next = 0;
  for (const Segment& segment : *segments) {
    if (counts(segment.token)) (is_foreign[next++] ? text_only : tokens).push_back(segment.span);
  }
  segments->clear();
  normalized_finder_.Split(normalized, segments, [&](const AddedToken& token, const Span& span) {
    return MustStayText(token.id, marks) && (Overlaps(span, text_only) || !Overlaps(span, tokens));
  });
}

void Tokenizer::Impl::EncodeText(std::string_view text, bool at_start, bool has_foreign, Scratch& scratch,
                                 std::vector<TokenId>* ids) const {
  const std::size_t before = ids->size();
  PieceList& list = scratch.pieces;
  list.text.assign(text);
  list.at_start = at_start;
  pre_tokenizer_.Apply(&list);
  for (const Span& piece : list.pieces) model_->Tokenize(piece.Of(list.text), scratch.model, ids);
  if (!has_foreign) return;
  for (std::size_t i = before; i < ids->size(); ++i) {
    if (IsSpecial((*ids)[i]) && (*ids)[i] != model_->unknown()) {
      base::ThrowBadInput(
          base::Format("the vocabulary can write '{}' only by the control token of that name, which a "
                       "text must not become",
                       TokenOf((*ids)[i])));
    }
  }
}

std::vector<SpelledToken> Tokenizer::Impl::FindSpelled(std::string_view text) const {
  std::vector<Segment> segments;
  spelled_finder_.Split(text, &segments);
  std::vector<SpelledToken> found;
  for (const Segment& segment : segments) {
    if (segment.token != kNoToken) found.push_back({segment.span, segment.token, IsSpecial(segment.token)});
  }
  return found;
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
  return impl_->Encode(text, add_special_tokens, {});
}

std::vector<TokenId> Tokenizer::EncodeMarked(std::string_view text, bool add_special_tokens,
                                             std::span<const Span> foreign, std::span<const TokenId> tags) const {
  return impl_->Encode(text, add_special_tokens, {foreign, tags});
}

std::vector<SpelledToken> Tokenizer::FindSpelled(std::string_view text) const {
  return impl_->FindSpelled(text);
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
