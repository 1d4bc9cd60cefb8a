// The chat formats that are rendered here. Private to the room.
#pragma once

#include <string>
#include <vector>

#include "text/chat.h"

namespace autodidact::text {

// The text, exactly as the format's template renders it. The contents are valid UTF-8. Error(kBadInput) for no turns, a
// role other than system, user and assistant, and for what the template itself refuses (Gemma: turns that do not
// alternate).
std::string RenderFormat(ChatFormat format, const std::vector<ChatTurn>& turns, bool add_generation_prompt);

// What Python's str.strip takes away.
bool IsPythonSpace(char32_t character);

}  // namespace autodidact::text
