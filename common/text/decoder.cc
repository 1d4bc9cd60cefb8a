#include "text/decoder.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "text/byte_level.h"
#include "text/pattern.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

constexpr const char* kDecoders = "Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace";
constexpr std::string_view kInvalidBytes = "\xEF\xBF\xBD";

// The byte of "<0x41>", or -1.
int ByteOf(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return -1;
  int value = -1;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
  return error == std::errc() && end == token.data() + 5 ? value : -1;
}

// A run of byte tokens is text when the run as a whole is valid; otherwise each byte is a replacement character.
void DecodeByteTokens(std::vector<std::string>* tokens) {
  std::vector<std::string> decoded;
  std::string run;
  const auto end_run = [&] {
    if (run.empty()) return;
    if (IsValidUtf8(run)) {
      decoded.push_back(run);
    } else {
      decoded.insert(decoded.end(), run.size(), std::string(kInvalidBytes));
    }
    run.clear();
  };
  for (std::string& token : *tokens) {
    if (const int byte = ByteOf(token); byte >= 0) {
      run += static_cast<char>(byte);
    } else {
      end_run();
      decoded.push_back(std::move(token));
    }
  }
  end_run();
  tokens->swap(decoded);
}

std::string Join(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

// Removes up to `count` times `character` from the start; returns how many more may go, 0 once another character came.
std::size_t StripStart(const std::string& character, std::size_t count, std::string* text) {
  std::size_t begin = 0;
  while (count > 0 && std::string_view(*text).substr(begin).starts_with(character)) {
    begin += character.size();
    --count;
  }
  text->erase(0, begin);
  return text->empty() ? count : 0;
}

void StripEnd(const std::string& character, std::size_t count, std::string* text) {
  for (; count > 0 && text->ends_with(character); --count) text->resize(text->size() - character.size());
}

}  // namespace

Decoder::Decoder(const Part& part) {
  if (part.value().is_null()) return;
  joins_with_spaces_ = false;
  Add(part);
}

void Decoder::Add(const Part& part) {
  if (is_byte_level_) part.Throw("a decoder after ByteLevel is not supported");
  const std::string type = part.String("type");
  if (type == "Sequence") {
    for (const Part& element : part.List("decoders")) Add(element);
  } else if (type == "ByteLevel") {
    if (!steps_.empty() || start_strip_ > 0) part.Throw("ByteLevel is supported as the only decoder");
    is_byte_level_ = true;
  } else if (type == "Replace") {
    if (is_fused_) can_stream_ = false;
    const auto pattern = std::make_shared<const Pattern>(part.At("pattern"));
    steps_.push_back([pattern, content = part.String("content")](std::vector<std::string>* tokens, bool) {
      for (std::string& token : *tokens) token = pattern->Replace(token, content);
    });
  } else if (type == "ByteFallback") {
    reads_byte_tokens_ = true;
    if (is_fused_ || start_strip_ > 0) can_stream_ = false;
    steps_.push_back([](std::vector<std::string>* tokens, bool) { DecodeByteTokens(tokens); });
  } else if (type == "Fuse") {
    is_fused_ = true;
    steps_.push_back([](std::vector<std::string>* tokens, bool) { *tokens = {Join(*tokens)}; });
  } else if (type == "Strip") {
    AddStrip(part);
  } else if (type == "Metaspace") {
    if (is_fused_) can_stream_ = false;
    const std::string mark = part.StringOr("replacement", "\xE2\x96\x81");
    const bool never =
        part.StringOr("prepend_scheme", part.Bool("add_prefix_space", true) ? "always" : "never") == "never";
    if (mark.empty()) part.Throw("the replacement is empty");
    const auto pattern = std::make_shared<const Pattern>(mark);
    steps_.push_back([pattern, never](std::vector<std::string>* tokens, bool is_first) {
      for (std::size_t i = 0; i < tokens->size(); ++i) {
        (*tokens)[i] = pattern->Replace((*tokens)[i], i == 0 && is_first && !never ? "" : " ");
      }
    });
  } else {
    part.ThrowUnsupported(type, kDecoders);
  }
}

void Decoder::AddStrip(const Part& part) {
  const std::string character = part.String("content");
  const std::int64_t start = part.Integer("start"), stop = part.Integer("stop");
  if (character.empty() || SequenceLength(character) != character.size()) part.Throw("content is not one character");
  if (start < 0 || stop < 0) part.Throw("a negative number of characters to strip");
  const auto num_start = static_cast<std::size_t>(start), num_stop = static_cast<std::size_t>(stop);
  if (is_fused_ && stop == 0 && start_strip_ == 0) {
    start_strip_ = num_start;
    start_character_ = character;
    return;
  }
  if (is_fused_) can_stream_ = false;
  steps_.push_back([character, num_start, num_stop](std::vector<std::string>* tokens, bool) {
    for (std::string& token : *tokens) {
      StripStart(character, num_start, &token);
      StripEnd(character, num_stop, &token);
    }
  });
}

std::string Decoder::Decode(std::vector<std::string> tokens) const {
  std::size_t start_left = start_strip_;
  return DecodePart(std::move(tokens), true, &start_left);
}

bool Decoder::IsByteToken(std::string_view token) const {
  return reads_byte_tokens_ && ByteOf(token) >= 0;
}

std::string Decoder::DecodePart(std::vector<std::string> tokens, bool is_first, std::size_t* start_left) const {
  if (joins_with_spaces_) {
    std::string text;
    for (const std::string& token : tokens) {
      if (!is_first) text += ' ';
      text += token;
      is_first = false;
    }
    return text;
  }
  for (const Step& step : steps_) step(&tokens, is_first);
  std::string text = Join(tokens);
  if (*start_left > 0) *start_left = StripStart(start_character_, *start_left, &text);
  return text;
}

}  // namespace autodidact::text
