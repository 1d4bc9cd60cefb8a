// Texts with their numbers and formulas in one spelling. Private to the room.
#pragma once

#include <string>
#include <string_view>

namespace autodidact::answers {

// Numbers and operators in ASCII: minus signs, multiplication, roots, fractions such as ½, superscripts, degrees,
// spaces of all widths; LaTeX's spaces, sizes and fonts left out (\text{…}, \mathbf{…}, \boxed{…} are their contents).
// What it does not know stays.
std::string PlainSpelling(std::string_view text);

}  // namespace autodidact::answers
