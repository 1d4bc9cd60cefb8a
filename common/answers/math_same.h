// Equality of parsed answers. Private to the room.
#pragma once

#include "answers/math_node.h"
#include "answers/math_trial.h"
#include "answers/mathematics.h"

namespace autodidact::answers {

Sameness SameAnswer(const Node& left, const Node& right, Trial& trial);

// Whether every number of an answer has a value: a set with tan 90° in it has one that has none.
bool HasValues(const Node& node, Trial& trial);

}  // namespace autodidact::answers
