// Units of answers. Private to the room.
#pragma once

#include <string>
#include <string_view>

namespace autodidact::mathematics {

// One spelling for each unit: "sq. cm", "square centimeters" and "cm^2" give the same. Empty for words that name no
// particular unit ("units", "square units").
std::string CanonicalUnit(std::string_view unit);

}  // namespace autodidact::mathematics
