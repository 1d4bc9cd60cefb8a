// Whether two parsed answers are the same answer. Private to the room.
#pragma once

#include "answers/math_node.h"

namespace autodidact::answers {

// Symmetric; bounded in the number of values that it compares.
bool SameAnswer(const Node& left, const Node& right);

}  // namespace autodidact::answers
