// The answer that sentences state. Private to the room.
#pragma once

#include <optional>
#include <string_view>

#include "answers/automatic.h"

namespace autodidact::answers {

// Of a text without markup, thoughts and boxes: what is announced, else what the last sentence with a value comes to,
// else the whole of a text that is no sentence.
std::optional<StatedAnswer> StatedIn(std::string_view text);

}  // namespace autodidact::answers
