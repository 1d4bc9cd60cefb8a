// Which characters of a rendered chat come from outside of the config. Private to the room.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat.h"
#include "text/span.h"

namespace autodidact::text {

// A chat is rendered a second time with characters of its outside text masked: what is masked in the result came from
// there, wherever the template put it, and nothing else may differ.

// A character that stands in none of the chat's texts.
char32_t UnusedCharacter(const Chat& chat, std::string_view chat_template);

// How much of the outside text is masked: the ranges of one text of it, by the role of its turn.
using Choose = std::function<std::vector<Span>(std::string_view role, std::string_view text)>;

// The chat with the chosen characters of its outside text masked; white space, quotes and backslashes stay, since
// templates trim and quote. Roles and keys stay too.
Chat Masked(const Chat& chat, const Choose& choose, char32_t mask);

// The ranges of `text` that are masked in `masked`; nothing when the two differ in anything else.
std::optional<std::vector<Span>> MaskedRanges(std::string_view text, std::string_view masked, char32_t mask);

}  // namespace autodidact::text
