// Equality of parsed answers. Private to the room.
#pragma once

#include "mathematics/mathematics.h"
#include "mathematics/node.h"
#include "mathematics/trial.h"

namespace autodidact::mathematics {

Sameness SameAnswer(const Node& left, const Node& right, Trial& trial);

// Whether every number of an answer has a value: a set with tan 90° in it has one that has none.
bool HasValues(const Node& node, Trial& trial);

}  // namespace autodidact::mathematics
