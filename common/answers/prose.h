// Sentences. Private to the room.
#pragma once

#include <string_view>

namespace autodidact::answers {

// Whether a text in small letters has words that sentences have and answers have not. Linear in time.
bool IsSentence(std::string_view small);

}  // namespace autodidact::answers
