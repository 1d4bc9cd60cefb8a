// What formulas and the text around them come to. Private to the room.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace autodidact::answers {

// The last side of "a = b = c", where the chain is a calculation: three sides or more, or a first side of names without
// numbers ("a + b = 6", but not "2x = 6"); of "2x = 6 \Rightarrow x = 3" what follows the arrow. Up to the first "≈".
// Nothing for lists, inequalities and formulas without such a chain.
std::optional<std::string> LastSide(std::string_view formula);

// The last row of equations below each other ("\begin{align*} a &= b \\ &= c \end{align*}", without the environment's
// own marks), with the rows above that it goes on from.
std::string LastRow(std::string_view rows);

// Without drawings in code ([asy] … [/asy]) and the marks of a proof's end.
std::string WithoutDrawings(std::string_view text);

}  // namespace autodidact::answers
