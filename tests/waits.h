// How long the tests wait.
#pragma once

#include "base/deadline.h"

namespace autodidact::tests {

// For what must come: never reached on a working program, however busy the machine.
inline constexpr base::Milliseconds kSoon{20'000};

}  // namespace autodidact::tests
