#include "json/model_reply.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/error.h"
#include "json/strict.h"

namespace autodidact::json {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kSpace = " \t\r\n\v\f";

constexpr std::array<std::string_view, 6> kThoughtsEnd = {"</think>",     "</thinking>", "</thought>",
                                                          "</reasoning>", "[/THINK]",    "<|message|>"};
constexpr std::array<std::string_view, 5> kThoughtsBegin = {"<think>", "<thinking>", "<thought>", "<reasoning>",
                                                            "[THINK]"};

// Bytes of the well-formed UTF-8 character at the start of `text` (RFC 3629); 0 where there is none.
std::size_t CharacterSize(std::string_view text) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0; };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xC2 && first <= 0xDF   ? 2
                           : (first & 0xF0) == 0xE0         ? 3
                           : first >= 0xF0 && first <= 0xF4 ? 4
                                                            : 0;
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xC0) != 0x80) return 0;
  }
  const auto second = byte(1);
  const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : size;
}

// The code unit of "\uXXXX" at the start of `text`.
std::optional<std::uint32_t> CodeUnit(std::string_view text) {
  if (text.size() < 6 || !text.starts_with("\\u")) return std::nullopt;
  std::uint32_t unit = 0;
  for (const char c : text.substr(2, 4)) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      unit = 16 * unit + static_cast<std::uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      unit = 16 * unit + static_cast<std::uint32_t>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return unit;
}

bool IsHigh(std::uint32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool IsLow(std::uint32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

// Copies one escape of a string; returns how many bytes it was.
std::size_t CopyEscape(std::string_view text, std::string& out) {
  const auto unit = CodeUnit(text);
  if (!unit || (!IsHigh(*unit) && !IsLow(*unit))) {
    const std::size_t size = std::min<std::size_t>(2, text.size());
    out.append(text.substr(0, size));
    return size;
  }
  const auto next = IsHigh(*unit) ? CodeUnit(text.substr(6)) : std::nullopt;
  if (next && IsLow(*next)) {
    out.append(text.substr(0, 12));
    return 12;
  }
  out.append("\\ufffd");
  return 6;
}

// A bare word of other languages' JSON at the start of `text`; 0 where there is none.
std::size_t NotANumberSize(std::string_view text) {
  for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
    if (text.starts_with(word)) return word.size();
  }
  return 0;
}

// The size of the bracketed region at the start of `text`, brackets within strings left out; 0 where it does not end or
// its brackets do not match.
std::size_t RegionSize(std::string_view text) {
  std::string open;
  bool inside_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (inside_string) {
      if (c == '\\') ++at;
      if (c == '"') inside_string = false;
      continue;
    }
    if (c == '"') inside_string = true;
    if (c == '{' || c == '[') open.push_back(c);
    if (c != '}' && c != ']') continue;
    if (open.back() != (c == '}' ? '{' : '[')) return 0;
    open.pop_back();
    if (open.empty()) return at + 1;
  }
  return 0;
}

}  // namespace

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string Mended(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool inside_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (inside_string && rest.front() == '\\') {
      at += CopyEscape(rest, out);
      continue;
    }
    if (const std::size_t size = inside_string ? 0 : NotANumberSize(rest); size > 0) {
      out.append("null");
      at += size;
      continue;
    }
    if (rest.front() == '"') inside_string = !inside_string;
    const std::size_t size = CharacterSize(rest);
    out.append(size == 0 ? kReplacement : rest.substr(0, size));
    at += std::max<std::size_t>(size, 1);
  }
  return out;
}

std::string_view WithoutThoughts(std::string_view text) {
  std::size_t begin = 0;
  for (const std::string_view tag : kThoughtsEnd) {
    const std::size_t at = text.rfind(tag);
    if (at != std::string_view::npos) begin = std::max(begin, at + tag.size());
  }
  text.remove_prefix(begin);
  for (const std::string_view tag : kThoughtsBegin) text = text.substr(0, text.find(tag));
  return Trimmed(text);
}

FoundJson FindJson(std::string_view text, const std::string& where) {
  FoundJson found;
  const auto take = [&](std::string_view region) {
    try {
      found.values.push_back(ParseStrict(Mended(region), where));
      return true;
    } catch (const base::Error& error) {
      if (found.fault.empty()) found.fault = error.message();
      return false;
    }
  };
  text = Trimmed(text);
  const auto whole = [](std::string_view all) {
    return (all.starts_with('{') || all.starts_with('[')) && RegionSize(all) == all.size();
  };
  if (whole(text)) return take(text), found;
  text = WithoutThoughts(text);
  // A region that does not end is looked through again from its next bracket: hostile nesting must not cost its square.
  std::size_t work = 32 * text.size() + 4096;
  for (std::size_t at = text.find_first_of("{["); at != std::string_view::npos; at = text.find_first_of("{[", at)) {
    const std::size_t size = RegionSize(text.substr(at));
    const std::size_t looked_at = size > 0 ? size : text.size() - at;
    if (looked_at > work) {
      found.values.clear();
      found.fault = where + ": too many brackets that do not match";
      return found;
    }
    work -= looked_at;
    if (size > 0) {
      take(text.substr(at, size));
    } else if (found.fault.empty()) {
      found.fault = where + ": brackets that do not match";
    }
    at += std::max<std::size_t>(size, 1);
  }
  return found;
}

}  // namespace autodidact::json
