#include "text/chat_marks.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "json/json.h"
#include "text/chat_formats.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

using json::Json;

bool IsMaskable(char32_t character) {
  return !IsPythonSpace(character) && character >= 0x20 && character != 0x7F && character != '"' && character != '\\';
}

// The parts of `ranges` that lie in `within`; all of them where that has no value. Both are in order.
std::vector<Span> Common(const std::vector<Span>& ranges, const std::optional<std::vector<Span>>& within) {
  if (!within) return ranges;
  std::vector<Span> common;
  for (const Span& a : ranges) {
    for (const Span& b : *within) {
      const Span both{std::max(a.begin, b.begin), std::min(a.end, b.end)};
      if (both.begin < both.end) common.push_back(both);
    }
  }
  return common;
}

std::string MaskedText(std::string_view text, const std::vector<Span>& ranges, char32_t mask) {
  std::string result;
  auto range = ranges.begin();
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    const char32_t character = NextChar(text, &position);
    while (range != ranges.end() && range->end <= begin) ++range;
    if (range != ranges.end() && range->begin <= begin && IsMaskable(character)) {
      AppendUtf8(mask, &result);
    } else {
      result.append(text.substr(begin, position - begin));
    }
  }
  return result;
}

// All texts in a value, but for roles and types, by which templates tell things apart.
void MaskTexts(Json& value, std::string_view role, const Choose& choose, char32_t mask) {
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    value = MaskedText(text, choose(role, text), mask);
  } else if (value.is_object()) {
    for (auto& [key, member] : value.items()) {
      if (key != "role" && key != "type") MaskTexts(member, role, choose, mask);
    }
  } else if (value.is_array()) {
    for (Json& item : value) MaskTexts(item, role, choose, mask);
  }
}

std::string MaskedJson(const std::string& text, std::string_view role, const Choose& choose, char32_t mask) {
  if (text.empty()) return "";
  Json value = json::Parse(text, "chat");
  MaskTexts(value, role, choose, mask);
  return json::Dump(value);
}

}  // namespace

char32_t UnusedCharacter(const Chat& chat, std::string_view chat_template) {
  constexpr char32_t kFirst = 0xF0000, kLast = 0xFFFFD;  // a private use area
  for (char32_t character = kFirst; character <= kLast; ++character) {
    std::string bytes;
    AppendUtf8(character, &bytes);
    const auto has = [&](std::string_view text) { return text.find(bytes) != std::string_view::npos; };
    if (has(chat_template) || has(chat.variables)) continue;
    if (std::none_of(chat.turns.begin(), chat.turns.end(),
                     [&](const ChatTurn& turn) { return has(turn.content) || has(turn.message) || has(turn.role); })) {
      return character;
    }
  }
  base::ThrowBadInput("a chat holds every character of the private use area");
}

Chat Masked(const Chat& chat, const Choose& choose, char32_t mask) {
  Chat masked = chat;
  masked.variables = MaskedJson(chat.variables, "", choose, mask);
  for (ChatTurn& turn : masked.turns) {
    turn.message = MaskedJson(turn.message, turn.role, choose, mask);
    turn.content = MaskedText(turn.content, Common(choose(turn.role, turn.content), turn.foreign), mask);
    turn.foreign.reset();
  }
  return masked;
}

std::optional<std::vector<Span>> MaskedRanges(std::string_view text, std::string_view masked, char32_t mask) {
  std::vector<Span> ranges;
  std::size_t at = 0, at_masked = 0;
  while (at < text.size() && at_masked < masked.size()) {
    const std::size_t begin = at;
    const char32_t character = NextChar(text, &at);
    const char32_t other = NextChar(masked, &at_masked);
    if (other != mask) {
      if (other != character) return std::nullopt;
    } else if (!ranges.empty() && ranges.back().end == begin) {
      ranges.back().end = at;
    } else {
      ranges.push_back({begin, at});
    }
  }
  if (at < text.size() || at_masked < masked.size()) return std::nullopt;
  return ranges;
}

}  // namespace autodidact::text
