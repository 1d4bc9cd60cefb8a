// Names of LaTeX commands. Private to the room.
#pragma once

#include <string_view>

namespace autodidact::mathematics {

// The command that the parser knows for one that is another spelling of it, both without the backslash; a sign for a
// command that is one ("cdot": "*"); others as they are.
std::string_view CanonicalCommand(std::string_view command);

}  // namespace autodidact::mathematics
