// From an answer's text to its tree. Private to the room.
#pragma once

#include <optional>
#include <string_view>

#include "mathematics/node.h"

namespace autodidact::mathematics {

// How a text that can be read in two ways is read.
struct Reading {
  bool thousands = true;  // "1,234" is one number, not a list of two (see Tokenize)
  bool words = true;      // a text of letters alone is words, not a product of variables
};

// Nothing when the text is not an answer that this grammar knows, or is nested too deeply.
std::optional<Node> Parse(std::string_view text, const Reading& reading);

}  // namespace autodidact::mathematics
