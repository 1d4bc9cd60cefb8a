#include <string>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer_impl.h"
#include "text/unicode.h"

namespace autodidact::text {

class StreamDecoder::Impl {
 public:
  explicit Impl(const Tokenizer::Impl& tokenizer)
      : tokenizer_(tokenizer), start_left_(tokenizer.decoder().start_strip()) {}

  std::string Push(TokenId id) {
    if (!tokenizer_.IsKnown(id) || tokenizer_.IsSpecial(id)) return "";
    const Decoder& decoder = tokenizer_.decoder();
    if (decoder.is_byte_level()) {
      bytes_ += tokenizer_.BytesOf(id);
      return TakeBytes(bytes_.size() - IncompleteSuffix(bytes_));
    }
    waiting_.push_back(tokenizer_.TokenOf(id));
    if (!decoder.can_stream() || decoder.IsByteToken(waiting_.back())) return "";
    return TakeTokens();
  }

  std::string Finish() { return tokenizer_.decoder().is_byte_level() ? TakeBytes(bytes_.size()) : TakeTokens(); }

 private:
  std::string TakeBytes(std::size_t count) {
    std::string text = ReplaceInvalidUtf8(std::string_view(bytes_).substr(0, count));
    bytes_.erase(0, count);
    return text;
  }

  std::string TakeTokens() {
    if (waiting_.empty()) return "";
    std::vector<std::string> tokens;
    tokens.swap(waiting_);
    const bool is_first = is_first_;
    is_first_ = false;
    return tokenizer_.decoder().DecodePart(std::move(tokens), is_first, &start_left_);
  }

  const Tokenizer::Impl& tokenizer_;
  std::string bytes_;                 // byte-level: what is not certain yet
  std::vector<std::string> waiting_;  // else: tokens whose text is not certain yet
  std::size_t start_left_;
  bool is_first_ = true;
};

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer) : impl_(std::make_unique<Impl>(*tokenizer.impl_)) {}
StreamDecoder::~StreamDecoder() = default;
StreamDecoder::StreamDecoder(StreamDecoder&&) noexcept = default;
StreamDecoder& StreamDecoder::operator=(StreamDecoder&&) noexcept = default;

std::string StreamDecoder::Push(TokenId id) {
  return impl_->Push(id);
}

std::string StreamDecoder::Finish() {
  return impl_->Finish();
}

}  // namespace autodidact::text
