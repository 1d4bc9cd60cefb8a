#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>

#include "base/check.h"
#include "text/unicode_versions.h"

namespace autodidact::text {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Table 3-7 of the Unicode standard: the length that a first byte promises and the range of its second byte.
struct FirstByte {
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

FirstByte Classify(unsigned char byte) {
  if (byte < 0x80) return {1};
  if (byte >= 0xC2 && byte <= 0xDF) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {};
}

struct Prefix {
  std::size_t matched = 0;  // bytes that begin a valid sequence
  std::size_t promised = 0;
};

Prefix MatchPrefix(std::string_view text) {
  const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return {};
  const FirstByte first = Classify(byte_at(0));
  if (first.length <= 1) return {first.length, first.length};
  std::size_t matched = 1;
  while (matched < first.length && matched < text.size()) {
    const unsigned char low = matched == 1 ? first.low : 0x80;
    const unsigned char high = matched == 1 ? first.high : 0xBF;
    if (byte_at(matched) < low || byte_at(matched) > high) break;
    ++matched;
  }
  return {matched, first.length};
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Nothing moves across such a character or composes with it.
bool IsInert(char32_t character) {
  const auto ranges = InertForNormalization();
  if (character < ranges.front().first) return false;
  const auto next = std::upper_bound(ranges.begin(), ranges.end(), character,
                                     [](char32_t c, const CharRange& range) { return c < range.first; });
  return next != ranges.begin() && character <= std::prev(next)->last;
}

void AppendNormalized(std::string_view text, NormalForm form, std::string* out) {
  if (text.empty()) return;
  int options = UTF8PROC_STABLE;
  options |= form == NormalForm::kNfc || form == NormalForm::kNfkc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  if (form == NormalForm::kNfkc || form == NormalForm::kNfkd) options |= UTF8PROC_COMPAT;
  utf8proc_uint8_t* result = nullptr;
  const auto length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &result, static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  AD_CHECK(length >= 0, "normalizing: {}", utf8proc_errmsg(length));
  out->append(reinterpret_cast<const char*>(result), static_cast<std::size_t>(length));
}

}  // namespace

std::size_t SequenceLength(std::string_view text) {
  const Prefix prefix = MatchPrefix(text);
  return prefix.matched == prefix.promised ? prefix.matched : 0;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    if (static_cast<unsigned char>(text[0]) < 0x80) {
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const Prefix prefix = MatchPrefix(text);
    const std::size_t used = std::max<std::size_t>(prefix.matched, 1);
    if (prefix.promised > 0 && prefix.matched == prefix.promised) {
      valid.append(text.substr(0, used));
    } else {
      valid.append(kReplacement);
    }
    text.remove_prefix(used);
  }
  return valid;
}

std::size_t IncompleteSuffix(std::string_view text) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(3, text.size()); ++length) {
    const Prefix prefix = MatchPrefix(text.substr(text.size() - length));
    if (prefix.matched == length && prefix.promised > length) return length;
  }
  return 0;
}

char32_t NextChar(std::string_view text, std::size_t* position) {
  const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(text[*position + i]); };
  const unsigned char first = byte_at(0);
  const std::size_t length = std::max<std::size_t>(Classify(first).length, 1);
  char32_t character = first;
  if (length == 2) {
    character = (first & 0x1Fu) << 6 | (byte_at(1) & 0x3Fu);
  } else if (length == 3) {
    character = (first & 0x0Fu) << 12 | (byte_at(1) & 0x3Fu) << 6 | (byte_at(2) & 0x3Fu);
  } else if (length == 4) {
    character = (first & 0x07u) << 18 | (byte_at(1) & 0x3Fu) << 12 | (byte_at(2) & 0x3Fu) << 6 | (byte_at(3) & 0x3Fu);
  }
  *position += length;
  return character;
}

void AppendUtf8(char32_t character, std::string* text) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes);
  text->append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

std::string Normalize(std::string_view text, NormalForm form) {
  if (IsAscii(text)) return std::string(text);
  std::string normal;
  std::size_t chunk = 0;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    if (!IsInert(NextChar(text, &position))) continue;
    AppendNormalized(text.substr(chunk, begin - chunk), form, &normal);
    normal += text.substr(begin, position - begin);
    chunk = position;
  }
  AppendNormalized(text.substr(chunk), form, &normal);
  return normal;
}

std::string Lowercase(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const char32_t character = NextChar(text, &position);
    if (character == 0x130) {  // the one character whose full lower case is two
      lower += "i\xCC\x87";
    } else {
      AppendUtf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(character))), &lower);
    }
  }
  return lower;
}

std::string StripAccents(std::string_view text) {
  std::string plain;
  for (std::size_t position = 0; position < text.size();) {
    const char32_t character = NextChar(text, &position);
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(character));
    if (category < UTF8PROC_CATEGORY_MN || category > UTF8PROC_CATEGORY_ME) {
      AppendUtf8(character, &plain);
    }
  }
  return plain;
}

bool IsSpace(char32_t character) {
  if (character < 0x80) return character == ' ' || (character >= '\t' && character <= '\r');
  if (character == 0x85) return true;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(character));
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

bool IsNumeric(char32_t character) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(character));
  return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL || category == UTF8PROC_CATEGORY_NO;
}

bool IsPunctuation(char32_t character) {
  if (character < 0x80) {
    return (character >= '!' && character <= '/') || (character >= ':' && character <= '@') ||
           (character >= '[' && character <= '`') || (character >= '{' && character <= '~');
  }
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(character));
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

}  // namespace autodidact::text
