// The Python side of code.h (harness/*.py), as the build embeds it. Private to the room.
#pragma once

namespace autodidact::programs {

// Reads one job from stdin, its length as 16 digits before it, and writes a list of outcomes to stdout:
// {"end", "reason", "outputs", "returned"}. What the program prints goes to stderr.
extern const char* const kHarness;

}  // namespace autodidact::programs
